"""The table of a report: one column a run, one row a measure, with its definition."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from hf_grok.dynamics import EarlyStopping, GrokkingSummary, Run
from hf_grok.dynamics.columns import curve
from hf_grok.dynamics.curves import Crossing, Point
from hf_grok.metrics import IN_DISTRIBUTION, VALIDATION_LOSS
from hf_grok.report.figures.early_stopping import stops
from hf_grok.report.groups import Group
from hf_grok.report.style import numerals


@dataclass(frozen=True)
class Cell:
    """What a table says in one place, and a smaller remark under it."""

    text: str
    remark: str = ""


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Args:
        name: what the cells are.
        meaning: how it is defined; empty where the name says it.
        cells: one for each run, or a single one that holds for all.
    """

    name: str
    meaning: str
    cells: tuple[Cell, ...]


NEVER = Cell("never")
NOTHING = Cell("—")

# name, definition, and how a cell is made from a summary.
MEASURES: tuple[tuple[str, str, Callable[[GrokkingSummary], Cell]], ...] = (
    (
        "in-distribution ≥ .99",
        "first evaluation at .99 or above; below it, the evaluations it may lie between",
        lambda summary: _crossing(summary.saturation),
    ),
    (
        "generalization ≥ .8",
        "first evaluation at .8 or above",
        lambda summary: _crossing(summary.crossings[0]),
    ),
    (
        "generalization ≥ .95",
        "first evaluation at .95 or above: the grokking step",
        lambda summary: _crossing(summary.crossings[-1]),
    ),
    (
        "grokking delay",
        "step of generalization ≥ .95 over step of in-distribution ≥ .99",
        lambda summary: _delay(summary),
    ),
    (
        "hierarchical",
        "at some evaluation at .95 or above, object relatives (where measured) were at .8 or above",
        lambda summary: _verdict(summary),
    ),
    (
        "maximum",
        "highest generalization of all evaluations: the best of many",
        lambda summary: _point(summary.maximum),
    ),
    (
        "mean, last quarter",
        "mean generalization over the evaluations in the last quarter of the steps",
        lambda summary: _last_quarter(summary),
    ),
    (
        "later share ≥ .8",
        "fraction of the evaluations after the first at .8 or above that are there too",
        lambda summary: _share(summary.share_above),
    ),
    (
        "lowest after saturation",
        "lowest generalization from in-distribution ≥ .99 on",
        lambda summary: _point(summary.lowest_after_saturation),
    ),
    (
        "total variation",
        "sum of the moves of generalization from one evaluation to the next (1: a single rise)",
        lambda summary: Cell(f"{summary.total_variation:.1f}"),
    ),
    (
        "last evaluation",
        "a lottery where the curve swings",
        lambda summary: _point(summary.final),
    ),
)


def summary_rows(group: Group) -> list[Row]:
    """Every measure of `GrokkingSummary` with its definition, and both early-stopping gaps.

    Without accuracies, the validation loss.
    """
    if not group.summaries:
        return [_loss_row(group)]
    rows = [
        Row(name, meaning, tuple(make(summary) for summary in group.summaries))
        for name, meaning, make in MEASURES
    ]
    gaps = [stops(run) for run in group.runs]
    for watched, name in ((IN_DISTRIBUTION, "accuracy"), (VALIDATION_LOSS, "loss")):
        rows.append(
            Row(
                f"early-stopping gap, by {name}",
                "mean of the last quarter minus generalization at the checkpoint that early "
                f"stopping on in-distribution {name} keeps",
                tuple(_gap(gap[watched]) for gap in gaps),
            )
        )
    return rows


def _loss_row(group: Group) -> Row:
    unit = "nats a predicted token" if group.of_recipe else "as its Trainer measured it,"
    meaning = f"{unit} at the last evaluation; below it the lowest of all"
    return Row("validation loss", meaning, tuple(_loss(run) for run in group.runs))


def _loss(run: Run) -> Cell:
    if VALIDATION_LOSS not in run.evaluations.columns:
        return NOTHING
    steps, values = curve(run.evaluations, VALIDATION_LOSS)
    lowest = int(values.argmin())
    remark = f"lowest {numerals.plain(values[lowest])} at {numerals.step(steps[lowest])}"
    return Cell(numerals.plain(values[-1]), remark)


def _crossing(crossing: Crossing | None) -> Cell:
    if crossing is None:
        return NEVER
    if crossing.previous is None:
        return Cell(numerals.step(crossing.step), "the first evaluation")
    return Cell(numerals.step(crossing.step), f"after {numerals.step(crossing.previous)}")


def _delay(summary: GrokkingSummary) -> Cell:
    if summary.delay is None or summary.delay_interval is None:
        return NOTHING
    low, high = summary.delay_interval
    upper = numerals.times(high) if math.isfinite(high) else "∞"
    return Cell(f"{numerals.times(summary.delay)} times", f"{numerals.times(low)} to {upper}")


def _verdict(summary: GrokkingSummary) -> Cell:
    remark = "ends in the adjacency heuristic" if summary.adjacency_heuristic else ""
    return Cell("yes" if summary.hierarchical else "no", remark)


def _point(point: Point | None) -> Cell:
    if point is None:
        return NOTHING
    return Cell(numerals.accuracy(point.value), f"at {numerals.step(point.step)}")


def _last_quarter(summary: GrokkingSummary) -> Cell:
    low, high = (numerals.accuracy(value) for value in summary.last_quarter_range)
    return Cell(numerals.accuracy(summary.last_quarter_mean), f"{low} to {high}")


def _share(share: float | None) -> Cell:
    return NOTHING if share is None else Cell(numerals.accuracy(share))


def _gap(stopped: EarlyStopping | None) -> Cell:
    if stopped is None:
        return Cell("—", "never stops")
    kept = f"{numerals.accuracy(stopped.kept.value)} at {numerals.step(stopped.kept.step)}"
    return Cell(numerals.signed_accuracy(stopped.last_quarter_gap), kept)
