"""Kaplan-Meier estimates of the fraction of seeds that have arrived by a step, and their means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hf_grok.dynamics.when.arrivals import Arrival
from hf_grok.dynamics.when.beta_product import beta_product_interval
from hf_grok.dynamics.when.bounded_mean import bounded_mean_interval
from hf_grok.errors import UserError

LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class ArrivalCurve:
    """F(t) = 1 - prod over s <= t of (1 - arrived at s / at risk at s), by step.

    Attributes:
        steps: 0, and those at which seeds arrived or were last seen, increasing [steps].
        arrived: F there, in 0..1 [steps].
        low: lower end of the pointwise interval (beta product) [steps].
        high: its upper end, until the next of the steps; the last one at that step itself, after
            which nothing is known [steps].
        last: last evaluation of any seed; the curve goes on until there.
        seeds: how many there are.
        never: how many had not arrived by their last evaluation.
    """

    steps: NDArray[np.float64]
    arrived: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    last: float
    seeds: int
    never: int

    def at(self, step: float) -> float:
        """F(step): 0 before the first seed arrives."""
        position = int(np.searchsorted(self.steps, step, side="right")) - 1
        return 0.0 if position < 0 else float(self.arrived[position])


@dataclass(frozen=True)
class MeanStep:
    """The mean of min(arrival, horizon), in steps: seeds that never arrive count the horizon.

    Attributes:
        mean: in 0..horizon.
        low: lower end of its interval.
        high: upper end.
        horizon: in steps.
    """

    mean: float
    low: float
    high: float
    horizon: float


def arrival_curve(seeds: Sequence[Arrival], level: float = LEVEL) -> ArrivalCurve:
    """The Kaplan-Meier estimate of the fraction that has arrived, with a pointwise interval.

    Args:
        seeds: of one arm.
        level: of confidence.

    Raises:
        UserError: no seed; a level outside (0, 1); scipy is not installed.

    Source: Kaplan and Meier 1958; `beta_product_interval` for the interval.
    """
    _require(seeds)
    if not 0 < level < 1:
        raise UserError(f"confidence level {level}: expected a number between 0 and 1, such as .95")
    ends = np.array([seed.last if seed.step is None else seed.step for seed in seeds])
    came = np.array([seed.step is not None for seed in seeds])
    steps = np.unique([0.0, *ends])
    at_risk = (ends >= steps[:, None]).sum(1).astype(float)
    arriving = (came & (ends == steps[:, None])).sum(1).astype(float)
    left = (ends > steps[:, None]).sum(1).astype(float)
    left[-1] = (~came & (ends == steps[-1])).sum()  # at the step they are there, after it nobody is
    lower, upper = beta_product_interval(at_risk, arriving, left, level)
    return ArrivalCurve(
        steps=steps,
        arrived=1 - np.cumprod(1 - arriving / at_risk),
        low=1 - upper,
        high=1 - lower,
        last=max(seed.last for seed in seeds),
        seeds=len(seeds),
        never=int((~came).sum()),
    )


def restricted_mean_step(
    seeds: Sequence[Arrival], horizon: float | None = None, level: float = LEVEL
) -> MeanStep:
    """Area under 1 - F from 0 to the horizon, with its interval.

    Args:
        seeds: of one arm.
        horizon: in steps; by default the earliest last evaluation of a seed.
        level: of confidence.

    Raises:
        UserError: no seed; a horizon beyond a censored seed's last evaluation, where nothing is
            known of it; scipy is not installed.

    Source: Royston and Parmar 2013 for the measure; `bounded_mean_interval` for the interval.
    """
    _require(seeds)
    known = [seed.last for seed in seeds if seed.step is None]
    end = min(seed.last for seed in seeds) if horizon is None else horizon
    if end <= 0 or any(last < end for last in known):
        raise UserError(
            f"a horizon of {end:g} steps: expected more than 0 and at most "
            f"{min(known, default=end):g}, where the first seed that never arrived was last seen"
        )
    # Nobody is censored before the horizon: the area is the mean of what each seed took.
    taken = np.array([end if seed.step is None else min(seed.step, end) for seed in seeds])
    low, high = bounded_mean_interval(taken, 0.0, end, level)
    return MeanStep(float(taken.mean()), low, high, end)


def _require(seeds: Sequence[Arrival]) -> None:
    if not seeds:
        raise UserError("an arm without seeds: expected at least one run")
