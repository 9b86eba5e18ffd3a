"""Kaplan-Meier estimates of the fraction of seeds that have arrived by a step, and comparisons."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_grok.dynamics.when.arrivals import Arrival
from hf_grok.dynamics.when.on_scipy import scipy_stats
from hf_grok.errors import UserError

LEVEL = 0.95
_RESAMPLES = 2000


@dataclass(frozen=True, eq=False)
class ArrivalCurve:
    """F(t) = 1 - prod over s <= t of (1 - arrived at s / at risk at s), by step.

    Attributes:
        steps: at which seeds arrived or were last seen, increasing [steps].
        arrived: F there, in 0..1 [steps].
        low: lower end of the pointwise interval (log-log transformed Greenwood) [steps]; NaN where
            it has none: before the first arrival, and where every seed has arrived.
        high: its upper end [steps].
        seeds: how many there are.
        never: how many had not arrived by their last evaluation.
    """

    steps: NDArray[np.float64]
    arrived: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    seeds: int
    never: int

    def at(self, step: float) -> float:
        """F(step): 0 before the first seed arrives."""
        position = int(np.searchsorted(self.steps, step, side="right")) - 1
        return 0.0 if position < 0 else float(self.arrived[position])


@dataclass(frozen=True)
class MeanStep:
    """The mean of min(arrival, horizon), in steps: seeds that never arrive count the horizon."""

    mean: float
    low: float
    high: float
    horizon: float


@dataclass(frozen=True)
class LogRank:
    """Whether two arms arrive at different times, over all steps at once.

    Attributes:
        p: two-sided, by permuting which seed is of which arm.
        statistic: the normal deviate; positive where the first arm arrives sooner.
    """

    p: float
    statistic: float


def arrival_curve(seeds: Sequence[Arrival], level: float = LEVEL) -> ArrivalCurve:
    """The Kaplan-Meier estimate of the fraction that has arrived, with a pointwise interval.

    Args:
        seeds: of one arm.
        level: of confidence.

    Raises:
        UserError: no seed; a level outside (0, 1); scipy is not installed.

    Source: Kaplan and Meier 1958; scipy.stats.ecdf.
    """
    _require(seeds)
    if not 0 < level < 1:
        raise UserError(f"confidence level {level}: expected a number between 0 and 1, such as .95")
    never = sum(seed.step is None for seed in seeds)
    steps = np.unique([seed.last if seed.step is None else seed.step for seed in seeds])
    if never == len(seeds):  # no arrival: the estimate is 0, and has no variance to speak of
        nothing = np.full(steps.shape, np.nan)
        return ArrivalCurve(steps, np.zeros(steps.shape), nothing, nothing, len(seeds), never)
    curve = scipy_stats().ecdf(_censored(seeds))
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # NaN where there is none, as said above
        interval = curve.cdf.confidence_interval(level, method="log-log")
    return ArrivalCurve(
        steps=np.asarray(curve.cdf.quantiles, float),
        arrived=np.asarray(curve.cdf.probabilities, float),
        low=np.asarray(interval.low.probabilities, float),
        high=np.asarray(interval.high.probabilities, float),
        seeds=len(seeds),
        never=never,
    )


def restricted_mean_step(
    seeds: Sequence[Arrival], horizon: float | None = None, level: float = LEVEL
) -> MeanStep:
    """Area under 1 - F from 0 to the horizon, with a percentile bootstrap over seeds.

    Args:
        seeds: of one arm.
        horizon: in steps; by default the earliest last evaluation of a seed.
        level: of confidence.

    Raises:
        UserError: no seed; a horizon beyond a censored seed's last evaluation, where nothing is
            known of it.
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
    if len(seeds) < 2 or np.ptp(taken) == 0:
        return MeanStep(float(taken.mean()), float("nan"), float("nan"), end)
    found = scipy_stats().bootstrap(
        (taken,),
        np.mean,
        confidence_level=level,
        n_resamples=_RESAMPLES,
        rng=np.random.default_rng(0),
    )
    low, high = found.confidence_interval
    return MeanStep(float(taken.mean()), float(low), float(high), end)


def log_rank(first: Sequence[Arrival], second: Sequence[Arrival]) -> LogRank:
    """The log-rank test with its permutation distribution, exact where there are few seeds.

    The normal approximation refuses too often with ten seeds an arm; the permutation does not.

    Raises:
        UserError: an arm without seeds; no seed that arrived in either.

    Source: Mantel 1966; scipy.stats.logrank and permutation_test.
    """
    _require(first)
    _require(second)
    every = [*first, *second]
    if all(seed.step is None for seed in every):
        raise UserError("no seed of either arm arrived: their times cannot be told apart")
    stats = scipy_stats()

    def statistic(left: Any, right: Any) -> float:
        def of(positions: Any) -> Any:
            return _censored([every[int(position)] for position in positions])

        with np.errstate(divide="ignore", invalid="ignore"):
            found = stats.logrank(of(left), of(right)).statistic
        return float(np.nan_to_num(found))

    positions = np.arange(len(every))
    test = stats.permutation_test(
        (positions[: len(first)], positions[len(first) :]),
        statistic,
        permutation_type="independent",
        n_resamples=_RESAMPLES,
        vectorized=False,
        rng=np.random.default_rng(0),
    )
    return LogRank(p=float(test.pvalue), statistic=float(test.statistic))


def _require(seeds: Sequence[Arrival]) -> None:
    if not seeds:
        raise UserError("an arm without seeds: expected at least one run")


def _censored(seeds: Sequence[Arrival]) -> Any:
    return scipy_stats().CensoredData(
        uncensored=[seed.step for seed in seeds if seed.step is not None],
        right=[seed.last for seed in seeds if seed.step is None],
    )
