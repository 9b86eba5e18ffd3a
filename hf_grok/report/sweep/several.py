"""Sweeps from their folders or from their tables of results, several as one, read to a step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from hf_grok.dynamics import Run
from hf_grok.errors import UserError
from hf_grok.report.sweep.runs import Arm, Sweep, read_sweep
from hf_grok.runs.results import load_results

if TYPE_CHECKING:
    import pandas


def read_sweeps(
    places: Sequence[Path], until: int | None = None, say: Callable[[str], None] = print
) -> Sweep:
    """The arms of all of them: arms of one name are one arm, with the seeds of all.

    Args:
        places: folders that `hf-grok sweep` wrote, and tables as it leaves them
            (`results.parquet`), whose runs need not be there.
        until: the step to which runs are read; those that end before it are left out.
        say: is told which are.

    Raises:
        UserError: a place is neither, two runs are of one arm and seed, or no run is left.
    """
    parts = [read_sweep(place) if place.is_dir() else _of_table(place) for place in places]
    by_name: dict[str, list[Arm]] = {}
    for arm in (arm for part in parts for arm in part.arms):
        by_name.setdefault(arm.name, []).append(arm)
    arms = tuple(_joined(members) for members in by_name.values())
    if until is not None:
        arms = tuple(_until(arm, until, say) for arm in arms)
        if not any(arm.runs for arm in arms):
            raise UserError(f"no run was evaluated to step {until:,}: expected an earlier one")
    title = " and ".join(dict.fromkeys(part.name for part in parts))
    return Sweep(title, parts[0].recipe, arms)


def _of_table(path: Path) -> Sweep:
    """Arms and runs in the order in which they stand in the table, that in which they finished."""
    table = load_results(path)
    arms = tuple(
        Arm(str(name), None, 0, tuple(_runs(rows, path)), {})
        for name, rows in table.groupby("arm", sort=False)
    )
    return Sweep(" and ".join(table["sweep"].unique()), "", arms)


def _runs(rows: pandas.DataFrame, path: Path) -> list[Run]:
    runs = []
    for name, numbers in rows.groupby("run", sort=False):
        wide = numbers.pivot(index="step", columns="metric", values="value")
        info = {"seed": numbers["seed"].iloc[0], "status": "finished"}
        runs.append(Run(path / str(name), info, wide, wide.iloc[:0, :0]))
    return runs


def _joined(arms: Sequence[Arm]) -> Arm:
    runs = sorted((run for arm in arms for run in arm.runs), key=lambda run: run.seed or 0)
    for first, second in pairwise(runs):
        if first.seed == second.seed:
            raise UserError(
                f"{first.path} and {second.path} are both of {arms[0].name} at seed {first.seed}: "
                "expected each seed of an arm once"
            )
    unfinished = {name: status for arm in arms for name, status in arm.unfinished.items()}
    return replace(arms[0], runs=tuple(runs), unfinished=unfinished)


def _until(arm: Arm, step: int, say: Callable[[str], None]) -> Arm:
    runs = []
    for run in arm.runs:
        if run.evaluations.index[-1] < step:
            say(f"left out: {run.path} ends at step {run.evaluations.index[-1]:,}")
        else:
            runs.append(replace(run, evaluations=run.evaluations.loc[:step]))
    return replace(arm, runs=tuple(runs))
