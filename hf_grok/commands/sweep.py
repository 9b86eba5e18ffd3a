"""`hf-grok sweep`: arms of one recipe that differ by a setting, each at several seeds."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_grok._option_parser import OptionParser
from hf_grok.errors import UserError

if TYPE_CHECKING:
    from hf_grok.sweep.jobs import Job
    from hf_grok.sweep.plan import Plan
    from hf_grok.sweep.results import SweepResults

DESCRIPTION = """\
Run every arm of an experiment at every seed, each in a process of its own with one thread.

NAME is a shipped sweep's name or a YAML file:

  recipe: sas-mlm                   # as for hf-grok train; scale: too
  common: {max_steps: 4000}         # settings of all arms
  seeds: 0-4                        # or [0, 1, 2]
  arms:
    base: {}
    suppress: {sas_schedule: "0:0.3"}
    release: {from: suppress, step: 300, sas_schedule: "0:0"}

`grid: {layers: [2, 4, 6]}`, beside arms or in their place, runs every combination, each an arm
named by its values.

An arm with `from` goes on from the checkpoint of that arm (of the same seed) at that step, with
its settings but for those it names. Runs lie in OUT/ARM-seedS, what they print in OUT/logs.

The command can be stopped and started again: finished runs are skipped, interrupted ones go on
from their last checkpoint. A run that fails is named and the others go on; the exit status is 1.
"""

EPILOG = """\
examples:
  hf-grok sweep sas-mlm --dry-run
      what would be run, in order, and what is there already
  hf-grok sweep sas-mlm --seeds 0 --workers 2
      one seed of every arm
  hf-grok sweep my-sweep.yaml --arms base release --override max_steps=500 --out runs/try
      two arms, and what they branch off, shorter
  hf-grok sweep sas-mlm --status
      a line a run: finished, running, failed or to do, its last numbers, and the time left
  hf-grok sweep sas-mlm --print-commands > runs.txt
      the command of each run that is not finished, for a scheduler or another machine
  hf-grok sweep sas-mlm --report
      only the table and the figure of what is there"""


MOST_RUNS = 200


def build_parser() -> OptionParser:
    """The options of `hf-grok sweep`."""
    parser = OptionParser(
        prog="hf-grok sweep",
        usage="hf-grok sweep NAME [options]",
        description=DESCRIPTION,
        epilog=EPILOG,
    )
    add = parser.add_argument
    add("sweep", nargs="?", metavar="NAME", help="a shipped sweep, or a .yaml file")
    add("--out", type=Path, metavar="DIR", help="folder of the sweep (default runs/NAME)")
    add("--workers", type=int, metavar="N", help="runs at a time (default: one a core)")
    add("--seeds", nargs="+", metavar="S", help="these instead of the file's: 0 1 2, or 0-9")
    add("--arms", nargs="+", metavar="ARM", help="these arms only, and those they branch off")
    add(
        "--override",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="settings of all arms, in place of the file's `common`; an arm's own stand above them",
    )
    add("--dry-run", action="store_true", help="check everything, name the runs, start none")
    add("--status", action="store_true", help="a table of how far each run is, start none")
    add(
        "--print-commands",
        action="store_true",
        help="the command of each run that is not finished, one a line, those that others branch "
        "off before them; start none",
    )
    add(
        "--max-runs",
        type=int,
        default=MOST_RUNS,
        metavar="N",
        help=f"refuse a sweep of more runs than this, as a grid soon is (default: {MOST_RUNS})",
    )
    add("--report", action="store_true", help="write the table and the figure, start no run")
    add("--list", action="store_true", help="name the shipped sweeps and exit")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run a sweep, or say what it would run; 1 if a run failed.

    Raises:
        UserError: a sweep, an arm or a setting that does not exist; a folder with runs of other
            settings, or that another sweep is writing.
    """
    parser = build_parser()
    chosen = parser.parse_args(arguments)
    from hf_grok.packages import packages_of
    from hf_grok.sweep.plan import read_plan, shipped_sweeps

    if chosen.list:
        for name, files in shipped_sweeps().items():
            print(f"{name}{packages_of(files)}")
        return 0
    if chosen.sweep is None:
        parser.error("name a SWEEP (hf-grok sweep --list names them)")
    plan = read_plan(chosen.sweep, read_overrides(chosen.override))
    out = chosen.out or Path("runs") / plan.name
    if chosen.report:
        return report(out)
    workers = chosen.workers if chosen.workers is not None else os.cpu_count() or 1
    if workers < 1:
        raise UserError(f"--workers {workers}: expected at least 1")
    return run_sweep(plan, out, chosen, workers)


