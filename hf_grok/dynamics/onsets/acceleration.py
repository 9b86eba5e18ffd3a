"""Where a curve speeds up most, and how much it moves from one evaluation to the next anyway.

Curves are pairs of arrays as in `hf_grok.dynamics.curves`, except that the steps may be any
strictly increasing positions (tokens, for one), and that what is said here is about *rises*:
a curve that should fall is negated first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hf_grok.dynamics.curves import Values

Positions = NDArray[np.float64]

# A median absolute deviation times this estimates the standard deviation of normal noise.
MEDIAN_TO_DEVIATION = 1.4826
# Residuals before a step that are enough to say how noisy the curve was until then.
ENOUGH_RESIDUALS = 8
# acceleration = f(t+D) - 2 f(t) + f(t-D): three independent errors of variance 1 add up to this.
ACCELERATION_DEVIATION = 6.0**0.5
# How many of these deviations below the maximum are still taken for a tie with it.
TIE_DEVIATIONS = 3.0
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Break:
    """The step from which a curve rises most beyond how it rose before.

    Args:
        step: argmax of the acceleration; the latest of equals.
        strength: the least of acceleration, rise and lasting rise at that step.
        by_acceleration: it is the acceleration that is the least.
        ends_a_fall: most of the acceleration is a fall that stops there, not a rise that begins.
        noise: standard deviation of one evaluation before that step.
        lowest: first step within a window of `step` that noise cannot tell from it; of a curve that
            speeds up for longer than that, the first one that a rival's share of it reaches.
        highest: last such step.
        rival: the strongest step at least a window away that is no part of the same speeding up,
            which lasts for as long as the acceleration stays above 0; None if there is none.
        rival_strength: the least of acceleration and rise there; minus infinity if there is none.
    """

    step: float
    strength: float
    by_acceleration: bool
    ends_a_fall: bool
    noise: float
    lowest: float
    highest: float
    rival: float | None
    rival_strength: float


def candidate_steps(steps: Positions, window: float) -> Positions:
    """Every t in [first + D, last - D] at which the acceleration can have its maximum.

    f is linear between evaluations, so the acceleration is linear between the steps at which
    t - D, t or t + D is an evaluated one: its maximum is at one of these, or at an end.
    """
    first, last = steps[0] + window, steps[-1] - window
    knots = np.concatenate([steps - window, steps, steps + window])
    return np.unique([*knots[(knots >= first) & (knots <= last)], first, last])


def acceleration(
    steps: Positions, values: Values, window: float, at: Positions
) -> tuple[Values, Values]:
    """[f(t+D) - f(t)] - [f(t) - f(t-D)], and f(t+D) - f(t), for every t in `at`."""
    before, here, after = (np.interp(at + shift, steps, values) for shift in (-window, 0.0, window))
    return (after - here) - (here - before), after - here


def sharpest_break(steps: Positions, values: Values, window: float, share: float = 0.5) -> Break:
    """t* = argmax over t of [f(t+D) - f(t)] - [f(t) - f(t-D)], f linear between evaluations.

    The latest of equal maxima: a rise shorter than D has a whole range of them, which ends where
    the rise begins.

    Args:
        steps: evaluated steps [evaluations], strictly increasing.
        values: what rises [evaluations].
        window: D, at most half of the run.
        share: of the break, above which a step of the same speeding up may be the onset as well.
    """
    at = candidate_steps(steps, window)
    gained, risen = acceleration(steps, values, window, at)
    rounding = _ROUNDING * float(np.ptp(values))
    best = int(np.flatnonzero(gained >= gained.max() - rounding)[-1])
    step = float(at[best])
    noise = evaluation_noise(steps, values, before=step)
    margin = TIE_DEVIATIONS * ACCELERATION_DEVIATION * noise
    ties = at[(np.abs(at - step) <= window) & (gained >= gained[best] - margin - rounding)]
    strength = np.minimum(gained, risen)
    near = np.abs(at - step) < window
    same = near | _around(best, gained > rounding)
    reach = np.append(ties, at[same & ~near & (strength > share * strength[best])])
    rival, rival_strength = _strongest(at[~same], strength[~same])
    lasting = lasting_rise(steps, values, window, step)
    return Break(
        step=step,
        strength=float(min(gained[best], risen[best], lasting)),
        by_acceleration=bool(gained[best] <= min(risen[best], lasting)),
        ends_a_fall=bool(risen[best] < 0.5 * gained[best]),
        noise=noise,
        lowest=float(reach.min()),
        highest=float(reach.max()),
        rival=rival,
        rival_strength=rival_strength,
    )


def _around(place: int, holds: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The places from which `place` is reached without leaving where `holds` is true."""
    ends = np.flatnonzero(~holds)
    following = np.searchsorted(ends, place)
    first = ends[following - 1] + 1 if following else 0
    last = ends[following] if following < ends.size else holds.size
    inside = np.zeros(holds.size, dtype=np.bool_)
    inside[first:last] = holds[place]
    return inside


