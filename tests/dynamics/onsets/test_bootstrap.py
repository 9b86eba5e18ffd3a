"""Onsets over seeds, against drawing the seeds one by one."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from hf_grok.dynamics import ExistenceTest, NoOnset, Onset, SeedOnset, bootstrap_onset, find_onset
from hf_grok.dynamics.onsets.bootstrap import common_grid
from hf_grok.errors import UserError
from tests.dynamics.onsets.shapes import Curve, log_spaced, ramp

STEPS = log_spaced(4_000, 100)
FIND = partial(find_onset, window=300)


def seeds(corners: list[float], noise: float = 0.01) -> list[tuple[Curve, Curve]]:
    random = np.random.default_rng(0)
    return [
        (STEPS, ramp(STEPS, corner, 400) + random.normal(0, noise, STEPS.size))
        for corner in corners
    ]


def one_by_one(
    curves: list[tuple[Curve, Curve]], find: partial[Onset | NoOnset], resamples: int, seed: int
) -> SeedOnset:
    """Every draw looked at by itself."""
    size = len(curves)
    random = np.random.default_rng(seed)
    onsets = []
    for _ in range(resamples):
        counts = random.multinomial(size, [1 / size] * size)
        mean = sum(count * values for count, (_, values) in zip(counts, curves, strict=True)) / size
        found = find(STEPS, mean)
        if isinstance(found, Onset):
            onsets.append(found.step)
    interval = None
    if onsets:
        low, high = np.percentile(onsets, [2.5, 97.5])
        evaluated = STEPS.tolist()
        interval = (
            max(step for step in evaluated if step < low),
            min(step for step in evaluated if step > high),
        )
    whole = find(STEPS, sum(values for _, values in curves) / size)
    return SeedOnset(whole, size, resamples, len(onsets) / resamples, interval)


@pytest.mark.parametrize("rule", ["acceleration", "crossing"])
def test_equals_drawing_one_by_one(rule: str) -> None:
    curves = seeds([900, 1_200, 1_250, 2_400])
    find = partial(FIND, rule=rule, test=ExistenceTest(least=0.38))
    fast = bootstrap_onset(curves, find, resamples=200, seed=3)
    slow = one_by_one(curves, find, 200, 3)
    assert fast.share == slow.share
    assert 0 < fast.share < 1 or rule == "crossing"
    assert fast.interval == slow.interval
    assert fast.onset.exists == slow.onset.exists


def test_the_seed_decides_the_draws() -> None:
    curves = seeds([900, 1_100, 1_300, 1_500, 2_300])
    first = bootstrap_onset(curves, FIND, seed=0)
    assert bootstrap_onset(curves, FIND, seed=0) == first
    assert len({bootstrap_onset(curves, FIND, seed=seed).share for seed in range(4)}) > 1


def test_seeds_that_agree_leave_the_spacing_of_the_evaluations() -> None:
    found = bootstrap_onset([(STEPS, ramp(STEPS, 1_200, 400))] * 3, FIND, resamples=50)
    assert isinstance(found.onset, Onset)
    assert found.onset.step == 1_200
    assert (found.curves, found.resamples, found.share) == (3, 50, 1.0)
    assert found.interval == (1_100, 1_300)


def test_seeds_without_an_onset() -> None:
    flat = [(STEPS, np.full(STEPS.size, 0.5))] * 3
    found = bootstrap_onset(flat, FIND, resamples=20)
    assert isinstance(found.onset, NoOnset)
    assert (found.share, found.interval) == (0.0, None)


def test_one_seed_of_two_is_in_some_of_the_draws_only() -> None:
    curves = [(STEPS, ramp(STEPS, 1_200, 400)), (STEPS, np.zeros(STEPS.size))]
    found = bootstrap_onset(curves, FIND, resamples=400)
    assert found.onset.exists
    assert found.share == pytest.approx(0.75, abs=0.08)


def test_baselines_are_averaged_with_their_curves() -> None:
    curves = [(STEPS, ramp(STEPS, 1_000, 1_000)), (STEPS, ramp(STEPS, 1_000, 1_000))]
    find = partial(FIND, rule="crossing", margin=0.05)
    low, high = np.full(STEPS.size, 0.1), np.full(STEPS.size, 0.7)
    found = bootstrap_onset(curves, find, baselines=[low, high], resamples=200)
    assert isinstance(found.onset, Onset)
    assert found.onset.step == 1_500  # a mean of .4, passed by .05 at 1,450
    assert found.interval == (1_100, 1_900)  # from .1 alone (1,200) to .7 alone (1,800)
    assert bootstrap_onset(curves, find, baselines=[0.1, 0.7], resamples=200) == found


def test_curves_meet_on_the_coarser_steps_that_they_share() -> None:
    fine, coarse = np.arange(0.0, 1_001.0, 50.0), np.arange(200.0, 1_501.0, 100.0)
    grid, values = common_grid([(fine, 2.0 * fine), (coarse, coarse + 1.0)])
    assert grid.tolist() == np.arange(200.0, 1_001.0, 100.0).tolist()
    assert values[0].tolist() == (2.0 * grid).tolist()
    assert values[1].tolist() == (grid + 1.0).tolist()


def test_curves_of_one_schedule_are_not_interpolated() -> None:
    random = np.random.default_rng(0)
    curves = [(STEPS, random.normal(size=STEPS.size)) for _ in range(3)]
    grid, values = common_grid([*curves, (STEPS[:-5], STEPS[:-5])])
    assert grid.tolist() == STEPS[:-5].tolist()
    for row, (_, measured) in zip(values, curves, strict=False):
        assert row.tolist() == measured[:-5].tolist()


def test_what_cannot_be_resampled() -> None:
    curves = seeds([900, 1_200])
    with pytest.raises(UserError, match="1 curves, 1000 resamples: expected at least 2 seeds"):
        bootstrap_onset(curves[:1], FIND)
    with pytest.raises(UserError, match="2 curves, 0 resamples"):
        bootstrap_onset(curves, FIND, resamples=0)
    apart = [(STEPS, STEPS), (STEPS + 3_950, STEPS)]
    with pytest.raises(UserError, match="cover 0 to 4,000, 3,950 to 7,950"):
        bootstrap_onset(apart, FIND)
