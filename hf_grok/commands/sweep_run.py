"""`hf-grok sweep`: what was chosen of a sweep, run, listed or told of."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hf_grok.errors import UserError

if TYPE_CHECKING:
    from hf_grok.sweep.adopted import Adoption
    from hf_grok.sweep.engines.engine import Engine
    from hf_grok.sweep.job import Job
    from hf_grok.sweep.needs import Needs
    from hf_grok.sweep.plan import Plan

MOST_RUNS = 200


def run_sweep(plan: Plan, out: Path, chosen: argparse.Namespace) -> int:
    """Run what was chosen of the plan; sweep.json describes all of it."""
    from hf_grok.sweep.engines.choice import engine_of
    from hf_grok.sweep.folder import locked, refuse_other_settings, write_description
    from hf_grok.sweep.jobs import make_jobs
    from hf_grok.sweep.seeds import seeds_of

    seeds = None if chosen.seeds is None else seeds_of(chosen.seeds, "--seeds")
    whole = plan.chosen(None, seeds)
    names = plan.chosen(chosen.arms, None).arms
    refuse_too_many(len(whole.seeds) * len(names), chosen.max_runs)
    every_job = make_jobs(whole, out)
    jobs = [job for job in every_job if job.arm in names]
    refuse_other_settings(whole, every_job, out)
    adopted = _adoptions(chosen.adopt, every_job)
    if chosen.dry_run or chosen.status or chosen.print_commands:
        for one in adopted:
            print(f"{one.source} is {one.job.key}, and would be adopted")
        print(described(jobs, out, chosen, plan.needs))
        return 0
    engine = engine_of(
        chosen.engine, out, plan.needs, jobs, workers=chosen.workers, slurm=chosen.slurm
    )
    with locked(out, engine.underway):
        write_description(whole, out, every_job)
        for one in adopted:
            one.adopt()
            print(f"adopted {one.source} as {one.job.folder}", file=sys.stderr)
        return _run_jobs(jobs, out, whole, engine)


def _adoptions(folders: Sequence[Path], jobs: Sequence[Job]) -> list[Adoption]:
    if not folders:
        return []
    from hf_grok.sweep.adopted import adoptions

    return adoptions(folders, jobs)


def _run_jobs(jobs: Sequence[Job], out: Path, plan: Plan, engine: Engine) -> int:
    from hf_grok.sweep.progress import SweepProgress
    from hf_grok.sweep.results.table import SweepResults
    from hf_grok.sweep.runner import Runner
    from hf_grok.sweep.tasks import make_tasks

    progress = SweepProgress(jobs)
    results = SweepResults(out, plan.arms, progress.say)
    tasks = make_tasks(jobs, out, plan.needs)  # first: what finishes now is added twice, not never
    try:
        results.catch_up(jobs)
        failed = Runner(tasks, engine, progress, results.add).run()
    finally:
        progress.close()
    print(closing(jobs, failed, out), file=sys.stderr)
    return 1 if failed else 0


def closing(jobs: Sequence[Job], failed: Mapping[str, str], out: Path) -> str:
    """How a sweep ended, and how to look at it."""
    from hf_grok.sweep.job import FINISHED

    finished = sum(job.state() == FINISHED for job in jobs)
    lines = [f"{finished} of {len(jobs)} runs in {out} are finished"]
    if failed:
        lines.append(f"failed: {', '.join(failed)}; the same command tries them again")
    if finished:
        lines.append(f"draw them: hf-grok report {out}")
    return "\n".join(lines)


def refuse_too_many(runs: int, most: int) -> None:
    """Raises UserError for more runs than are allowed: a grid grows faster than one thinks."""
    if runs > most:
        raise UserError(
            f"the sweep has {runs:,} runs, more than {most:,}: take fewer values, arms or seeds, "
            f"or say --max-runs {runs}"
        )


def described(jobs: Sequence[Job], out: Path, chosen: argparse.Namespace, needs: Needs) -> str:
    """What --status, --print-commands or --dry-run print."""
    from hf_grok.sweep.engines.local import runs_on_cores
    from hf_grok.sweep.engines.slurm_queue import queued
    from hf_grok.sweep.job import FINISHED
    from hf_grok.sweep.status import status_of, status_table
    from hf_grok.sweep.tasks import LOGS, shown_command

    if chosen.status:
        states = queued(out)
        workers = chosen.workers or runs_on_cores(needs)
        return status_table([status_of(job, out / LOGS, states) for job in jobs], workers)
    if chosen.print_commands:
        todo = [job for job in jobs if job.state() != FINISHED]
        return "\n".join(shown_command(job, needs.launch) for job in todo)
    width = max(len(job.key) for job in jobs)
    return "\n".join(
        f"{job.state():<16}{job.key:<{width}}  {shown_command(job, needs.launch)}" for job in jobs
    )


def report(out: Path) -> int:
    """Write the table and the figure of a sweep's folder, and name the files."""
    from hf_grok.report.sweep.write import write_arms

    for file in write_arms(out, out / "report"):
        print(file)
    return 0


def push(out: Path, repo_id: str, private: bool | None) -> int:
    """Put the table of a sweep's results on the Hub, and say how it is loaded."""
    from hf_grok.sweep.results.published import push_results

    pushed = push_results(out, repo_id, private=private)
    kind = "private: only you see it" if pushed.private else "public"
    card = pushed.card
    print(f"pushed {pushed.repo_id} ({kind}): {card.runs} runs, {card.rows:,} rows")
    print(f"  {pushed.url}, commit {pushed.commit[:12]}")
    print(f'load with: datasets.load_dataset("{pushed.repo_id}", split="train")')
    return 0
