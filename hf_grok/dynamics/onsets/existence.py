"""What an onset is, what must hold for one to exist, and how both are said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hf_grok.dynamics.curves import Values
from hf_grok.dynamics.onsets.acceleration import Positions
from hf_grok.errors import UserError
from hf_grok.metrics import Direction


@dataclass(frozen=True)
class Onset:
    """Where a curve begins to rise (to fall, if that was asked for).

    Args:
        step: the onset.
        interval: the steps between which it may lie; at least from the evaluation before `step`
            to the one after it (acceleration), or to `step` itself (crossing).
        rise: how much it moves, positive in the direction asked for. Acceleration: the least of
            break, rise and lasting rise over the window. Crossing: the distance from the baseline.
        needed: what `rise` had to be.
    """

    step: float
    interval: tuple[float, float]
    rise: float
    needed: float
    exists: ClassVar[bool] = True


@dataclass(frozen=True)
class NoOnset:
    """No onset; why, in words."""

    reason: str
    exists: ClassVar[bool] = False


@dataclass(frozen=True)
class ExistenceTest:
    """What a break must be to count: an argmax always returns something. The numbers are ours.

    At the default window, of 1,000 curves of 30, 80 and 200 evaluations each, white noise passes
    in none, and a random walk in 3.1, 0.5 and 0.3 %.

    Args:
        least: least rise, in the curve's unit.
        share: least rise as a fraction of a range (highest minus lowest value): for a break, of the
            evaluations after the first window, since what comes with the first steps sets no
            scale for what comes later; for the margin of a crossing, of the whole curve.
        noise: least rise in standard deviations of one evaluation (`evaluation_noise`).
        rival: the strongest break a window or more away may be at most this share of it; above,
            the curve swings and which break is the onset would be chance.
    """

    least: float = 0.0
    share: float = 0.1
    noise: float = 5.0
    rival: float = 0.5

    def __post_init__(self) -> None:
        if not all(number >= 0 for number in (self.least, self.share, self.noise, self.rival)):
            raise UserError(f"{self}: expected numbers, none below 0")

    def needed(self, values: Values, deviations: float, noise: float) -> tuple[float, str]:
        """The least rise that counts in the range of `values`, and what sets it, in words."""
        return max(
            (self.least, "the least that counts"),
            (self.share * float(np.ptp(values)), f"{100 * self.share:g} % of the range"),
            (deviations * noise, f"{deviations:g} times the noise of one evaluation"),
        )


STANDARD_TEST = ExistenceTest()


def widened(steps: Positions, low: float, high: float) -> tuple[float, float]:
    """From the last evaluation before `low` to the first one after `high`."""
    before, after = steps[steps < low], steps[steps > high]
    return (
        float(before[-1] if before.size else steps[0]),
        float(after[0] if after.size else steps[-1]),
    )


def shown(step: float) -> str:
    """12,250 and 300 as they are; four digits of what is no whole number."""
    return f"{step:,.0f}" if float(step).is_integer() or abs(step) >= 1e4 else f"{step:.4g}"


def amount(value: float) -> str:
    """0.062, 1.2 and 3,500: two digits, or all in front of the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2g}"


def differing(one: float, other: float) -> tuple[str, str]:
    """Both amounts, with as many digits as tell them apart."""
    for digits in range(2, 17):
        told = tuple(_digits(value, digits) for value in (one, other))
        if told[0] != told[1] or one == other:
            return told[0], told[1]
    return repr(one), repr(other)


def _digits(value: float, digits: int) -> str:
    return amount(value) if digits == 2 else f"{value:,.{digits}g}"


def moves(direction: Direction) -> str:
    """The verb of a reason."""
    return "rises" if direction == "rise" else "falls"
