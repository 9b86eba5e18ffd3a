"""The onset of several seeds: of their mean curve, and how much it depends on which seeds ran."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_grok.dynamics.curves import Values
from hf_grok.dynamics.onsets.acceleration import Positions
from hf_grok.dynamics.onsets.existence import NoOnset, Onset, shown, widened
from hf_grok.errors import UserError

# The interval is from the 2.5th to the 97.5th percentile of the resampled onsets.
PERCENTILES = (2.5, 97.5)
RESAMPLES = 1_000


@dataclass(frozen=True)
class SeedOnset:
    """The onset of the mean of several curves.

    Args:
        onset: of the mean curve.
        curves: how many seeds.
        resamples: how often as many seeds were drawn from them, with replacement.
        share: of the resamples, how many have an onset, in 0..1.
        interval: 2.5th to 97.5th percentile of the onsets of those that have one, from the last
            evaluation before to the first one after; None if no resample has an onset.
    """

    onset: Onset | NoOnset
    curves: int
    resamples: int
    share: float
    interval: tuple[float, float] | None


def bootstrap_onset(
    curves: Sequence[tuple[ArrayLike, ArrayLike]],
    find: Callable[..., Onset | NoOnset],
    *,
    baselines: Sequence[ArrayLike] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> SeedOnset:
    """Onset of mean_s f_s, and its percentiles when the seeds s are drawn with replacement.

    The same `seed` gives the same result. With few seeds there are few different draws (10 of
    three, 126 of five), and the interval is the coarser for it.

    Args:
        curves: (steps, values) of each seed; at least two.
        find: called as `find(steps, values)`, and with `baseline=` if there are baselines: for
            example `functools.partial(find_onset, window=300)`.
        baselines: one for each curve: a number, or one for each of its evaluations. The mean
            curve's is their mean.
        resamples: number of draws, at least 1.
        seed: of the draws.

    Raises:
        UserError: for fewer than two curves, or curves without common steps.
    """
    if len(curves) < 2 or resamples < 1:
        raise UserError(
            f"{len(curves)} curves, {resamples} resamples: expected at least 2 seeds and 1 draw"
        )
    steps, stacked = common_grid(curves)
    levels = None if baselines is None else _levels(curves, baselines, steps)

    def of_mean(weights: Values) -> Onset | NoOnset:
        if levels is None:
            return find(steps, weights @ stacked)
        return find(steps, weights @ stacked, baseline=weights @ levels)

    size = len(curves)
    drawn = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), size=resamples)
    different, times = np.unique(drawn, axis=0, return_counts=True)
    onsets = [of_mean(counts / size) for counts in different]
    return _summary(of_mean(np.full(size, 1 / size)), size, steps, onsets, times)


def _summary(
    onset: Onset | NoOnset,
    size: int,
    steps: Positions,
    onsets: Sequence[Onset | NoOnset],
    times: NDArray[np.int64],
) -> SeedOnset:
    at = [one.step if isinstance(one, Onset) else np.nan for one in onsets]
    found = np.repeat(at, times)
    found = found[~np.isnan(found)]
    interval = None
    if found.size:
        low, high = np.percentile(found, PERCENTILES)
        interval = widened(steps, float(low), float(high))
    resamples = int(times.sum())
    return SeedOnset(onset, size, resamples, found.size / resamples, interval)


def common_grid(curves: Sequence[tuple[ArrayLike, ArrayLike]]) -> tuple[Positions, Values]:
    """Steps that all curves cover [steps], and every curve's values there [curves, steps].

    The steps are those of the curve with the fewest evaluations between the latest first step
    and the earliest last one; the others are interpolated there, which changes nothing where
    they were evaluated at the same steps.

    Raises:
        UserError: if fewer than three evaluations are left.
    """
    arrays = [(_array(steps), _array(values)) for steps, values in curves]
    low = max(steps[0] for steps, _ in arrays)
    high = min(steps[-1] for steps, _ in arrays)
    inside = [steps[(steps >= low) & (steps <= high)] for steps, _ in arrays]
    grid = min(inside, key=lambda steps: steps.size)
    if grid.size < 3:
        spans = ", ".join(f"{shown(steps[0])} to {shown(steps[-1])}" for steps, _ in arrays)
        raise UserError(f"the curves have hardly a step in common: they cover {spans}")
    return grid, np.stack([np.interp(grid, steps, values) for steps, values in arrays])


def _levels(
    curves: Sequence[tuple[ArrayLike, ArrayLike]], baselines: Sequence[ArrayLike], grid: Positions
) -> Values:
    rows = []
    for (steps, _), level in zip(curves, baselines, strict=True):
        at = _array(steps)
        rows.append(np.interp(grid, at, np.broadcast_to(_array(level), at.shape)))
    return np.stack(rows)


def _array(numbers: ArrayLike) -> Values:
    return np.asarray(numbers, dtype=np.float64)
