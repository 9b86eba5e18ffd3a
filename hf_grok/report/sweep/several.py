"""Sweeps from their folders or from their tables of results, several as one, read to a step."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from hf_grok.dynamics import Run
from hf_grok.errors import UserError
from hf_grok.metrics import PREFIX
from hf_grok.report.sweep.runs import Arm, Sweep, read_sweep
from hf_grok.runs.results import load_results
from hf_grok.runs.sweep_files import is_table, read_about

if TYPE_CHECKING:
    import pandas

_ALONE = {"from": None, "step": 0}


def read_sweeps(
    places: Iterable[str | os.PathLike[str]],
    until: int | None = None,
    say: Callable[[str], None] = print,
) -> Sweep:
    """The arms of all of them: arms of one name are one arm, with the seeds of all.

    Args:
        places: folders that `hf-grok sweep` wrote, and tables as it leaves them
            (`results.parquet`), whose runs need not be there.
        until: the step to which runs are read; those that end before it are left out.
        say: is told which are.

    Raises:
        UserError: no place, or one that is neither; two runs of one arm and seed; an arm that is
            of two recipes; no run left; a step below 0.
    """
    if until is not None and until < 0:
        raise UserError(f"until step {until:,}: expected a step from 0 on")
    paths = map(Path, places)
    parts = [_of_table(path) if is_table(path) else read_sweep(path) for path in paths]
    if not parts:
        raise UserError("no sweep was given: name at least one folder or table")
    by_name: dict[str, list[tuple[Sweep, Arm]]] = {}
    for part in parts:
        for arm in part.arms:
            by_name.setdefault(arm.name, []).append((part, arm))
    _refuse_several_recipes(by_name)
    arms = tuple(_joined([arm for _, arm in members]) for members in by_name.values())
    if until is not None:
        arms = tuple(_until(arm, until, say) for arm in arms)
        if not any(arm.runs for arm in arms):
            raise UserError(f"no run was evaluated to step {until:,}: expected an earlier one")
    names = list(dict.fromkeys(part.name for part in parts))
    recipe = next((part.recipe for part in parts if part.recipe), "")
    return Sweep(names[0] if len(names) == 1 else recipe or " and ".join(names), recipe, arms)


def _of_table(path: Path) -> Sweep:
    """Arms as the table says, or, of an earlier version's, in the order in which they finished."""
    table, about = load_results(path), read_about(path)
    rows = {str(name): numbers for name, numbers in table.groupby("arm", sort=False)}
    known, name = about.get("arms", {}), " and ".join(table["sweep"].unique())
    recipe = str(about.get("recipe", ""))
    arms = tuple(
        Arm(
            arm, facts["from"], facts["step"], tuple(_runs(rows.get(arm), path, recipe or name)), {}
        )
        for arm, facts in {**known, **{one: _ALONE for one in rows if one not in known}}.items()
    )
    return Sweep(name, recipe, arms)


def _runs(rows: pandas.DataFrame | None, path: Path, recipe: str) -> list[Run]:
    runs: list[Run] = []
    if rows is None:  # an arm of which no run has finished
        return runs
    for name, numbers in rows.groupby("run", sort=False):
        wide = numbers.pivot(index="step", columns="metric", values="value")
        info = {"recipe": recipe, "seed": numbers["seed"].iloc[0], "status": "finished"}
        if "layers" in numbers and (depths := numbers["layers"].dropna()).size:  # of a grid
            info["model"] = {"layers": depths.iloc[0]}
        evaluations, training = (wide[names].dropna(how="all") for names in _by_kind(wide.columns))
        runs.append(Run(path / str(name), info, evaluations, training))
    return runs


def _by_kind(metrics: Iterable[str]) -> tuple[list[str], list[str]]:
    """Names of what evaluations measured, and of what was logged in training."""
    names = list(metrics)
    evaluated = [name for name in names if name.startswith(PREFIX)]
    return evaluated, [name for name in names if name not in evaluated]


def _refuse_several_recipes(by_name: Mapping[str, Sequence[tuple[Sweep, Arm]]]) -> None:
    """Seeds of an arm are those of one experiment; tables of early versions know no recipe."""
    for name, members in by_name.items():
        recipes = {
            Path(part.recipe).stem: part for part, arm in members if part.recipe and arm.runs
        }
        if len(recipes) > 1:
            (one, first), (other, second) = list(recipes.items())[:2]
            raise UserError(
                f"the arm {name} is of {one} in the sweep {first.name} and of {other} in "
                f"{second.name}: expected seeds of one recipe; compare them one by one"
            )


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
            runs.append(
                replace(
                    run,
                    evaluations=run.evaluations.loc[:step],
                    training=run.training.loc[:step],
                )
            )
    return replace(arm, runs=tuple(runs))
