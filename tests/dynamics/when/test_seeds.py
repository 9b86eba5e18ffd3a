"""Fractions of seeds, paired differences, two modes, and how many seeds a difference needs."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from hf_grok.dynamics.when import (
    bimodality,
    counts_differ,
    fraction_interval,
    paired_difference,
    seeds_needed,
)
from hf_grok.errors import UserError


@pytest.mark.parametrize(("count", "seeds"), [(0, 10), (4, 10), (10, 10), (1, 1)])
def test_the_exact_interval_is_where_the_tails_are_a_fortieth(count: int, seeds: int) -> None:
    found = fraction_interval(count, seeds)
    if count:
        assert stats.binom.sf(count - 1, seeds, found.low) == pytest.approx(0.025, abs=1e-9)
    else:
        assert found.low == 0
    if count < seeds:
        assert stats.binom.cdf(count, seeds, found.high) == pytest.approx(0.025, abs=1e-9)
    else:
        assert found.high == 1
    assert found.value == count / seeds


def test_a_paired_difference_is_wilcoxons_over_every_sign() -> None:
    first, second = [0.1, 0.2, 0.3, 0.4, 0.5], [0.3, 0.25, 0.6, 0.5, 0.45]
    found = paired_difference(first, second)
    differences = np.array(second) - np.array(first)
    ranks = stats.rankdata(abs(differences))
    observed = min(ranks[differences > 0].sum(), ranks[differences < 0].sum())
    signs = np.array(np.meshgrid(*[[0, 1]] * 5)).reshape(5, -1).T
    sums = signs @ ranks
    assert found.p == pytest.approx(min(1.0, 2 * (sums <= observed).mean()))
    assert found.mean == pytest.approx(differences.mean())
    half = stats.t.ppf(0.975, 4) * differences.std(ddof=1) / math.sqrt(5)
    assert (found.low, found.high) == pytest.approx(
        (found.mean - half, found.mean + half), abs=1e-9
    )
    assert found.seeds == 5


def test_ties_and_zeros_are_counted_exactly_too() -> None:
    differences = np.array([0.25, 0.25, 0.5, 0.0, -0.25, 0.75, 0.5])
    found = paired_difference(np.zeros(7), differences)
    moved = differences[differences != 0]
    ranks = stats.rankdata(abs(moved))
    signs = np.array(np.meshgrid(*[[0, 1]] * 6)).reshape(6, -1).T
    sums, above = signs @ ranks, ranks[moved > 0].sum()
    expected = 2 * min((sums >= above).mean(), (sums <= above).mean())
    assert found.p == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("first", "second"), [((3, 5), (1, 5)), ((0, 3), (3, 3)), ((7, 20), (2, 8))]
)
def test_counts_differ_by_tables_no_more_likely(
    first: tuple[int, int], second: tuple[int, int]
) -> None:
    arrived, both = first[0] + second[0], first[1] + second[1]
    chance = stats.hypergeom(both, arrived, first[1])
    every = [chance.pmf(count) for count in range(first[1] + 1)]
    expected = sum(one for one in every if one <= every[first[0]] * (1 + 1e-7))
    assert counts_differ(first, second) == pytest.approx(expected, abs=1e-9)
    assert counts_differ(second, first) == pytest.approx(expected, abs=1e-9)


def test_seeds_that_agree() -> None:
    same = paired_difference([0.5, 0.5], [0.5, 0.5])
    assert (same.mean, same.p) == (0, 1)
    shifted = paired_difference([0.5, 0.5, 0.5], [0.6, 0.6, 0.6])
    assert math.isnan(shifted.low)
    assert shifted.p == pytest.approx(0.25)  # two of the eight signs are as far


def test_two_modes_are_told_from_one() -> None:
    draw = np.random.default_rng(0)
    apart = [*draw.normal(0.1, 0.02, 10), *draw.normal(0.9, 0.02, 10)]
    assert bimodality(apart).p < 0.01
    assert bimodality(list(draw.normal(0.5, 0.1, 20))).p > 0.1


def test_the_seeds_that_a_difference_needs_have_the_power_by_enumeration() -> None:
    found = seeds_needed(0.2, 0.8)
    count = np.arange(found.seeds + 1)
    first, second = (stats.binom.pmf(count, found.seeds, p) for p in (0.2, 0.8))
    power = sum(
        first[a] * second[b]
        for a in count
        for b in count
        if stats.fisher_exact([[a, found.seeds - a], [b, found.seeds - b]]).pvalue <= 0.05
    )
    assert found.power == pytest.approx(power, abs=0.03)  # 2,000 simulated sweeps
    assert power > 0.78
    assert seeds_needed(0.4, 0.8).seeds > found.seeds


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: fraction_interval(3, 2), "3 of 2 seeds"),
        (lambda: paired_difference([1.0], [2.0]), "two or more"),
        (lambda: paired_difference([1.0, math.nan], [2.0, 3.0]), "leave it out of both"),
        (lambda: bimodality([0.1, 0.9]), "dip test of 2 values"),
        (lambda: seeds_needed(0.5, 0.5), "two different ones"),
        (lambda: seeds_needed(0.5, 0.51), "not to be had"),
    ],
)
def test_what_cannot_be_said_is_refused(call: Callable[[], object], told: str) -> None:
    with pytest.raises(UserError, match=told):
        call()
