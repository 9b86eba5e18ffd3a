"""Fractions of seeds, differences between arms that share seeds, and whether seeds fall in two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hf_grok._optional import import_optional
from hf_grok.dynamics.when.on_scipy import scipy_stats
from hf_grok.dynamics.when.survival import LEVEL
from hf_grok.errors import UserError

FEWEST_FOR_A_DIP = 4


@dataclass(frozen=True)
class Fraction:
    """count / seeds, with its exact interval."""

    count: int
    seeds: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """In 0..1."""
        return self.count / self.seeds


@dataclass(frozen=True)
class Difference:
    """Of two arms, seed by seed.

    Attributes:
        mean: of second - first over the seeds.
        low: lower end of its interval (Student's t); NaN where all differences agree.
        high: upper end.
        p: two-sided, Wilcoxon's signed ranks, exact; 1 where no seed differs.
        seeds: that both arms have.
    """

    mean: float
    low: float
    high: float
    p: float
    seeds: int


@dataclass(frozen=True)
class Bimodality:
    """Hartigans' dip: how far the values' distribution is from every one with one mode.

    Attributes:
        dip: in 1 / (2 seeds)..1/4.
        p: of a dip as large under a uniform distribution, which is the worst with one mode.
    """

    dip: float
    p: float


def fraction_interval(count: int, seeds: int, level: float = LEVEL) -> Fraction:
    """The exact (Clopper-Pearson) interval of a fraction of seeds.

    Args:
        count: seeds of which something holds.
        seeds: all of them.
        level: of confidence.

    Raises:
        UserError: no seed, or a count outside 0..seeds.

    Source: Clopper and Pearson 1934; scipy.stats.binomtest.
    """
    if seeds < 1 or not 0 <= count <= seeds:
        raise UserError(f"{count} of {seeds} seeds: expected 0 to all of at least one")
    found = scipy_stats().binomtest(count, seeds).proportion_ci(level, method="exact")
    return Fraction(count, seeds, float(found.low), float(found.high))


def counts_differ(first: tuple[int, int], second: tuple[int, int]) -> float:
    """p of two arms' counts under one fraction: Fisher's exact test, two-sided.

    Args:
        first: (seeds of which something holds, all seeds) of one arm.
        second: of the other.

    Source: Fisher 1934; scipy.stats.fisher_exact.
    """
    table = [[count, seeds - count] for count, seeds in (first, second)]
    return float(scipy_stats().fisher_exact(table).pvalue)


def paired_difference(
    first: Sequence[float], second: Sequence[float], level: float = LEVEL
) -> Difference:
    """second - first over arms that share seeds, which removes what the seeds have in common.

    The interval takes differences for normal: where they fall in two groups, or have a long tail,
    and seeds are few, it holds the mean less often than it says (docs/sweeps.md has how often), and
    `counts_differ` says more. A bootstrap would do so less often still. Signed ranks of five seeds
    or fewer have no p below .06.

    Args:
        first: a number a seed.
        second: of the same seeds, in the same order.
        level: of confidence.

    Raises:
        UserError: other lengths, fewer than two seeds, a number that is not finite.

    Source: Student 1908, Wilcoxon 1945; scipy.stats.ttest_1samp and wilcoxon.
    """
    if len(first) != len(second) or len(first) < 2:
        raise UserError(
            f"{len(first)} and {len(second)} seeds: expected the same seeds in both arms, two or "
            "more"
        )
    differences = np.asarray(second, float) - np.asarray(first, float)
    if not np.isfinite(differences).all():
        raise UserError("a seed without a finite number: leave it out of both arms, and say so")
    mean = float(differences.mean())
    if not np.ptp(differences):
        p = 1.0 if mean == 0 else float(scipy_stats().wilcoxon(differences).pvalue)
        return Difference(mean, float("nan"), float("nan"), p, differences.size)
    low, high = scipy_stats().ttest_1samp(differences, 0.0).confidence_interval(level)
    p = float(scipy_stats().wilcoxon(differences).pvalue)
    return Difference(mean, float(low), float(high), p, differences.size)


def bimodality(values: Sequence[float]) -> Bimodality:
    """The dip test: are the seeds' numbers of one mode, or of more?

    A mean over seeds half of which generalise describes none of them.

    Raises:
        UserError: fewer than four values, or one that is not finite; diptest is not installed.

    Source: Hartigan and Hartigan 1985; the package diptest.
    """
    numbers = np.asarray(values, float)
    if numbers.size < FEWEST_FOR_A_DIP or not np.isfinite(numbers).all():
        raise UserError(
            f"a dip test of {numbers.size} values: expected {FEWEST_FOR_A_DIP} finite ones or more"
        )
    package = import_optional("diptest", extra="statistics", purpose="tests of bimodality")
    dip, p = package.diptest(numbers)
    return Bimodality(float(dip), float(p))
