"""Kaplan-Meier, restricted means and the log-rank test, against slow definitions and scipy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from hf_grok.dynamics.when import (
    Arrival,
    arrival_curve,
    arrival_of,
    arrivals,
    log_rank,
    restricted_mean_step,
)
from hf_grok.errors import UserError

SEEDS = [
    *(Arrival(step, 10_000) for step in (3000, 5000, 5000, 8000)),
    *(Arrival(None, 10_000), Arrival(None, 6000)),  # one was cut short
]


def kaplan_meier(seeds: Sequence[Arrival], step: float) -> float:
    """1 - product over the times of arrival until `step` of (1 - arrived / at risk)."""
    left = 1.0
    for time in sorted({seed.step for seed in seeds if seed.step is not None}):
        if time <= step:
            ends = [seed.last if seed.step is None else seed.step for seed in seeds]
            at_risk = sum(end >= time for end in ends)
            left *= 1 - sum(seed.step == time for seed in seeds) / at_risk
    return 1 - left


@pytest.mark.parametrize("step", [0, 2999, 3000, 5000, 6500, 8000, 10_000, 20_000])
def test_the_fraction_that_has_arrived(step: float) -> None:
    assert arrival_curve(SEEDS).at(step) == pytest.approx(kaplan_meier(SEEDS, step), abs=1e-12)


def test_the_interval_is_a_quantile_of_products_of_betas() -> None:
    """By drawing them: 200,000 products for each step."""
    curve, draw = arrival_curve(SEEDS), np.random.default_rng(0)
    # step -> (at risk, arrived) at the steps of arrival until it, and who is left after it
    known = {
        3000: ([(6, 1)], 5),
        5000: ([(6, 1), (5, 2)], 3),
        6000: ([(6, 1), (5, 2)], 2),  # one was cut short
        8000: ([(6, 1), (5, 2), (2, 1)], 1),
        10_000: ([(6, 1), (5, 2), (2, 1)], 1),
    }
    assert list(curve.steps) == [0, *known]
    for place, (falls, left) in enumerate(known.values(), start=1):
        product = np.ones(200_000)
        for at_risk, arrived in falls:
            product *= draw.beta(at_risk - arrived + 1, arrived, product.size)
        lower = np.quantile(product * draw.beta(left, 1, product.size), 0.025)
        upper = np.quantile(product, 0.975)
        assert curve.low[place] == pytest.approx(1 - upper, abs=0.01)
        assert curve.high[place] == pytest.approx(1 - lower, abs=0.01)
    assert (curve.low[0], curve.high[0]) == (0, pytest.approx(1 - 0.025 ** (1 / 6)))


@pytest.mark.parametrize("seeds", [1, 3, 5, 20])
def test_without_censoring_it_is_scipys_fraction_and_interval(seeds: int) -> None:
    """Ties, seeds that never arrive, arms in which none or all do."""
    draw = np.random.default_rng(seeds)
    for never in (0.0, 0.4, 1.0):
        steps = [float(step) for step in draw.integers(1, 10, seeds)]
        arm = arrivals([None if draw.random() < never else step for step in steps], 10)
        curve = arrival_curve(arm)
        expected = stats.ecdf([99.0 if one.step is None else one.step for one in arm]).cdf
        for place, step in enumerate(curve.steps):
            count = sum(one.step is not None and one.step <= step for one in arm)
            exact = stats.binomtest(count, seeds).proportion_ci()
            assert curve.arrived[place] == pytest.approx(expected.evaluate(step), abs=1e-9)
            assert (curve.low[place], curve.high[place]) == pytest.approx(
                (exact.low, exact.high), abs=1e-9
            )


def test_with_censoring_the_fraction_is_scipys() -> None:
    draw = np.random.default_rng(0)
    ends = draw.integers(5, 15, 20).astype(float)
    steps = draw.integers(1, 20, 20).astype(float)
    arm = [Arrival(s if s <= e else None, e) for s, e in zip(steps, ends, strict=True)]
    expected = stats.ecdf(censored(arm)).cdf
    curve = arrival_curve(arm)
    for step in range(1, 15):
        assert curve.at(step) == pytest.approx(float(expected.evaluate(step)), abs=1e-9)


def test_everything_censored_is_said_and_not_crashed() -> None:
    curve = arrival_curve(arrivals([None, None], 500))
    assert (curve.never, curve.seeds, curve.at(500)) == (2, 2, 0.0)
    assert list(curve.low) == [0, 0]
    assert curve.high[-1] == pytest.approx(stats.binomtest(0, 2).proportion_ci().high)
    assert restricted_mean_step(arrivals([None, None], 500)).mean == 500
    with pytest.raises(UserError, match="no seed of either arm arrived"):
        log_rank(arrivals([None] * 2, 5), arrivals([None] * 2, 5))
    with pytest.raises(UserError, match="arms of 1 and 3 seeds: expected 2 or more in both"):
        log_rank(arrivals([2], 5), arrivals([3, 4, 5], 5))


def test_one_seed_says_little_and_no_more() -> None:
    curve = arrival_curve([Arrival(10, 20)])
    assert (curve.at(9), curve.at(10)) == (0, 1)
    assert (curve.low[-1], curve.high[-1]) == (pytest.approx(0.025), 1)
    found = restricted_mean_step([Arrival(10, 20)])
    assert found.mean == 10
    assert (found.low, found.high) == pytest.approx((0.25, 19.75), abs=1e-6)


def test_the_restricted_mean_is_the_area_above_the_curve() -> None:
    curve = arrival_curve(SEEDS)
    by_step = sum(1 - curve.at(step) for step in range(6000))
    assert restricted_mean_step(SEEDS, 6000).mean == pytest.approx(by_step, rel=1e-12)
    with pytest.raises(UserError, match="at most 6000"):
        restricted_mean_step(SEEDS, 7000)


def censored(seeds: Sequence[Arrival]) -> stats.CensoredData:
    return stats.CensoredData(
        uncensored=[seed.step for seed in seeds if seed.step is not None],
        right=[seed.last for seed in seeds if seed.step is None],
    )


def deviate(left: Sequence[Arrival], right: Sequence[Arrival]) -> float:
    return float(stats.logrank(censored(left), censored(right)).statistic)


def test_log_rank_is_scipys_statistic_and_its_exact_permutation() -> None:
    early, late = arrivals([1, 2, 3, 4], 9), arrivals([5, 6, None, None], 9)
    found = log_rank(early, late)

    assert found.statistic == pytest.approx(deviate(early, late), abs=1e-9)
    assert found.statistic > 0  # the first arm is the sooner one
    assert found.p == pytest.approx(2 / math.comb(8, 4))  # no other division is as far apart
    assert log_rank(late, early).statistic == pytest.approx(-found.statistic)


def test_log_rank_with_ties_and_censoring_is_scipys_over_every_division() -> None:
    seeds = [*SEEDS, Arrival(5000, 10_000), Arrival(None, 3000)]
    found = log_rank(seeds[:3], seeds[3:])
    every = []
    for chosen in combinations(range(8), 3):
        rest = [seed for place, seed in enumerate(seeds) if place not in chosen]
        every.append(deviate([seeds[place] for place in chosen], rest))
    assert found.statistic == pytest.approx(every[0], abs=1e-9)
    above = np.mean([one >= every[0] - 1e-9 for one in every])
    below = np.mean([one <= every[0] + 1e-9 for one in every])
    assert found.p == pytest.approx(min(1.0, 2 * min(above, below)))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.1, 0.9, 0.2, 0.85, 0.9, 0.1], 30.0),  # a touch is no arrival
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.9], None),  # nor is the last evaluation alone
        ([0.9, 0.9, 0.1, 0.1, 0.1, 0.1], 0.0),
        ([0.1, 0.9, math.nan, 0.9, 0.1, 0.1], 10.0),  # what was not measured is left out
    ],
)
def test_arrivals(values: list[float], expected: float | None) -> None:
    steps = np.arange(0, 60, 10)
    found = arrival_of(steps, np.array(values), 0.8)
    assert (found.step, found.last) == (expected, 50.0)
    assert arrival_of(steps, -np.array(values), -0.8, falling=True) == found


@pytest.mark.parametrize(
    ("steps", "values", "level", "told"),
    [
        ([0, 20, 10], [0.1, 0.9, 0.9], 0.8, "but 10 follows 20: sort"),
        ([0, 10, 10], [0.1, 0.9, 0.9], 0.8, "but 10 follows 10: sort"),
        ([0, math.nan, 20], [0.1, 0.9, 0.9], 0.8, "steps must be finite"),
        ([0, 10], [0.1, 0.9, 0.9], 0.8, r"steps of shape \(2,\) and values of shape \(3,\)"),
        ([[0, 10]], [[0.1, 0.9]], 0.8, r"steps of shape \(1, 2\)"),
        ([0, 10], [0.1, "high"], 0.8, r"values .*'high'.*expected numbers"),
        ([0, 10], [0.1, 0.9], math.nan, "level nan: expected a finite number"),
    ],
)
def test_what_is_no_curve_has_no_arrival(
    steps: list[float], values: list[object], level: float, told: str
) -> None:
    with pytest.raises(UserError, match=told):
        arrival_of(steps, values, level)


def test_what_is_no_arrival_is_refused() -> None:
    with pytest.raises(UserError, match="nothing can be said"):
        arrival_of(np.array([0.0]), np.array([math.nan]), 0.8)
    with pytest.raises(UserError, match="a step of the run"):
        Arrival(11, 10)
    with pytest.raises(UserError, match="without seeds"):
        arrival_curve([])
    with pytest.raises(UserError, match="confidence level 95"):
        arrival_curve(SEEDS, 95)
