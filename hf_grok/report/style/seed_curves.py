"""One quantity of a group of runs: seeds as thin lines, their mean and the middle half."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from hf_grok.dynamics.curves import Steps, Values
from hf_grok.report.groups import common_curve, full_length
from hf_grok.report.style.drawing import places_on
from hf_grok.report.style.palette import Style, colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKER_SPACING = 0.07  # of the width of the axes


def draw_series(
    axes: Axes, curves: Sequence[tuple[Steps, Values]], style: Style, *, width: float = 1.5
) -> float | None:
    """Draw the runs' curves of one quantity, and return the value at which its label belongs.

    Runs are thin lines, under the mean of those of full length and the band from their first to
    their third quartile. Without two of full length there is no mean: each run is a whole line.
    Axes must have their final step axis.

    Returns:
        The last value of the curves of full length, averaged; None if there is no curve.
    """
    if not curves:
        return None
    longest = full_length(curves)
    if len(longest) == 1:
        for steps, values in curves:
            _draw_line(axes, steps, values, style, width if len(curves) == 1 else width * 0.6)
        return float(longest[0][1][-1])
    for steps, values in curves:
        axes.plot(steps, values, color=colour(style.colour), linewidth=0.7, alpha=0.4)
    steps, matrix = common_curve(longest)
    low, high = np.quantile(matrix, [0.25, 0.75], axis=0)
    axes.fill_between(steps, low, high, color=colour(style.colour), alpha=0.2, linewidth=0)
    mean = matrix.mean(axis=0)
    _draw_line(axes, steps, mean, style, width + 0.6)
    return float(mean[-1])


def _draw_line(axes: Axes, steps: Steps, values: Values, style: Style, width: float) -> None:
    places = marked(places_on(axes, steps), MARKER_SPACING)
    axes.plot(steps, values, **style.line(width), markevery=places, clip_on=False)


def marked(places: Sequence[float], spacing: float) -> list[int]:
    """Indices of the places to mark: the first, then each that is `spacing` or more further on."""
    chosen: list[int] = []
    for index, place in enumerate(places):
        if not chosen or place >= places[chosen[-1]] + spacing:
            chosen.append(index)
    return chosen
