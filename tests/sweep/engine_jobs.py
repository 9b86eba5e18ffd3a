"""A small grid of stand-in runs, run on any engine, and the table that it must end with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas

from hf_grok.runs.results import load_results
from hf_grok.sweep.arms import Arm
from hf_grok.sweep.engines.engine import Engine
from hf_grok.sweep.folder import locked
from hf_grok.sweep.job import Job
from hf_grok.sweep.progress import SweepProgress
from hf_grok.sweep.results.table import SweepResults
from hf_grok.sweep.runner import Runner
from hf_grok.sweep.tasks import Task, make_tasks
from tests.sweep.stand_in_training import loss_at

STEPS = 4


def grid(
    out: Path, factors: tuple[float, ...], seeds: int, *, seconds: float = 0.02, kills: str = ""
) -> list[Job]:
    """A run for each factor and seed; the one called `kills` loses its worker once."""
    return [
        Job(
            arm=f"factor-{factor}",
            seed=seed,
            folder=(folder := out / f"factor-{factor}-seed{seed}"),
            words=(
                *(str(folder), str(seed), str(factor), str(STEPS), str(seconds)),
                "kills" if folder.name == kills else "lives",
            ),
            data="one",
            last=STEPS,
        )
        for factor in factors
        for seed in range(seeds)
    ]


def tasks_of(jobs: list[Job], out: Path) -> list[Task]:
    """As of a sweep, but for what trains; there are no data to be made."""
    return [
        replace(task, module="tests.sweep.stand_in_training", after=task.after[1:])
        for task in make_tasks(jobs, out)
        if task.job
    ]


def run_on(engine: Engine, jobs: list[Job], out: Path) -> dict[str, str]:
    """What failed, of all of them run to their end."""
    arms = {job.arm: Arm(job.arm, {}, cell={"factor": float(job.words[2])}) for job in jobs}
    progress = SweepProgress(jobs)
    results = SweepResults(out, arms, progress.say)
    tasks = tasks_of(jobs, out)
    try:
        with locked(out, engine.underway):
            results.catch_up(jobs)
            return Runner(tasks, engine, progress, results.add).run()
    finally:
        progress.close()


def check_table(jobs: list[Job], out: Path) -> None:
    """`results.parquet` has the rows that the definition of a stand-in gives, and no others."""
    expected = [
        (job.key, float(job.words[2]), step, loss_at(job.seed, float(job.words[2]), step))
        for job in jobs
        for step in range(1, STEPS + 1)
    ]
    columns = ["run", "factor", "step", "value"]
    table = load_results(out).sort_values(["run", "step"], ignore_index=True)[columns]
    wanted = pandas.DataFrame(expected, columns=columns)
    wanted = wanted.sort_values(["run", "step"], ignore_index=True)
    pandas.testing.assert_frame_equal(table, wanted)


def starts(out: Path) -> list[str]:
    """ "RUN STEP" of every step that any start has trained."""
    return (out / "starts").read_text().splitlines()
