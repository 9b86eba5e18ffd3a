"""Runs that differ by their seed belong together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_grok.dynamics import GrokkingSummary, Run, grokking_summary
from hf_grok.dynamics.columns import curve
from hf_grok.dynamics.curves import Steps, Values
from hf_grok.errors import UserError
from hf_grok.metrics import GENERALIZATION, IN_DISTRIBUTION, Metric
from hf_grok.report.style import numerals

# What says where a run lies or which of several it is, not what was run.
NOT_SETTINGS = {"seed", "data_seed", "output_dir", "logging_dir", "run_name"}
# What changes neither the run nor when it is evaluated.
HARMLESS = NOT_SETTINGS | {
    *("checkpoints", "disable_tqdm", "logging_steps", "probe_detail", "project", "report_to"),
}


@dataclass(frozen=True, eq=False)
class Group:
    """Runs of one recipe, scale, model and depth, ordered by seed.

    Args:
        recipe: name of the recipe.
        scale: its scale; None if the runs do not say.
        model: name of the model; None likewise.
        layers: depth; None likewise.
        runs: at least one.
        summaries: one for each run; none of a language that asks nothing, so that there are no
            accuracies to sum up.
    """

    recipe: str
    scale: str | None
    model: str | None
    layers: int | None
    runs: tuple[Run, ...]
    summaries: tuple[GrokkingSummary, ...]

    @property
    def title(self) -> str:
        """Such as "question-formation (quick), 6 layers, seed 0"."""
        parts = [self.setting]
        if len(self.runs) == 1:
            parts += [] if self.runs[0].seed is None else [f"seed {self.runs[0].seed}"]
        else:
            parts.append(f"{len(self.runs)} runs")
        return ", ".join(parts)

    @property
    def setting(self) -> str:
        """Such as "question-formation (quick), 6 layers"; the model where it is not our own."""
        parts = [self.recipe + (f" ({self.scale})" if self.scale else "")]
        if self.model not in (None, "vanilla_transformer"):
            parts.append(str(self.model))
        if self.layers is not None:
            parts.append(numerals.counted(self.layers, "layer"))
        return ", ".join(parts)

    @property
    def slug(self) -> str:
        """The setting as a part of a file name."""
        return re.sub(r"[^a-z0-9]+", "-", self.setting.lower()).strip("-")

    @property
    def labels(self) -> list[str]:
        """A short name for each run: its seed, and its directory's name where seeds repeat."""
        seeds = [run.seed for run in self.runs]
        return [
            run.name
            if run.seed is None
            else f"seed {run.seed}" + (f" ({run.name})" if seeds.count(run.seed) > 1 else "")
            for run in self.runs
        ]

    @property
    def columns(self) -> list[str]:
        """Every column of the evaluations that any of the runs measured, in their order."""
        return list(
            dict.fromkeys(
                str(column)
                for run in self.runs
                for column in run.evaluations.columns
                if run.evaluations[column].notna().any()
            )
        )

    @property
    def recorded(self) -> dict[str, Metric]:
        """What probes of other packages declared of their numbers in any of the runs."""
        return {name: metric for run in self.runs for name, metric in run.metrics.items()}

    @property
    def of_recipe(self) -> bool:
        """Whether `hf-grok train` ran these; otherwise it is one run of somebody's own Trainer."""
        return self.runs[0].of_recipe

    @property
    def last_step(self) -> int:
        """The last step at which any of the runs was evaluated."""
        return max(int(run.evaluations.index[-1]) for run in self.runs)


def group_runs(runs: Iterable[Run]) -> list[Group]:
    """Groups of runs with the same recipe, scale, model and depth, in this order.

    A run without a recipe does not say whose seed it is: it is a group of its own.

    Raises:
        UserError: if a run is there twice, or has no evaluation yet.
    """
    gathered: dict[tuple[Any, ...], list[Run]] = {}
    seen: set[str] = set()
    for run in runs:
        _check(run, seen)
        gathered.setdefault(_key(run), []).append(run)
    ordered = sorted(gathered.items(), key=lambda item: [_sortable(part) for part in item[0]])
    names = [members[0].recipe for members in gathered.values() if not members[0].of_recipe]
    return [_group(key, members, names) for key, members in ordered]


