"""Onset by crossing: the first evaluation that is clear of a baseline, and stays so."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hf_grok.dynamics.curves import Values
from hf_grok.dynamics.onsets.acceleration import Positions
from hf_grok.dynamics.onsets.existence import NoOnset, Onset, amount, shown


def onset_by_crossing(
    at: Positions,
    rising: Values,
    level: Values | float | None,
    window: float,
    margin: float,
    hold: int,
) -> Onset | NoOnset:
    """min { t : f - level >= margin at t and at the evaluations after it, `hold` in all }.

    Args:
        at: evaluated steps [evaluations].
        rising: f, negated if it should fall [evaluations].
        level: the baseline, likewise negated; None for the best value of the first window, after
            which the crossing is then sought. A curve that still gets better by more than the
            margin in the second half of that window has not come to a level that could be one.
        window: length of that first window.
        margin: how far beyond the level.
        hold: evaluations in a row, at least 1.
    """
    start = 0
    if level is None:
        start = int(np.searchsorted(at, at[0] + window, side="right"))
        level = float(rising[:start].max())
        half = at[0] + 0.5 * window
        gained = level - max(*rising[at <= half], float(np.interp(half, at, rising)))
        if gained > margin:
            return NoOnset(
                f"no baseline: it moves by {amount(gained)} in the second half of the first "
                f"window, to {shown(at[0] + window)}, more than the margin of {amount(margin)}; "
                "give a baseline, or a longer window"
            )
    beyond = rising - level
    held = first_held(beyond[start:] >= margin, hold)
    if held is None:
        return NoOnset(_never_crossed(at, beyond, start, margin, hold))
    position = start + held
    if position == 0:
        return NoOnset(f"there from the first evaluation on: its onset is before {shown(at[0])}")
    interval = (float(at[position - 1]), float(at[position]))
    return Onset(float(at[position]), interval, float(beyond[position]), margin)


def first_held(reached: NDArray[np.bool_], hold: int) -> int | None:
    """First position from which `hold` in a row are true; None if there is none."""
    for position in range(reached.size - hold + 1):
        if reached[position : position + hold].all():
            return position
    return None


def _never_crossed(at: Positions, beyond: Values, start: int, margin: float, hold: int) -> str:
    best = start + int(np.argmax(beyond[start:]))
    level = f"its best up to {shown(at[start - 1])}" if start else "its baseline"
    if beyond[best] >= margin:
        return f"{amount(margin)} beyond {level}, but never {hold} evaluations in a row"
    gap = (
        f"{amount(beyond[best])} beyond"
        if beyond[best] >= 0
        else f"{amount(-beyond[best])} short of"
    )
    return f"never {amount(margin)} beyond {level}: at most {gap} it, at {shown(at[best])}"
