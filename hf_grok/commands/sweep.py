"""`hf-grok sweep`: arms of one recipe that differ by a setting, each at several seeds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_grok._option_parser import OptionParser
from hf_grok.commands.data.push import add_push_options
from hf_grok.commands.sweep_run import MOST_RUNS, push, report, run_sweep
from hf_grok.errors import UserError

if TYPE_CHECKING:
    from hf_grok.sweep.plan import Plan

DESCRIPTION = """\
Run every arm of an experiment at every seed, each in a process of its own with one thread.

NAME is a shipped sweep's name, the folder of an earlier sweep, or a YAML file:

  recipe: sas-mlm                   # as for hf-grok train; scale: too
  common: {max_steps: 4000}         # settings of all arms
  seeds: 0-4                        # or [0, 1, 2]
  arms:
    base: {}
    suppress: {sas_schedule: "0:0.3"}
    release: {from: suppress, step: 300, sas_schedule: "0:0"}

`grid: {layers: [2, 4, 6]}`, beside arms or in their place, runs every combination, each an arm
named by its values. `needs: {cpus: 4, gpus: 1, memory_gb: 16}` is what each run takes of a machine,
`launch: accelerate launch --num_processes 2` what starts it.

An arm with `from` goes on from the checkpoint of that arm (of the same seed) at that step, with
its settings but for those it names. Runs lie in OUT/ARM-seedS, what they print in OUT/logs.

The command can be stopped and started again: finished runs are skipped, interrupted ones go on
from their last checkpoint. A run that fails is named and the others go on; the exit status is 1.

Runs run on this machine, one a GPU if it has any; with --engine slurm or ray, on a cluster.
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
  hf-grok sweep runs/sas-mlm
      go on with what lies in a folder, as its sweep.json has it
  hf-grok sweep sas-mlm --engine slurm --slurm time=240 partition=gpu
      as jobs of Slurm; a run that is ended before it is through goes on in the next job
  hf-grok sweep runs/sas-mlm --push me/sas-mlm
      the table of results on the Hub, with a card; no run is started
  hf-grok sweep sas-mlm --report
      only the table and the figure of what is there"""


def build_parser() -> OptionParser:
    """The options of `hf-grok sweep`."""
    parser = OptionParser(
        prog="hf-grok sweep",
        usage="hf-grok sweep NAME [options]",
        description=DESCRIPTION,
        epilog=EPILOG,
    )
    add = parser.add_argument
    add(
        "sweep",
        nargs="?",
        metavar="NAME",
        help="a shipped sweep, a sweep's folder, or a .yaml file",
    )
    add("--out", type=Path, metavar="DIR", help="folder of the sweep (default runs/NAME)")
    add("--workers", type=int, metavar="N", help="runs at a time (default: one a GPU, or a core)")
    add("--engine", choices=("local", "slurm", "ray"), default="local", help="where runs run")
    add(
        "--slurm",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="what sbatch is told: time=MINUTES, partition, account, qos, gres, constraint, ...",
    )
    add(
        "--adopt",
        nargs="+",
        type=Path,
        default=[],
        metavar="FOLDER",
        help="take runs that were started by hand, or by another scheduler, into the sweep's "
        "folder (they are moved), if their settings are those of its runs; then go on",
    )
    add("--cancel", action="store_true", help="end what the sweep has in Slurm's queue")
    add("--seeds", nargs="+", metavar="S", help="these instead of the file's: 0 1 2, 0-9 or 0-4,7")
    add("--arms", nargs="+", metavar="ARM", help="these arms only, and those they branch off")
    add(
        "--override",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="settings of all arms, in place of the file's `common`; an arm's own stand above "
        "them. A list is one word: 'data=[parsed/books, \"parsed/letters,weight=2\"]'",
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
    add_push_options(parser, "results.parquet, with a card,")
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
    from hf_grok.sweep.plan import shipped_sweeps

    if chosen.list:
        for name, files in shipped_sweeps().items():
            print(f"{name}{packages_of(files)}")
        return 0
    if chosen.sweep is None:
        parser.error("name a SWEEP (hf-grok sweep --list names them)")
    if chosen.workers is not None and chosen.workers < 1:
        raise UserError(f"--workers {chosen.workers}: expected at least 1")
    plan, folder = planned(chosen.sweep, read_overrides(chosen.override))
    out = chosen.out or folder
    if chosen.private is not None and chosen.push is None:
        raise UserError("--private and --public say how to --push, which was not given")
    if chosen.report:
        return report(out)
    if chosen.push is not None:
        return push(out, chosen.push, chosen.private)
    if chosen.cancel:
        from hf_grok.sweep.engines.slurm_queue import cancel_all

        print(cancel_all(out))
        return 0
    return run_sweep(plan, out, chosen)


def planned(name: str, overrides: dict[str, Any]) -> tuple[Plan, Path]:
    """The sweep that is named, and where it lies unless that is said.

    Raises:
        UserError: no such sweep; overrides of a folder's, which has its settings.
    """
    from hf_grok.sweep.folder import plan_of_folder
    from hf_grok.sweep.plan import read_plan, shipped_sweeps

    if name in shipped_sweeps() or not Path(name).is_dir():
        plan = read_plan(name, overrides)
        return plan, Path("runs") / plan.name
    if overrides:
        raise UserError(
            f"--override {next(iter(overrides))}: the settings of {name} are in its sweep.json: "
            "name the sweep's own file, or shipped name, to give others"
        )
    return plan_of_folder(Path(name)), Path(name)


def read_overrides(words: Sequence[str]) -> dict[str, Any]:
    """Read KEY=VALUE, the value as JSON where it is JSON, as a list in [a, b], as text elsewhere.

    Not as YAML, which takes the schedule 0:0.1 for a tenth of a second.

    Raises:
        UserError: a word of another form; a list of anything but names.
    """
    overrides = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key.isidentifier():
            raise UserError(
                f"--override {word}: expected KEY=VALUE, such as max_steps=500; several values of "
                "one key as a list in quotes, 'data=[parsed/books, parsed/letters]'"
            )
        try:
            overrides[key] = json.loads(value)
        except (json.JSONDecodeError, RecursionError):
            overrides[key] = _names(key, value) if value.startswith("[") else value
    return overrides


def _names(key: str, value: str) -> list[str]:
    """The names of a list such as [a, "b,weight=2"]; a comma in a name needs the quotes."""
    from hf_grok.text.yaml_reading import parse_yaml

    found = parse_yaml(value, f"--override {key}")
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise UserError(
            f"--override {key}={value}: expected names, [a, b], or JSON; what YAML takes for "
            'a number goes in quotes, ["2"]'
        )
    return found
