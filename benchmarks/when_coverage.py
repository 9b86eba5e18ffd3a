"""How often 95 % intervals over seeds hold the truth, and tests at .05 see what is not there.

Simulated sweeps of 3 to 20 seeds an arm whose truth is known: half of the seeds or so never
generalise (two modes), the others do at log-normal steps, seen at evaluations on a grid (ties), and
are censored by the end of the run, or before it.

    python benchmarks/when_coverage.py                 # 1,000 sweeps of each kind, 15 minutes
    python benchmarks/when_coverage.py --sweeps 100 --seeds 3 5

Prints a line an interval (coverage, mean width) and a test (fraction of sweeps without a difference
in which p <= .05), each with its Monte Carlo error, and ends with 1 where an interval that is exact
covers less than .93 or a test refuses more than .05, by more than two of its errors.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from math import log, sqrt
from statistics import NormalDist

import numpy as np

from hf_grok.dynamics.when import (
    Arrival,
    arrival_curve,
    bimodality,
    counts_differ,
    fraction_interval,
    log_rank,
    paired_difference,
    restricted_mean_step,
)
from hf_grok.version import __version__

GRID = np.arange(500.0, 10_001.0, 500.0)  # evaluations
HORIZON, CUT_SHORT = 10_000.0, 6_000.0  # ends of runs; of those that are cut short the earliest
NEVER, MIDDLE, WIDE = 0.4, 3_000.0, 0.7  # share without arrival; log-normal median and deviation
PROBED = (1_500.0, 3_000.0, 6_000.0, 10_000.0)  # steps at which curves are asked
LEAST, MOST = 0.93, 0.05
Random = np.random.Generator


@dataclass
class Rate:
    """Of one interval or test: how often, and how wide its intervals are."""

    name: str
    seeds: int
    sure: bool  # an interval that is held to LEAST
    hits: int = 0
    count: int = 0
    width: float = 0.0

    def add(self, hit: bool, width: float = 0.0) -> None:
        self.hits, self.count, self.width = self.hits + hit, self.count + 1, self.width + width

    @property
    def rate(self) -> float:
        return self.hits / self.count

    @property
    def error(self) -> float:
        """Monte Carlo: one standard error of the rate, of a sweep at least."""
        return sqrt(max(self.rate * (1 - self.rate), 1 / self.count) / self.count)


def arrived_by(step: float) -> float:
    """The truth: the share of seeds whose first evaluation at the level is at `step` or before."""
    return (1 - NEVER) * NormalDist().cdf(log(step / MIDDLE) / WIDE)


def mean_step(horizon: float) -> float:
    """The truth of the restricted mean: the area above `arrived_by`, which steps at evaluations."""
    edges = np.concatenate([[0.0], GRID[horizon >= GRID]])
    left = [1.0, *(1 - arrived_by(step) for step in edges[1:-1])]
    return float((np.diff(edges) * left).sum())


def arm(random: Random, seeds: int, *, short: bool) -> list[Arrival]:
    """Arrivals of an arm; with `short`, half of the runs end before the horizon."""
    steps = np.exp(log(MIDDLE) + WIDE * random.standard_normal(seeds))
    steps[random.random(seeds) < NEVER] = np.inf
    at = [float(GRID[step <= GRID][0]) if step <= HORIZON else np.inf for step in steps]
    ends = np.full(seeds, HORIZON)
    if short:
        some = random.random(seeds) < 0.5
        ends[some] = random.choice(GRID[GRID >= CUT_SHORT], some.sum())
    return [
        Arrival(step if step <= end else None, float(end))
        for step, end in zip(at, ends, strict=True)
    ]


def curves(random: Random, seeds: int, sweeps: int) -> Iterator[Rate]:
    for kind, short in (("", False), (", cut short", True)):
        for step in PROBED[:3] if short else PROBED:
            rate = Rate(f"arrival curve at {step:,.0f}{kind}", seeds, sure=True)
            for _ in range(sweeps):
                curve = arrival_curve(arm(random, seeds, short=short))
                place = int(np.searchsorted(curve.steps, step, side="right")) - 1
                low, high = curve.low[place], curve.high[place]
                rate.add(bool(low <= arrived_by(step) <= high), float(high - low))
            yield rate


def fractions(random: Random, seeds: int, sweeps: int) -> Iterator[Rate]:
    for p in (0.1, 0.5, 0.8):
        rate = Rate(f"fraction {p:g}", seeds, sure=True)
        for count in random.binomial(seeds, p, sweeps).tolist():
            found = fraction_interval(count, seeds)
            rate.add(found.low <= p <= found.high, found.high - found.low)
        yield rate


def means(random: Random, seeds: int, sweeps: int) -> Iterator[Rate]:
    for horizon in (HORIZON, MIDDLE):
        rate, truth = Rate(f"mean step to {horizon:,.0f}", seeds, sure=True), mean_step(horizon)
        for _ in range(sweeps):
            found = restricted_mean_step(arm(random, seeds, short=False), horizon)
            rate.add(found.low <= truth <= found.high, (found.high - found.low) / horizon)
        yield rate


def last_quarters(random: Random, seeds: int, generalised: float) -> np.ndarray:
    """Accuracies in two groups: those that generalised, and those that did not."""
    there = random.random(seeds) < generalised
    return np.where(there, 0.95, 0.3) + random.normal(0, 0.03, seeds)


def differences(random: Random, seeds: int, sweeps: int) -> Iterator[Rate]:
    draws: tuple[tuple[str, float, Callable[[], np.ndarray]], ...] = (
        ("normal", 0.1, lambda: random.normal(0.1, 0.1, seeds)),
        ("long-tailed", 0.1, lambda: random.exponential(0.1, seeds)),
        (
            "in two groups",
            0.65 * (0.8 - 0.4),
            lambda: last_quarters(random, seeds, 0.8) - last_quarters(random, seeds, 0.4),
        ),
    )
    for kind, truth, draw in draws:
        rate = Rate(f"paired difference, {kind}", seeds, sure=kind == "normal")
        for _ in range(sweeps):
            found = paired_difference(np.zeros(seeds), draw())
            rate.add(found.low <= truth <= found.high, found.high - found.low)
        yield rate


def tests(random: Random, seeds: int, sweeps: int) -> Iterator[Rate]:
    """Every test on arms without a difference."""

    def ranked(short: bool) -> float | None:
        arms = [arm(random, seeds, short=short and second) for second in (False, True)]
        there = any(one.step is not None for both in arms for one in both)
        return log_rank(*arms).p if there else None  # None is refused: no seed arrived

    def counted() -> float:
        first, second = random.binomial(seeds, 0.6, 2).tolist()
        return counts_differ((first, seeds), (second, seeds))

    draws: tuple[tuple[str, Callable[[], float | None]], ...] = (
        ("Fisher, .6 in both arms", counted),
        ("log-rank", lambda: ranked(False)),
        ("log-rank, one arm cut short", lambda: ranked(True)),
        (
            "Wilcoxon, normal",
            lambda: paired_difference(*random.normal(0.5, 0.1, (2, seeds))).p,
        ),
        (
            "Wilcoxon, ties and zeros",
            lambda: paired_difference(*random.binomial(4, 0.6, (2, seeds)) / 4).p,
        ),
        (
            "Wilcoxon, in two groups",
            lambda: paired_difference(*(last_quarters(random, seeds, 0.6) for _ in range(2))).p,
        ),
        *(
            (
                ("dip, uniform", lambda: bimodality(random.random(seeds)).p),
                ("dip, normal", lambda: bimodality(random.normal(0, 1, seeds)).p),
            )
            if seeds >= 4
            else ()
        ),
    )
    for name, draw in draws:
        rate = Rate(name, seeds, sure=False)
        for _ in range(sweeps):
            p = draw()
            rate.add(p is not None and p <= 0.05)
        yield rate


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sweeps", type=int, default=1000, help="of each kind (default: 1000)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[3, 5, 8, 12, 20], help="an arm")
    chosen = parser.parse_args(arguments)
    print(f"hf-grok {__version__}, {versions()}; {chosen.sweeps:,} sweeps of each kind")
    missed = []
    for title, parts, is_test in PARTS:
        print(f"\n{title:<34}{'seeds':>6}{'rate':>8}{'error':>8}{'' if is_test else '   width'}")
        for place, part in enumerate(parts):
            for seeds in chosen.seeds:
                for one in part(np.random.default_rng([place, seeds]), seeds, chosen.sweeps):
                    print(line(one, is_test), flush=True)
                    if beyond(one, is_test):
                        missed.append(f"{one.name}, {seeds} seeds")
    print("\nheld" if not missed else f"\nMISSED: {'; '.join(missed)}")
    return 1 if missed else 0


PARTS = (
    ("coverage of 95 % intervals", (fractions, curves, means, differences), False),
    ("p <= .05 without a difference", (tests,), True),
)


def versions() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("scipy", "diptest", "numpy"))
    return f"{packages}, Python {platform.python_version()}"


def line(one: Rate, is_test: bool) -> str:
    width = "" if is_test else f"{one.width / one.count:>8.3f}"
    return f"{one.name:<34}{one.seeds:>6}{one.rate:>8.3f}{one.error:>8.3f}{width}"


def beyond(one: Rate, is_test: bool) -> bool:
    """Whether a rate is worse than it is held to, by more than its Monte Carlo error explains."""
    by = one.rate - MOST if is_test else (LEAST - one.rate) * one.sure
    return by > 2 * one.error


if __name__ == "__main__":
    sys.exit(main())
