"""The interval of a mean of bounded values, against drawn weights and where it is known exactly."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from hf_grok.dynamics.when.bounded_mean import bounded_mean_interval, weighted_mean_below


@pytest.mark.parametrize("values", [[0.4], [0.2, 0.2, 1.0], [0.0, 0.1, 0.5, 0.7, 1.0, 1.0]])
def test_the_ends_are_quantiles_over_drawn_weights(values: list[float]) -> None:
    weights = np.random.default_rng(0).dirichlet(np.ones(len(values) + 1), 200_000)
    low, high = bounded_mean_interval(np.array(values), 0.0, 1.0, 0.9)
    assert low == pytest.approx(np.quantile(weights @ [*values, 0.0], 0.05), abs=0.004)
    assert high == pytest.approx(np.quantile(weights @ [*values, 1.0], 0.95), abs=0.004)


@pytest.mark.parametrize(("count", "seeds"), [(0, 1), (0, 5), (2, 5), (7, 20), (20, 20)])
def test_of_zeros_and_ones_it_is_the_exact_interval_of_a_fraction(count: int, seeds: int) -> None:
    values = np.array([1.0] * count + [0.0] * (seeds - count))
    exact = stats.binomtest(count, seeds).proportion_ci()
    found = bounded_mean_interval(values, 0.0, 1.0, 0.95)
    assert found == pytest.approx((exact.low, exact.high), abs=1e-7)


def test_it_moves_with_the_scale() -> None:
    values = np.array([0.1, 0.6, 0.7])
    low, high = bounded_mean_interval(values, 0.0, 1.0, 0.95)
    moved = bounded_mean_interval(3 + 500 * values, 3.0, 503.0, 0.95)
    assert moved == pytest.approx((3 + 500 * low, 3 + 500 * high), abs=1e-4)


def test_the_probability_is_that_of_drawn_weights() -> None:
    points = np.array([0.0, 0.3, 0.3, 0.9])
    means = np.random.default_rng(0).dirichlet(np.ones(4), 200_000) @ points
    for x in (0.1, 0.3, 0.5, 0.8):
        assert weighted_mean_below(points, x) == pytest.approx((means <= x).mean(), abs=0.005)
