"""Arms of a sweep against its first: how many seeds arrived, when, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hf_grok.dynamics import Run
from hf_grok.dynamics.curves import last_part
from hf_grok.dynamics.learning import Learning, learning_of
from hf_grok.dynamics.when import (
    Arrival,
    Bimodality,
    Difference,
    Fraction,
    LogRank,
    MeanStep,
    arrival_of,
    bimodality,
    counts_differ,
    fraction_interval,
    log_rank,
    paired_difference,
    restricted_mean_step,
)
from hf_grok.dynamics.when.log_rank import FEWEST_SEEDS
from hf_grok.dynamics.when.seeds import FEWEST_FOR_A_DIP
from hf_grok.errors import UserError, unknown_name
from hf_grok.report.sweep.runs import Sweep


@dataclass(frozen=True)
class ArmNumbers:
    """One arm on one metric.

    Attributes:
        name: of the arm.
        arrivals: seed -> when it came to the level.
        last_quarter: seed -> mean over the evaluations of the last quarter of its run.
        arrived: how many seeds did, with the exact interval.
        mean_step: of min(arrival, horizon).
        modes: of the last quarters; None below four seeds.
        unlearnt: seeds whose accuracy in distribution, where it was measured, never came to .99.
        in_part: seeds that did, and write fewer than .9 of the lines whole at the end.
        early: seeds that came to the level before .99 in distribution.
    """

    name: str
    arrivals: dict[int, Arrival]
    last_quarter: dict[int, float]
    arrived: Fraction
    mean_step: MeanStep
    modes: Bimodality | None
    unlearnt: tuple[int, ...] = ()
    in_part: tuple[int, ...] = ()
    early: tuple[int, ...] = ()

    @property
    def median_step(self) -> float | None:
        """By which half of the seeds had arrived; None if they never had."""
        steps = sorted(seed.step for seed in self.arrivals.values() if seed.step is not None)
        half = (len(self.arrivals) + 1) // 2
        return steps[half - 1] if len(steps) >= half else None


@dataclass(frozen=True)
class ArmContrast:
    """An arm against the first.

    Attributes:
        fisher: p of the difference in how many seeds arrived, two-sided, exact.
        times: of the difference in when; None where no seed of either arrived, or an arm has one
            seed alone.
        last_quarter: arm - first over the seeds that both have; None below two of them.
    """

    fisher: float
    times: LogRank | None
    last_quarter: Difference | None


def numbers_of(
    sweep: Sweep, metric: str, level: float, hold: int, falling: bool
) -> list[ArmNumbers]:
    """Every arm with finished runs, in the sweep's order.

    Args:
        sweep: its runs.
        metric: column of the evaluations.
        level: to be reached.
        hold: evaluations in a row.
        falling: whether the level is reached from above.

    Raises:
        UserError: no run measured the metric.
    """
    measured = sorted({str(name) for run in sweep.runs for name in run.evaluations.columns})
    if metric not in measured:
        raise unknown_name("metric of the sweep", metric, measured)
    horizon = min(_last(run, metric) for run in sweep.runs if metric in run.evaluations)
    arms = (
        (arm.name, [run for run in arm.runs if metric in run.evaluations]) for arm in sweep.arms
    )
    return [
        _numbers(name, runs, metric, level, hold, falling, horizon) for name, runs in arms if runs
    ]


def _numbers(
    name: str,
    runs: Sequence[Run],
    metric: str,
    level: float,
    hold: int,
    falling: bool,
    horizon: float,
) -> ArmNumbers:
    arrivals: dict[int, Arrival] = {}
    quarters: dict[int, float] = {}
    learning: dict[int, Learning] = {}
    for run in runs:
        curve = run.evaluations[metric].dropna()
        steps, values = curve.index.to_numpy(float), curve.to_numpy(float)
        if run.seed is None:
            raise UserError(f"{run.path} does not say its seed: arms are compared seed by seed")
        arrivals[run.seed] = arrival_of(steps, values, level, hold=hold, falling=falling)
        quarters[run.seed] = float(values[last_part(steps)].mean())
        learning[run.seed] = learning_of(run.evaluations)
    came = sum(arrival.step is not None for arrival in arrivals.values())
    enough = len(quarters) >= FEWEST_FOR_A_DIP
    return ArmNumbers(
        name=name,
        arrivals=arrivals,
        last_quarter=quarters,
        arrived=fraction_interval(came, len(arrivals)),
        mean_step=restricted_mean_step(list(arrivals.values()), horizon),
        modes=bimodality(list(quarters.values())) if enough else None,
        unlearnt=tuple(seed for seed, found in learning.items() if found.step is None),
        in_part=tuple(seed for seed, found in learning.items() if found.in_part),
        early=tuple(
            seed
            for seed, arrival in arrivals.items()
            if arrival.step is not None and learning[seed].before(arrival.step)
        ),
    )


def contrast(first: ArmNumbers, arm: ArmNumbers) -> ArmContrast:
    """An arm against the first one."""
    one, other = ((part.arrived.count, part.arrived.seeds) for part in (first, arm))
    both = [*first.arrivals.values(), *arm.arrivals.values()]
    anybody = any(arrival.step is not None for arrival in both)
    enough = min(len(first.arrivals), len(arm.arrivals)) >= FEWEST_SEEDS
    shared = sorted(first.last_quarter.keys() & arm.last_quarter.keys())
    return ArmContrast(
        fisher=counts_differ(one, other),
        times=log_rank(list(first.arrivals.values()), list(arm.arrivals.values()))
        if anybody and enough
        else None,
        last_quarter=paired_difference(
            [first.last_quarter[seed] for seed in shared],
            [arm.last_quarter[seed] for seed in shared],
        )
        if len(shared) >= 2
        else None,
    )


def _last(run: Run, metric: str) -> float:
    steps = run.evaluations[metric].dropna().index
    if not len(steps):
        raise UserError(f"{run.path} never measured {metric}")
    return float(np.asarray(steps)[-1])
