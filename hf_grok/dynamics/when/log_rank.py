"""Whether the seeds of two arms arrive at different times: the log-rank test, by permutation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_grok.dynamics.when.arrivals import Arrival
from hf_grok.dynamics.when.on_scipy import scipy_stats
from hf_grok.errors import UserError

FEWEST_SEEDS = 2
_RESAMPLES = 2000


@dataclass(frozen=True)
class LogRank:
    """Whether two arms arrive at different times, over all steps at once.

    Attributes:
        p: two-sided, by permuting which seed is of which arm.
        statistic: the normal deviate; positive where the first arm arrives sooner.
    """

    p: float
    statistic: float


def log_rank(first: Sequence[Arrival], second: Sequence[Arrival]) -> LogRank:
    """The log-rank test with its permutation distribution, exact where there are few seeds.

    The normal approximation refuses too often with ten seeds an arm; the permutation does not. It
    takes for granted that runs of both arms are cut short alike.

    Raises:
        UserError: an arm of fewer than two seeds, of which nothing can be permuted; no seed that
            arrived in either; scipy is not installed.

    Source: Mantel 1966; scipy.stats.permutation_test, and logrank, whose statistic this is.
    """
    if min(len(first), len(second)) < FEWEST_SEEDS:
        raise UserError(
            f"arms of {len(first)} and {len(second)} seeds: expected {FEWEST_SEEDS} or more in "
            "both, since the test is by which seed is of which arm"
        )
    every = [*first, *second]
    if all(seed.step is None for seed in every):
        raise UserError("no seed of either arm arrived: their times cannot be told apart")
    ends = np.array([seed.last if seed.step is None else seed.step for seed in every])
    came = np.array([seed.step is not None for seed in every])
    times = np.unique(ends[came])
    at_risk, arriving = ends[:, None] >= times, came[:, None] & (ends[:, None] == times)

    def statistic(left: Any, right: Any, axis: int = -1) -> NDArray[np.float64]:
        return deviate(at_risk[left], arriving[left], at_risk[right], arriving[right])

    positions = np.arange(len(every))
    test = scipy_stats().permutation_test(
        (positions[: len(first)], positions[len(first) :]),
        statistic,
        permutation_type="independent",
        n_resamples=_RESAMPLES,
        vectorized=True,
        rng=np.random.default_rng(0),
    )
    return LogRank(p=float(test.pvalue), statistic=float(test.statistic))


def deviate(
    at_risk: NDArray[np.bool_],
    arriving: NDArray[np.bool_],
    other_at_risk: NDArray[np.bool_],
    other_arriving: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """(arrived - expected) / sqrt(variance) of the first arm, over all times of arrival.

    At each time the arrivals of both are drawn, without replacement, from those at risk.

    Args:
        at_risk: of the first arm [..., seeds, times].
        arriving: which of them arrive at the time, likewise.
        other_at_risk: of the second arm [..., other seeds, times].
        other_arriving: likewise.

    Returns:
        [...]; 0 where the variance is.
    """
    own, drawn = at_risk.sum(-2), arriving.sum(-2)
    both, total = own + other_at_risk.sum(-2), drawn + other_arriving.sum(-2)
    variance = total * own * (both - own) * (both - total) / (both**2 * np.maximum(both - 1, 1))
    difference, spread = (drawn - total * own / both).sum(-1), np.sqrt(variance.sum(-1))
    return np.divide(difference, spread, out=np.zeros(np.shape(spread)), where=spread > 0)
