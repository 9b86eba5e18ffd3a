"""The figure of a sweep: a row a kind of arm, a column a quantity, the reference in each panel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hf_grok.metrics import IN_DISTRIBUTION, owner_of
from hf_grok.report.style.drawing import matplotlib_module
from hf_grok.report.style.palette import colour
from hf_grok.report.sweep.numbers import Quantity, present
from hf_grok.report.sweep.onsets import loss_level
from hf_grok.report.sweep.panels import (
    PARENT_STYLE,
    REFERENCE_STYLE,
    STYLES,
    branched_off,
    draw_panel,
    linear_step_axis,
    name_baseline,
    scale,
    value_limits,
)
from hf_grok.report.sweep.runs import Arm, Sweep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL_WIDTH, PANEL_HEIGHT = 2.95, 1.45  # inches, as all of the following
LEFT, RIGHT, COLUMN_GAP = 0.42, 0.12, 0.42
TOP, BOTTOM, ROW_GAP = 0.66, 0.5, 0.42


def panel_quantities(sweep: Sweep) -> list[Quantity]:
    """One column each: the loss, generalization, and the first main number of every probe."""
    firsts: dict[str, Quantity] = {}
    for one in present(sweep):
        if one.column != IN_DISTRIBUTION:
            # Curves are of the runs' own evaluations, and so is what they are drawn beside.
            firsts.setdefault(owner_of(one.column), replace(one, afterwards=False))
    return list(firsts.values())


def arm_rows(sweep: Sweep) -> list[list[Arm]]:
    """Arms of one kind in one row, four at most; the reference is in all of them."""
    kinds: dict[str, list[Arm]] = {}
    for arm in sweep.arms[1:]:
        if arm.runs:
            kinds.setdefault(arm.kind, []).append(arm)
    size = len(STYLES)
    rows = [arms[at : at + size] for arms in kinds.values() for at in range(0, len(arms), size)]
    return rows or [[]]


def draw_arms(sweep: Sweep) -> Figure:
    """Every arm's mean and range over seeds, in a row with those of its kind."""
    rows, quantities = arm_rows(sweep), panel_quantities(sweep)
    level = loss_level(sweep.reference)
    figure = _new_figure(len(rows), len(quantities))
    last = max(int(run.evaluations.index[-1]) for run in sweep.runs)
    limits = {one.column: value_limits(sweep, one) for one in quantities}
    for place, arms in enumerate(rows):
        for column, quantity in enumerate(quantities):
            axes = _add_panel(figure, place, column)
            linear_step_axis(axes, last, labelled=place == len(rows) - 1)
            scale(axes, limits[quantity.column])
            draw_panel(axes, sweep, arms, quantity, level)
            if place == 0:
                _head(axes, quantity)
                name_baseline(axes, sweep, quantity)
        _name_arms(figure, sweep, arms, place)
    _add_title(figure, sweep)
    return figure


def caption_arms(sweep: Sweep) -> str:
    """What `draw_arms` shows."""
    text = (
        f"Arms of {sweep.name}: mean over seeds, and the band from the least to the greatest."
        f" {sweep.reference.name} is grey in every panel; black dashes score the same without the"
        " model. Triangles mark onsets, the mean step of the seeds' own and their range: where the"
        " curve first stays beyond its baseline. Arms of which less than half of the seeds have"
        " one have no triangle."
    )
    if any(arm.parent for arm in sweep.arms):
        text += (
            " An arm that branches off another is drawn from there (dot); the other is dotted grey."
        )
    return text


def _new_figure(rows: int, columns: int) -> Figure:
    width = LEFT + RIGHT + columns * PANEL_WIDTH + (columns - 1) * COLUMN_GAP
    height = TOP + BOTTOM + rows * PANEL_HEIGHT + (rows - 1) * ROW_GAP
    figure: Figure = matplotlib_module("matplotlib.figure").Figure(figsize=(width, height))
    return figure


def _place(figure: Figure, row: int, column: int) -> tuple[float, float]:
    """The lower left corner of a panel, in inches."""
    height = figure.get_size_inches()[1]
    left = LEFT + column * (PANEL_WIDTH + COLUMN_GAP)
    return left, height - TOP - row * (PANEL_HEIGHT + ROW_GAP) - PANEL_HEIGHT


def _add_panel(figure: Figure, row: int, column: int) -> Axes:
    width, height = figure.get_size_inches()
    left, bottom = _place(figure, row, column)
    return figure.add_axes(
        (left / width, bottom / height, PANEL_WIDTH / width, PANEL_HEIGHT / height)
    )


def _head(axes: Axes, quantity: Quantity) -> None:
    axes.annotate(
        quantity.measure.panel,
        (0.0, 1.0),
        xycoords="axes fraction",
        xytext=(0, 20),
        textcoords="offset points",
        fontweight="bold",
        color=colour("ink"),
        annotation_clip=False,
    )


def _name_arms(figure: Figure, sweep: Sweep, arms: Sequence[Arm], row: int) -> None:
    """The row's arms in their colours, above its first panel."""
    lines = matplotlib_module("matplotlib.lines")
    named = [
        *zip(arms, STYLES, strict=False),
        (sweep.reference, REFERENCE_STYLE),
        *((parent, PARENT_STYLE) for parent in branched_off(sweep, arms)),
    ]
    width, height = figure.get_size_inches()
    left, bottom = _place(figure, row, 0)
    figure.legend(
        [lines.Line2D([], [], **{**style.line(1.6), "markersize": 3.4}) for _, style in named],
        [arm.name for arm, _ in named],
        loc="lower left",
        bbox_to_anchor=(left / width, (bottom + PANEL_HEIGHT + 0.02) / height),
        ncols=len(named),
        frameon=False,
        borderpad=0.0,
        borderaxespad=0.0,
        handlelength=1.8,
        handletextpad=0.5,
        columnspacing=1.4,
        labelcolor=[colour(style.colour) for _, style in named],
    )


def _add_title(figure: Figure, sweep: Sweep) -> None:
    width, height = figure.get_size_inches()
    seeds = max(len(arm.runs) for arm in sweep.arms)
    title = f"{sweep.name}: {len(sweep.arms)} arms, {seeds} seeds"
    figure.text(0.1 / width, 1 - 0.08 / height, title, va="top", ha="left", fontweight="bold")