def _check(run: Run, seen: set[str]) -> None:
    place = str(run.path.resolve())
    if place in seen:
        raise UserError(f"{run.path} is given twice: name every run once")
    seen.add(place)
    if run.evaluations.empty:
        raise UserError(
            f"{run.path} has no evaluation yet (status {run.status}): there is nothing to report"
        )


def _key(run: Run) -> tuple[Any, ...]:
    name = run.recipe if run.of_recipe else str(run.path)
    return name, run.info.get("scale"), run.info.get("model", {}).get("name"), run.layers


def _sortable(part: Any) -> tuple[bool, Any]:
    return part is not None, part


def _group(key: tuple[Any, ...], members: list[Run], names: Sequence[str]) -> Group:
    full, *setting = key
    recipe = full if names.count(members[0].recipe) > 1 else members[0].recipe
    return group_of(members, recipe, *setting)


def group_of(
    members: Iterable[Run],
    recipe: str,
    scale: str | None = None,
    model: str | None = None,
    layers: int | None = None,
) -> Group:
    """These runs as one group, by seed, with the summary of each where there are accuracies.

    Raises:
        UserError: a run measured one accuracy and not the other.
    """
    runs = tuple(sorted(members, key=lambda run: (run.seed or 0, run.name)))
    summaries = tuple(_summary(run) for run in runs) if _has_accuracies(runs) else ()
    return Group(recipe, scale, model, layers, runs, summaries)


def _has_accuracies(runs: Sequence[Run]) -> bool:
    """Whether there is something to sum up; a recipe that measures one accuracy owes the other."""
    columns = {str(column) for run in runs for column in run.evaluations.columns}
    there = columns & {IN_DISTRIBUTION, GENERALIZATION}
    return bool(there) if runs[0].of_recipe else len(there) == 2


def _summary(run: Run) -> GrokkingSummary:
    try:
        return grokking_summary(run.evaluations)
    except UserError as error:
        raise UserError(f"{run.path}: {error}") from error


def require(found: object, group: Group, what: str) -> None:
    """Refuse to draw what is not there.

    Raises:
        UserError: `found` is empty; says whose it is and what was looked for.
    """
    if not found:
        raise UserError(
            f"{group.title}: no run measured {what}, so that there is nothing to draw; there is "
            f"{', '.join(group.columns) or 'nothing'}"
        )


def measured(group: Group, column: str) -> list[tuple[Run, Steps, Values]]:
    """The runs that measured a column of the evaluations, each with its curve."""
    return [
        (run, *curve(run.evaluations, column))
        for run in group.runs
        if column in run.evaluations.columns and run.evaluations[column].notna().any()
    ]


def full_length(curves: Sequence[tuple[Steps, Values]]) -> list[tuple[Steps, Values]]:
    """The curves that reach the last step that any of them reaches.

    A mean is over these: a shorter one would end it early, or change half way whom it is over.
    """
    last = max(steps[-1] for steps, _ in curves)
    return [(steps, values) for steps, values in curves if steps[-1] == last]


def common_curve(curves: Sequence[tuple[Steps, Values]]) -> tuple[Steps, NDArray[np.float64]]:
    """The steps that every curve has [steps], and the values there [curves, steps].

    Nothing is interpolated: runs of one schedule share their steps.
    """
    common = curves[0][0]
    for steps, _ in curves[1:]:
        common = np.intersect1d(common, steps)
    return common, np.stack([values[np.isin(steps, common)] for steps, values in curves])


def differing_settings(group: Group) -> dict[str, list[str]]:
    """Arguments that are not the same in all runs of a group: name -> one text a run."""
    arguments: list[Mapping[str, Any]] = [run.info.get("arguments", {}) for run in group.runs]
    names = sorted({name for chosen in arguments for name in chosen} - HARMLESS)
    texts = {name: [str(chosen.get(name, "default")) for chosen in arguments] for name in names}
    return {name: values for name, values in texts.items() if len(set(values)) > 1}
