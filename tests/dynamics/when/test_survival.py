"""Kaplan-Meier, restricted means and the log-rank test, against slow definitions and scipy."""

from __future__ import annotations

import math
from collections.abc import Sequence

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


def test_the_interval_is_the_log_log_one_of_greenwoods_variance() -> None:
    curve = arrival_curve(SEEDS)
    left, variance = 1.0, 0.0
    at_risk_and_arrived = {3000: (6, 1), 5000: (5, 2), 8000: (2, 1)}
    for step, (at_risk, arrived) in at_risk_and_arrived.items():
        left *= 1 - arrived / at_risk
        variance += arrived / (at_risk * (at_risk - arrived))
        half = stats.norm.ppf(0.975) * math.sqrt(variance) / abs(math.log(left))
        ends = [1 - left ** math.exp(sign * half) for sign in (-1, 1)]
        position = list(curve.steps).index(step)
        assert (curve.low[position], curve.high[position]) == pytest.approx(ends, abs=1e-9)


def test_everything_censored_is_said_and_not_crashed() -> None:
    curve = arrival_curve(arrivals([None, None], 500))
    assert (curve.never, curve.seeds, curve.at(500)) == (2, 2, 0.0)
    assert np.isnan(curve.low).all()
    assert restricted_mean_step(arrivals([None, None], 500)).mean == 500
    with pytest.raises(UserError, match="no seed of either arm arrived"):
        log_rank(arrivals([None], 5), arrivals([None], 5))


def test_one_seed_has_a_curve_and_a_mean_without_an_interval() -> None:
    assert arrival_curve([Arrival(10, 20)]).at(10) == 1
    found = restricted_mean_step([Arrival(10, 20)])
    assert found.mean == 10
    assert math.isnan(found.low)


def test_the_restricted_mean_is_the_area_above_the_curve() -> None:
    curve = arrival_curve(SEEDS)
    by_step = sum(1 - curve.at(step) for step in range(6000))
    assert restricted_mean_step(SEEDS, 6000).mean == pytest.approx(by_step, rel=1e-12)
    with pytest.raises(UserError, match="at most 6000"):
        restricted_mean_step(SEEDS, 7000)


def test_log_rank_is_scipys_statistic_and_its_exact_permutation() -> None:
    early, late = arrivals([1, 2, 3, 4], 9), arrivals([5, 6, None, None], 9)
    found = log_rank(early, late)

    def deviate(left: Sequence[Arrival], right: Sequence[Arrival]) -> float:
        def data(seeds: Sequence[Arrival]) -> stats.CensoredData:
            return stats.CensoredData(
                uncensored=[seed.step for seed in seeds if seed.step is not None],
                right=[seed.last for seed in seeds if seed.step is None],
            )

        return float(stats.logrank(data(left), data(right)).statistic)

    assert found.statistic == pytest.approx(deviate(early, late), abs=1e-9)
    assert found.statistic > 0  # the first arm is the sooner one
    assert found.p == pytest.approx(2 / math.comb(8, 4))  # no other division is as far apart
    assert log_rank(late, early).statistic == pytest.approx(-found.statistic)


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


def test_what_is_no_arrival_is_refused() -> None:
    with pytest.raises(UserError, match="nothing can be said"):
        arrival_of(np.array([0.0]), np.array([math.nan]), 0.8)
    with pytest.raises(UserError, match="a step of the run"):
        Arrival(11, 10)
    with pytest.raises(UserError, match="without seeds"):
        arrival_curve([])
    with pytest.raises(UserError, match="confidence level 95"):
        arrival_curve(SEEDS, 95)
