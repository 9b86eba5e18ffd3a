"""Onsets: the step at which a curve begins to rise, or to fall; or why there is none."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from hf_grok.dynamics.curves import Values, as_curve
from hf_grok.dynamics.onsets.acceleration import Positions, evaluation_noise
from hf_grok.dynamics.onsets.breaks import onset_by_acceleration
from hf_grok.dynamics.onsets.existence import (
    STANDARD_TEST,
    ExistenceTest,
    NoOnset,
    Onset,
    shown,
)
from hf_grok.dynamics.onsets.held_crossing import onset_by_crossing
from hf_grok.errors import UserError, unknown_name
from hf_grok.metrics import Direction

Rule = Literal["acceleration", "crossing"]
DIRECTIONS: tuple[Direction, ...] = ("rise", "fall")
RULES: tuple[Rule, ...] = ("acceleration", "crossing")

# Ours. A default window is a twentieth of the run, and at least three spacings of evaluations.
WINDOW_SHARE = 1 / 20
WINDOW_SPACINGS = 3
# Ours. By default a crossing is at least this many deviations of an evaluation above its baseline.
MARGIN_DEVIATIONS = 3.0


def find_onset(
    steps: ArrayLike,
    values: ArrayLike,
    *,
    window: float,
    direction: Direction = "rise",
    rule: Rule = "acceleration",
    baseline: ArrayLike | None = None,
    margin: float | None = None,
    hold: int = 2,
    test: ExistenceTest = STANDARD_TEST,
) -> Onset | NoOnset:
    """argmax over t of [f(t+D) - f(t)] - [f(t) - f(t-D)], if that is a rise that counts.

    f is `values`, linear between evaluations, or their negative where they should fall. The
    maximum is exact (no grid), and the latest of equals. It is an onset if the least of three is
    at least what `test` needs: the break itself; the rise f(t+D) - f(t); the lasting rise, which
    is the median of the evaluations within D/2 of t+D minus that of those in [t-D, t]. And no
    break elsewhere may be nearly as strong.

    `rule="crossing"` is instead the first evaluation at which the curve is `margin` beyond
    `baseline` and stays so for `hold` evaluations.

    Args:
        steps: evaluated steps [evaluations], strictly increasing; or tokens, or any such axis.
        values: what was measured there [evaluations], finite.
        window: D, in the unit of `steps`; at most half of the run.
        direction: "rise", or "fall" for a loss.
        rule: "acceleration" or "crossing".
        baseline: of a crossing: one number, or one for each evaluation. By default the best value
            within the first window, if the curve has slowed down by then: what comes with the
            first steps (a loss that falls to the unigram level) is no structure.
        margin: of a crossing. By default the least rise that counts by `test`, with 3 deviations
            of an evaluation.
        hold: evaluations in a row that a crossing must last, at least 1.
        test: what counts as a rise.

    Returns:
        An `Onset`, or a `NoOnset` with the reason.

    Raises:
        UserError: for a window of more than half of the run (says the largest), and for what is
            no curve.

    Source: the break and its interpolation: Chen et al. 2024 (arXiv 2309.07311); the test, the
        interval and the crossing: ours.
    """
    at, measured = _curve(steps, values)
    check_window(at, window)
    if direction not in DIRECTIONS:
        raise unknown_name("direction", direction, DIRECTIONS)
    if rule not in RULES:
        raise unknown_name("rule", rule, RULES)
    if hold < 1 or not (margin is None or margin >= 0):
        raise UserError(f"hold {hold}, margin {margin}: expected at least 1, and at least 0")
    if np.ptp(measured) == 0.0 and (rule == "acceleration" or baseline is None):
        return NoOnset(f"flat: {measured[0]:.4g} at all {measured.size} evaluations")
    sign = 1.0 if direction == "rise" else -1.0
    if rule == "acceleration":
        return onset_by_acceleration(at, sign * measured, window, direction, test)
    level = None if baseline is None else sign * _level(at, baseline)
    if margin is None:
        noise = evaluation_noise(at, measured)
        margin, _ = test.needed(measured, MARGIN_DEVIATIONS, noise)
    return onset_by_crossing(at, sign * measured, level, window, margin, hold)


def default_window(steps: ArrayLike) -> float:
    """D = a twentieth of the run, at least three times the widest spacing; whole for whole steps.

    Raises:
        UserError: if that is more than half of the run: there are too few evaluations.
    """
    at = np.asarray(steps, dtype=np.float64)
    length = float(at[-1] - at[0]) if at.size else 0.0
    widest = float(np.diff(at).max()) if at.size > 1 else 0.0
    window = max(WINDOW_SHARE * length, WINDOW_SPACINGS * widest)
    if not 0.0 < window <= 0.5 * length:
        raise UserError(
            f"{at.size} evaluations, up to {shown(widest)} apart, are too few for an onset: "
            f"expected six spacings or more; a window can be chosen up to {shown(0.5 * length)}"
        )
    whole = bool((at == np.rint(at)).all())
    return float(np.ceil(window)) if whole else window


def check_window(steps: Positions, window: float) -> None:
    """Refuse a window that leaves no step with a window before and after it.

    Raises:
        UserError: if it is not positive, or more than half of the run.
    """
    largest = 0.5 * float(steps[-1] - steps[0])
    if not 0.0 < window <= largest:
        raise UserError(
            f"a window of {shown(window)} does not fit: an onset needs one before and one after "
            f"it, and the evaluations go from {shown(steps[0])} to {shown(steps[-1])}; the "
            f"largest window is {shown(largest)}"
        )


def _curve(steps: ArrayLike, values: ArrayLike) -> tuple[Positions, Values]:
    at, measured = as_curve(steps, values)
    if at.size < 3:
        raise UserError(f"an onset needs three evaluations at least, got {at.size}")
    if not np.isfinite(measured).all():
        raise UserError("values must be finite: leave out what was not measured")
    return at, measured


def _level(at: Positions, baseline: ArrayLike) -> Values:
    level = np.asarray(baseline, dtype=np.float64)
    if level.shape not in ((), at.shape) or not np.isfinite(level).all():
        raise UserError(
            f"a baseline of shape {level.shape}: expected one finite number, or one for each of "
            f"the {at.size} evaluations"
        )
    return np.broadcast_to(level, at.shape)
