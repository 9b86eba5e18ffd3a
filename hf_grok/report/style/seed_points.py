"""Numbers of seeds as points: groups that a mean would hide are seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hf_grok.errors import UserError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SEED_WIDTH = 0.09


def plot_seeds(
    values: Sequence[float],
    ax: Axes,
    centre: float,
    marker: dict[str, Any],
    width: float = SEED_WIDTH,
) -> Axes:
    """One point a seed around `centre`, and a short line at their median.

    Args:
        values: a number a seed.
        ax: to draw into; its scales are left as they are.
        centre: place on the horizontal axis.
        marker: arguments of `Axes.plot`, `color` among them.
        width: how far points stand to the left and right of the centre at most.

    Returns:
        `ax`.

    Raises:
        UserError: no seed.
    """
    if not len(values):
        raise UserError("no seed: expected at least one number to draw")
    options: dict[str, Any] = {"ls": "", "ms": 5, "mew": 1.3, "clip_on": False, **marker}
    ax.plot(centre + sideways(len(values), width), values, **options)
    middle, half = float(np.median(values)), width + 0.04
    ax.plot(
        [centre - half, centre + half],
        [middle, middle],
        color=str(marker["color"]),
        linewidth=2,
        label="_median",
    )
    return ax


def sideways(count: int, width: float) -> NDArray[np.float64]:
    """Offsets within `width` that keep equal values apart [count]."""
    return np.linspace(-width, width, count) if count > 1 else np.zeros(count)
