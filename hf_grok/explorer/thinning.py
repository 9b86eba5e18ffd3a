"""Which evaluations and pictures a page keeps where there are more than it can hold.

What is marked (crossings, onsets) is always kept, and so are the first and the last.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

PER_STRETCH = 4


def kept_steps(
    steps: NDArray[np.int64],
    curves: Sequence[NDArray[np.float64]],
    most: int,
    always: Collection[int] = (),
) -> NDArray[np.int64]:
    """Of `steps` about `most`: the extremes of every curve in each stretch of them, in order.

    The steps are cut into stretches of equally many evaluations. Of each, the first and the last
    are kept, and where each curve is lowest and highest: drawn, a thinned curve covers what the
    whole one does. There are so few stretches that no more than `most` are kept, but those in
    `always` beside them, and of at least one stretch.

    Args:
        steps: evaluated, increasing [evaluations].
        curves: values there, NaN where not measured, each [evaluations].
        most: that should remain.
        always: steps that stay.

    Source: the four of a stretch are those of M4 (Jugel et al. 2014, VLDB 7(10)).
    """
    if steps.size <= most:
        return steps
    stretches = max(1, most // (2 + 2 * len(curves)))
    kept = np.isin(steps, list(always))
    for places in np.array_split(np.arange(steps.size), stretches):
        kept[[places[0], places[-1]]] = True
        for values in curves:
            part = values[places]
            if np.isfinite(part).any():
                kept[places[np.nanargmin(part)]] = True
                kept[places[np.nanargmax(part)]] = True
    return steps[kept]


def kept_pictures(steps: Sequence[int], most: int, near: Collection[int] = ()) -> list[int]:
    """Of `steps` at most `most`, evenly by place, and those nearest to what is marked.

    Args:
        steps: at which there are pictures, increasing.
        most: that are kept evenly, at least 2.
        near: marked steps; the last picture not after each stays too, or else the first.
    """
    if len(steps) <= most:
        return list(steps)
    places = {int(place) for place in np.linspace(0, len(steps) - 1, most).round()}
    places |= {max(0, int(np.searchsorted(steps, step, side="right")) - 1) for step in near}
    return [steps[place] for place in sorted(places)]
