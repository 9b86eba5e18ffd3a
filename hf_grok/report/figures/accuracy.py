"""Accuracies against steps: when each arrives, and what early stopping would have kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hf_grok.dynamics.curves import Crossing
from hf_grok.metrics import GENERALIZATION, IN_DISTRIBUTION
from hf_grok.report.groups import Group, measured, require
from hf_grok.report.style.annotations import ROW, Event, label_lines, mark_events
from hf_grok.report.style.drawing import accuracy_axis, add_axes, add_title, new_figure, step_axis
from hf_grok.report.style.numerals import accuracy, short_step
from hf_grok.report.style.palette import (
    EARLY_STOPPING_STYLE,
    GENERALIZATION_STYLE,
    IN_DISTRIBUTION_STYLE,
    Style,
    colour,
)
from hf_grok.report.style.seed_curves import draw_series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SERIES = (
    (IN_DISTRIBUTION, "in distribution", IN_DISTRIBUTION_STYLE),
    (GENERALIZATION, "generalization", GENERALIZATION_STYLE),
)


def draw_accuracies(group: Group) -> Figure | None:
    """Both accuracies of every run, with saturation, grokking and early stopping marked.

    None without accuracies.
    """
    if not group.summaries:
        return None
    above = 0.42 + ROW * len(_events(group))
    figure = new_figure(3.03 + above)
    plot_accuracies(group, add_axes(figure, left=0.5, bottom=0.5, right=1.1, top=above))
    add_title(figure, group.title)
    return figure


def plot_accuracies(group: Group, ax: Axes) -> Axes:
    """Both accuracies of every run against steps, what they reached and when above the axes.

    Args:
        group: runs of one setting, with accuracies.
        ax: to draw into; its scales are set, and its names stand to the right of it.

    Returns:
        `ax`.

    Raises:
        UserError: the runs have no accuracies.
    """
    require(group.summaries, group, "both accuracies")
    step_axis(ax, group.last_step)
    accuracy_axis(ax)
    ends = []
    for column, label, style in SERIES:
        curves = [(steps, values) for _, steps, values in measured(group, column)]
        end = draw_series(ax, curves, style)
        if end is not None:
            ends.append((end, label, style))
    label_lines(ax, ends)
    if len(group.runs) > 1:
        _mark_each_run(ax, group)
    mark_events(ax, _events(group))
    return ax


def _events(group: Group) -> list[Event]:
    stopping = _early_stopping(group)
    return [*arrival_events(group), *([stopping] if stopping else [])]


def caption_accuracies(group: Group) -> str:
    """What `draw_accuracies` shows."""
    text = "Accuracy in distribution (dashed, squares) and on the generalization set (solid, dots)."
    if len(group.runs) > 1:
        text += (
            " Thin lines are runs; the thick line and the band are the mean and the middle half"
            " of those of full length, where there are two. Triangles mark each run's saturation"
            " (above) and crossing of .95 (below); a vertical line is the median step, counting"
            " runs that never get there as later than all others; the fraction says how many did."
        )
    return text + " Nothing is known between two evaluations; the tables give the interval."


def median_step(crossings: list[Crossing | None]) -> float | None:
    """The middle of the crossings' steps, runs that never cross counting as infinitely late.

    None if that is infinite: half of the runs or more never crossed.
    """
    steps = [crossing.step if crossing else np.inf for crossing in crossings]
    middle = float(np.median(steps)) if np.isfinite(steps).any() else np.inf
    return middle if np.isfinite(middle) else None


def arrival_events(group: Group) -> list[Event]:
    """When both accuracies arrive; what half of the runs or more never reached is not marked."""
    saturations = [summary.saturation for summary in group.summaries]
    crossings = [summary.crossings[-1] for summary in group.summaries]
    found = [
        _event(saturations, "in distribution ≥ .99", IN_DISTRIBUTION_STYLE),
        _event(crossings, "generalization ≥ .95", GENERALIZATION_STYLE),
    ]
    return [event for event in found if event]


def _event(crossings: list[Crossing | None], name: str, style: Style) -> Event | None:
    step = median_step(crossings)
    if step is None:
        return None
    if len(crossings) == 1:
        return Event(step, f"{name} at {short_step(step)}", style)
    count = sum(crossing is not None for crossing in crossings)
    return Event(step, f"{name}: {count}/{len(crossings)}, median {short_step(step)}", style)


def _early_stopping(group: Group) -> Event | None:
    stopped = group.summaries[0].early_stopping
    if len(group.runs) > 1 or stopped is None:
        return None
    kept = stopped.kept
    label = f"early stopping: {accuracy(kept.value)} at {short_step(kept.step)}"
    return Event(stopped.kept.step, label, EARLY_STOPPING_STYLE)


def _mark_each_run(axes: Axes, group: Group) -> None:
    rows = (
        ([summary.saturation for summary in group.summaries], 1.035, "v", IN_DISTRIBUTION_STYLE),
        ([summary.crossings[-1] for summary in group.summaries], -0.035, "^", GENERALIZATION_STYLE),
    )
    for crossings, height, marker, style in rows:
        steps = [crossing.step for crossing in crossings if crossing]
        axes.plot(
            steps,
            [height] * len(steps),
            linestyle="",
            marker=marker,
            markersize=5,
            color=colour(style.colour),
            clip_on=False,
        )
