"""The figure of a sweep: a row a kind of arm, a column a quantity, the reference in each panel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hf_grok.metrics import IN_DISTRIBUTION, owner_of
from hf_grok.report.sweep.grid import Panel, draw_grid
from hf_grok.report.sweep.numbers import Quantity, present
from hf_grok.report.sweep.onsets import loss_level
from hf_grok.report.sweep.panels import (
    draw_panel,
    linear_step_axis,
    name_baseline,
    scale,
    value_limits,
)
from hf_grok.report.sweep.runs import Sweep

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def panel_quantities(sweep: Sweep) -> list[Quantity]:
    """One column each: the loss, generalization, and the first main number of every probe."""
    firsts: dict[str, Quantity] = {}
    for one in present(sweep):
        if one.column != IN_DISTRIBUTION:
            # Curves are of the runs' own evaluations, and so is what they are drawn beside.
            firsts.setdefault(owner_of(one.column), replace(one, afterwards=False))
    return list(firsts.values())


def draw_arms(sweep: Sweep) -> Figure:
    """Every arm's mean and range over seeds, in a row with those of its kind."""
    quantities, level = panel_quantities(sweep), loss_level(sweep.reference)
    last = max(int(run.evaluations.index[-1]) for run in sweep.runs)
    limits = {one.column: value_limits(sweep, one) for one in quantities}

    def draw(panel: Panel) -> None:
        linear_step_axis(panel.axes, last, labelled=panel.last)
        scale(panel.axes, limits[panel.quantity.column])
        draw_panel(panel.axes, sweep, panel.arms, panel.quantity, level)
        if panel.first:
            name_baseline(panel.axes, sweep, panel.quantity)

    seeds = max(len(arm.runs) for arm in sweep.arms)
    return draw_grid(
        sweep, quantities, f"{sweep.name}: {len(sweep.arms)} arms, {seeds} seeds", draw
    )


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
