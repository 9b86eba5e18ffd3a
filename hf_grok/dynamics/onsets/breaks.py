"""Onset by acceleration: the sharpest break of a curve, if it is a rise that counts."""

from __future__ import annotations

import numpy as np

from hf_grok.dynamics.curves import Values
from hf_grok.dynamics.onsets.acceleration import Break, Positions, sharpest_break
from hf_grok.dynamics.onsets.existence import (
    ExistenceTest,
    NoOnset,
    Onset,
    amount,
    differing,
    moves,
    shown,
    widened,
)
from hf_grok.metrics import Direction


def onset_by_acceleration(
    at: Positions, rising: Values, window: float, direction: Direction, test: ExistenceTest
) -> Onset | NoOnset:
    """The sharpest break, or why it is no onset.

    Args:
        at: evaluated steps [evaluations].
        rising: f, negated if it should fall [evaluations].
        window: D.
        direction: for the words of a reason.
        test: what counts as a rise.
    """
    found = sharpest_break(at, rising, window, test.rival)
    later = rising[at >= at[0] + window]
    needed, what = test.needed(later, test.noise, found.noise)
    if found.strength <= 0 or found.strength < needed:
        told = _too_weak(at, rising, window, direction, found, needed, what)
        return NoOnset(told + _longer(at, rising, window, direction, test))
    if found.rival is not None and found.rival_strength > test.rival * found.strength:
        there, here = amount(found.rival_strength), amount(found.strength)
        return NoOnset(
            f"it {moves(direction)} by {there} from {shown(found.rival)} on and by {here} from "
            f"{shown(found.step)} on: it swings, or has several onsets"
            + _longer(at, rising, window, direction, test)
        )
    interval = widened(at, found.lowest, found.highest)
    return Onset(found.step, interval, found.strength, needed)


def _too_weak(
    at: Positions,
    rising: Values,
    window: float,
    direction: Direction,
    found: Break,
    needed: float,
    what: str,
) -> str:
    where = f"from its sharpest break, at {shown(found.step)},"
    here, wanted = differing(max(found.strength, 0.0), needed)
    more = " more than before" if found.by_acceleration else ""
    said = f"it {moves(direction)} by {here}{more}, less than {wanted} ({what})"
    extent = float(np.ptp(rising))
    first = float(np.interp(at[0] + window, at, rising) - rising[0])
    if first > max(needed, 0.5 * extent):
        return (
            f"{100 * first / extent:.0f} % of its range lies in the first window, to "
            f"{shown(at[0] + window)}, where only a shorter window could see an onset; later, "
            f"{where} {said}"
        )
    if found.ends_a_fall:
        opposite = "falling" if direction == "rise" else "rising"
        return f"its sharpest break, at {shown(found.step)}, is where it stops {opposite}"
    return f"{where} {said}"


def _longer(
    at: Positions, rising: Values, window: float, direction: Direction, test: ExistenceTest
) -> str:
    """That a longer window has an onset, where one does: the curve moves more slowly than D."""
    longer = 2.0 * window
    while longer <= 0.5 * (at[-1] - at[0]):
        found = sharpest_break(at, rising, longer, test.rival)
        needed, _ = test.needed(rising[at >= at[0] + longer], test.noise, found.noise)
        swings = found.rival is not None and found.rival_strength > test.rival * found.strength
        if 0 < needed <= found.strength and not swings:
            return (
                f"; over {shown(longer)} it {moves(direction)} by {amount(found.strength)} from "
                f"{shown(found.step)} on: more slowly than this window sees"
            )
        longer *= 2.0
    return ""
