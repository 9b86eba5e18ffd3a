"""Which share of an arm's seeds has generalised by a step, and where each seed ended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hf_grok.dynamics.columns import curve
from hf_grok.dynamics.when import Arrival, ArrivalCurve, arrival_curve, arrival_of
from hf_grok.report.style.drawing import accuracy_axis
from hf_grok.report.style.palette import Style, colour
from hf_grok.report.style.seed_points import plot_seeds
from hf_grok.report.sweep.figure import last_step, panel_quantities
from hf_grok.report.sweep.grid import Panel, draw_grid
from hf_grok.report.sweep.numbers import Quantity, at_end, has
from hf_grok.report.sweep.onsets import LossLevel, beyond, loss_level
from hf_grok.report.sweep.panels import (
    STYLES,
    draw_baseline,
    linear_step_axis,
    name_baseline,
    scale,
    value_limits,
)
from hf_grok.report.sweep.runs import Arm, Sweep

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIDEWAYS = 0.26  # of the room of an arm


def arm_arrivals(arm: Arm, quantity: Quantity, level: LossLevel | None) -> list[Arrival]:
    """When each run of the arm first is beyond the baseline by the margin, at two evaluations.

    Runs that did not measure the quantity, or nothing to compare it with, are left out; so are all
    where better has no direction.
    """
    arrived = []
    for run in arm.runs:
        if not has(run, quantity.column) or quantity.metric.direction is None:
            continue
        steps, values = curve(run.evaluations, quantity.column)
        baseline, margin = beyond(run, quantity, steps, level)
        if baseline is not None:
            sign = -1.0 if quantity.metric.direction == "fall" else 1.0
            arrived.append(arrival_of(steps, sign * (values - baseline), margin))
    return arrived


def arrival_quantities(sweep: Sweep) -> list[Quantity]:
    """Those of the figure's quantities that some run of the sweep can arrive at."""
    level = loss_level(sweep.reference)
    return [
        one
        for one in panel_quantities(sweep)
        if any(arm_arrivals(arm, one, level) for arm in sweep.arms)
    ]


def plot_arrivals(found: ArrivalCurve, ax: Axes, style: Style = STYLES[0]) -> Axes:
    """The share of seeds that has arrived, as steps, over its pointwise interval.

    Args:
        found: of one arm.
        ax: to draw into; its scales are left as they are.
        style: its colour and dashes.

    Returns:
        `ax`.
    """
    shade, steps = colour(style.colour), [*found.steps, found.last]
    low, arrived, high = ([*one, one[-1]] for one in (found.low, found.arrived, found.high))
    ax.fill_between(steps, low, high, step="post", color=shade, alpha=0.06, linewidth=0)
    for end in (low, high):
        ax.plot(
            steps, end, drawstyle="steps-post", color=shade, lw=0.6, alpha=0.5, label="_interval"
        )
    line = {**style.line(1.8), "marker": "", "solid_capstyle": "butt"}
    ax.plot(steps, arrived, drawstyle="steps-post", clip_on=False, **line)
    return ax


def draw_arrivals(sweep: Sweep) -> Figure | None:
    """The curves of every arm; None where no quantity has a level to arrive at."""
    quantities, level = arrival_quantities(sweep), loss_level(sweep.reference)
    if not quantities:
        return None

    def draw(panel: Panel) -> None:
        linear_step_axis(panel.axes, last_step(sweep), labelled=panel.last)
        accuracy_axis(panel.axes, label="", sparse=True)
        for arm, style in [*panel.parents(sweep), *panel.shown(sweep)]:
            arrived = arm_arrivals(arm, panel.quantity, level)
            if arrived:
                plot_arrivals(arrival_curve(arrived), panel.axes, style)

    return draw_grid(sweep, quantities, f"{sweep.name}: seeds that have arrived", draw)


def caption_arrivals(sweep: Sweep) -> str:
    """What `draw_arrivals` shows."""
    return (
        f"Share of the seeds of {sweep.name} that have arrived by a step: beyond the baseline, by"
        " the margin of the onsets, at two evaluations in a row (Kaplan-Meier; a seed whose run"
        " ended before counts until then). Bands are pointwise 95 % intervals (beta product), which"
        f" hold for few seeds too. {sweep.reference.name} is grey in every panel."
    )


def draw_seeds(sweep: Sweep) -> Figure:
    """Where each seed of every arm ended, as a point."""
    quantities = [replace(one, afterwards=False) for one in panel_quantities(sweep)]
    limits = {one.column: _limits(sweep, one) for one in quantities}

    def draw(panel: Panel) -> None:
        scale(panel.axes, limits[panel.quantity.column])
        draw_baseline(panel.axes, sweep, panel.quantity)
        shown = panel.shown(sweep)
        for place, (arm, style) in enumerate(shown):
            ends = [
                at_end(run, panel.quantity) for run in arm.runs if has(run, panel.quantity.column)
            ]
            if ends:
                marker = {
                    "marker": style.marker or "o",
                    "color": colour(style.colour),
                    "mfc": "none",
                }
                plot_seeds(ends, panel.axes, place, marker, SIDEWAYS)
        panel.axes.set_xlim(-0.5, len(shown) - 0.5)
        panel.axes.set_xticks([])
        if panel.first:
            name_baseline(panel.axes, sweep, panel.quantity)

    return draw_grid(sweep, quantities, f"{sweep.name}: seeds at the end", draw, parents=False)


def caption_seeds(sweep: Sweep) -> str:
    """What `draw_seeds` shows."""
    return (
        f"Every seed of {sweep.name} at the end of its run (accuracies, which swing: mean over the"
        " last quarter), one point each, from seed to seed to the right; the short line is the"
        " median. Seeds that fall in two groups have a mean that none of them is near."
    )


def _limits(sweep: Sweep, quantity: Quantity) -> tuple[float, float] | None:
    """Of the ends alone: a curve's way there would leave them no room. None for shares."""
    if value_limits(sweep, quantity) is None:
        return None
    ends = np.array([at_end(run, quantity) for run in sweep.runs if has(run, quantity.column)])
    room = 0.08 * float(np.ptp(ends)) or 1.0
    return float(ends.min()) - room, float(ends.max()) + room