def _strongest(at: Positions, strength: Values) -> tuple[float | None, float]:
    if not at.size:
        return None, float("-inf")
    rival = int(np.argmax(strength))
    return float(at[rival]), float(strength[rival])


def lasting_rise(steps: Positions, values: Values, window: float, step: float) -> float:
    """median f over [t + D/2, t + 3D/2] - median f over [t - D, t], of evaluations.

    One evaluation that sticks out moves neither. Where a span holds no evaluation, f(t+D) or f(t)
    stands for it.
    """
    later, earlier = step + window, step
    after = values[np.abs(steps - later) <= 0.5 * window]
    before = values[(steps >= step - window) & (steps <= step)]
    high = np.median(after) if after.size else np.interp(later, steps, values)
    low = np.median(before) if before.size else np.interp(earlier, steps, values)
    return float(high - low)


def evaluation_noise(steps: Positions, values: Values, before: float | None = None) -> float:
    """sigma = 1.4826 x weighted median |r|: how far an evaluation lies from its neighbours' line.

    r_i = (f_i - line through f_(i-1) and f_(i+1)) / sqrt(1 + w^2 + (1-w)^2), with w how far i
    lies between the two: variance sigma^2 whatever the spacing. Each residual weighs as the steps
    that it spans, so that log-spaced evaluations at the start, between which nothing happens, do
    not make a curve look smooth. A jump is one residual of many and does not count as noise.

    Args:
        steps: evaluated steps [evaluations].
        values: what was measured there [evaluations].
        before: only evaluations up to this step, if they amount to eight residuals of equal
            weight (else, and by default: all).

    Returns:
        0 for fewer than three evaluations.

    Source: the residuals are those of Gasser, Sroka and Jennen-Steinmetz 1986 (Biometrika 73);
        median and weights: ours.
    """
    if steps.size < 3:
        return 0.0
    residuals, spans = _residuals(steps, values)
    if before is not None:
        until = steps[2:] <= before
        if _effective_number(spans[until]) >= ENOUGH_RESIDUALS:
            residuals, spans = residuals[until], spans[until]
    return MEDIAN_TO_DEVIATION * _weighted_median(residuals, spans)


def _residuals(steps: Positions, values: Values) -> tuple[Values, Values]:
    left, middle, right = steps[:-2], steps[1:-1], steps[2:]
    share = (middle - left) / (right - left)
    line = (1.0 - share) * values[:-2] + share * values[2:]
    scale = np.sqrt(1.0 + share**2 + (1.0 - share) ** 2)
    return np.abs(values[1:-1] - line) / scale, right - left


def _effective_number(weights: Values) -> float:
    """(sum w)^2 / sum w^2: n for n equal weights."""
    return float(weights.sum() ** 2 / (weights**2).sum()) if weights.size else 0.0


def _weighted_median(values: Values, weights: Values) -> float:
    order = np.argsort(values)
    gathered = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(gathered, 0.5 * gathered[-1])])