def run_sweep(plan: Plan, out: Path, chosen: argparse.Namespace, workers: int) -> int:
    """Run what was chosen of the plan; sweep.json describes all of it."""
    from hf_grok.sweep.folder import locked, refuse_other_settings, write_description
    from hf_grok.sweep.jobs import make_jobs
    from hf_grok.sweep.results import SweepResults
    from hf_grok.sweep.seeds import seeds_of

    seeds = None if chosen.seeds is None else seeds_of(chosen.seeds, "--seeds")
    whole = plan.chosen(None, seeds)
    names = plan.chosen(chosen.arms, None).arms
    refuse_too_many(len(whole.seeds) * len(names), chosen.max_runs)
    every_job = make_jobs(whole, out)
    jobs = [job for job in every_job if job.arm in names]
    refuse_other_settings(whole, every_job, out)
    if chosen.dry_run or chosen.status or chosen.print_commands:
        print(described(jobs, out, chosen, workers))
        return 0
    with locked(out):
        write_description(whole, out, every_job)
        return _run_jobs(jobs, out, workers, SweepResults(out, whole.arms))


def _run_jobs(jobs: Sequence[Job], out: Path, workers: int, results: SweepResults) -> int:
    from hf_grok.sweep.progress import SweepProgress
    from hf_grok.sweep.runner import Runner
    from hf_grok.sweep.tasks import make_tasks

    progress = SweepProgress(jobs)
    try:
        results.catch_up(jobs, progress.say)
        failed = Runner(make_tasks(jobs, out), workers, progress, results.add).run()
    finally:
        progress.close()
    print(closing(jobs, failed, out), file=sys.stderr)
    return 1 if failed else 0


def closing(jobs: Sequence[Job], failed: Mapping[str, str], out: Path) -> str:
    """How a sweep ended, and how to look at it."""
    from hf_grok.sweep.jobs import FINISHED

    finished = sum(job.state() == FINISHED for job in jobs)
    lines = [f"{finished} of {len(jobs)} runs in {out} are finished"]
    if failed:
        lines.append(f"failed: {', '.join(failed)}; the same command tries them again")
    lines.append(f"draw them: hf-grok report {out}")
    return "\n".join(lines)


def refuse_too_many(runs: int, most: int) -> None:
    """Raises UserError for more runs than are allowed: a grid grows faster than one thinks."""
    if runs > most:
        raise UserError(
            f"the sweep has {runs:,} runs, more than {most:,}: take fewer values, arms or seeds, "
            f"or say --max-runs {runs}"
        )


def described(jobs: Sequence[Job], out: Path, chosen: argparse.Namespace, workers: int) -> str:
    """What --status, --print-commands or --dry-run print."""
    from hf_grok.sweep.folder import LOGS
    from hf_grok.sweep.jobs import FINISHED
    from hf_grok.sweep.status import status_of, status_table

    if chosen.status:
        return status_table([status_of(job, out / LOGS) for job in jobs], workers)
    if chosen.print_commands:
        todo = [job for job in jobs if job.state() != FINISHED]
        return "\n".join(f"hf-grok train {shlex.join(job.command())}" for job in todo)
    return listing(jobs)


def listing(jobs: Sequence[Job]) -> str:
    """The runs in their order: state, name, command line."""
    width = max(len(job.key) for job in jobs)
    return "\n".join(
        f"{job.state():<16}{job.key:<{width}}  hf-grok train {shlex.join(job.command())}"
        for job in jobs
    )


def read_overrides(words: Sequence[str]) -> dict[str, Any]:
    """Read KEY=VALUE, the value as JSON where it is JSON and as text elsewhere.

    Not as YAML, which takes the schedule 0:0.1 for a tenth of a second.

    Raises:
        UserError: a word of another form.
    """
    overrides = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key.isidentifier():
            raise UserError(f"--override {word}: expected KEY=VALUE, such as max_steps=500")
        try:
            overrides[key] = json.loads(value)
        except (json.JSONDecodeError, RecursionError):
            overrides[key] = value
    return overrides


def report(out: Path) -> int:
    """Write the table and the figure of a sweep's folder, and name the files."""
    from hf_grok.report.sweep.write import write_arms

    for file in write_arms(out, out / "report"):
        print(file)
    return 0
