"""Numbers read off one curve: a pair of arrays, `steps` and the `values` measured there.

Every function takes `steps` [evaluations], strictly increasing and at least 0, and `values`
[evaluations], finite. Nothing is known between two evaluations, so nothing is interpolated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_grok.errors import UserError
from hf_grok.text.printable import quoted

Steps = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Point:
    """One evaluation: the value of a curve at a step."""

    step: int
    value: float


@dataclass(frozen=True)
class Crossing:
    """The first evaluation at or above a threshold.

    The curve may have crossed anywhere in `(previous, step]`.

    Args:
        threshold: the value to reach.
        step: the first evaluated step whose value is at least `threshold`.
        previous: the evaluated step before it; None if the first evaluation is already there.
    """

    threshold: float
    step: int
    previous: int | None


def as_curve(steps: ArrayLike, values: ArrayLike) -> tuple[Values, Values]:
    """Anything like two lists as `steps` and `values` of one length; a value may be NaN.

    Raises:
        UserError: what is no list of numbers, lists of two lengths, steps that are not finite or
            do not increase strictly.
    """
    at, measured = _floats("steps", steps), _floats("values", values)
    if at.ndim != 1 or at.shape != measured.shape:
        raise UserError(
            f"steps of shape {at.shape} and values of shape {measured.shape}: expected one value "
            "for each step"
        )
    if not np.isfinite(at).all():
        raise UserError("steps must be finite numbers")
    if (np.diff(at) <= 0).any():
        worst = int(np.argmax(np.diff(at) <= 0))
        before, after = (f"{step:,.10g}" for step in at[worst : worst + 2])
        raise UserError(
            f"steps must increase strictly, but {after} follows {before}: sort the evaluations, "
            "and keep one of each step"
        )
    return at, measured


def _floats(what: str, given: ArrayLike) -> Values:
    try:
        return np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as reason:
        raise UserError(f"{what} {quoted(given)}: expected numbers ({reason})") from None


def first_crossing(steps: Steps, values: Values, threshold: float) -> Crossing | None:
    """step = min { t : value(t) >= threshold }, or None if there is no such t."""
    reached = np.flatnonzero(values >= threshold)
    if not reached.size:
        return None
    position = int(reached[0])
    previous = int(steps[position - 1]) if position else None
    return Crossing(threshold, int(steps[position]), previous)


def highest(steps: Steps, values: Values) -> Point:
    """The largest value and the first step that has it."""
    position = int(np.argmax(values))
    return Point(int(steps[position]), float(values[position]))


def lowest(steps: Steps, values: Values) -> Point:
    """The smallest value and the first step that has it."""
    position = int(np.argmin(values))
    return Point(int(steps[position]), float(values[position]))


def last_part(steps: Steps, share: float = 0.25) -> NDArray[np.bool_]:
    """Mask of t >= (1 - share) * (last t): the evaluations in the last part of the run."""
    return np.asarray(steps >= (1.0 - share) * steps[-1], dtype=np.bool_)


def total_variation(values: Values) -> float:
    """sum over t of |f(t+1) - f(t)| over consecutive evaluations: 1 for a single rise from 0 to 1.

    Grows with the number of evaluations of a noisy curve: compare runs of one schedule.
    """
    return float(np.abs(np.diff(values)).sum())


def share_at_or_above(values: Values, threshold: float) -> float | None:
    """|{t : f(t) >= threshold}| / |{t}|, in 0..1; None where there is no evaluation."""
    return float(np.mean(values >= threshold)) if values.size else None
