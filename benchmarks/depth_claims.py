"""What runs over depths say of structural grokking, by the criteria stated in docs/results.md.

    python benchmarks/depth_claims.py docs/results/question-formation-depth.parquet
    python benchmarks/depth_claims.py runs/depth --steps 30000 --level .5 --middle 4 6

Takes tables of results, or folders of sweeps, whose runs differ in `layers`. A seed *crosses* where
two evaluations in a row are at or above the level; *last quarter* is the mean over the evaluations
of the last quarter of the run.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from hf_grok.dynamics import grokking_summary
from hf_grok.dynamics.learning import WHOLE, Learning, learning_of
from hf_grok.dynamics.when.arrivals import arrival_of
from hf_grok.dynamics.when.seeds import fraction_interval
from hf_grok.errors import UserError
from hf_grok.metrics import GENERALIZATION
from hf_grok.report.sweep.several import read_sweeps

# Number of a probe at the last checkpoint -> whether the paper says that it ranks the depths.
STRUCTURE = {
    "eval_tree_score": True,
    "eval_tree_parseval": True,
    "eval_norm_l2_over_root_depth": False,
    "eval_sparsity_negative_entropy": False,
}
RANKS = 0.8
RISE = 0.2
ALPHA = 0.05


@dataclass(frozen=True)
class Seed:
    """One run.

    Attributes:
        learning: whether and when it learnt its language.
        crosses: whether generalization crossed the level.
        early: whether it did so before accuracy in distribution was at .99.
        kept: generalization where early stopping stops; None if it would not have.
        late: generalization in the last quarter.
        structure: numbers of probes at the last checkpoint that has them.
    """

    learning: Learning
    crosses: bool
    early: bool
    kept: float | None
    late: float
    structure: Mapping[str, float]


def read(paths: Sequence[Path], steps: int, level: float) -> dict[int, dict[int, Seed]]:
    """layers -> seed -> its run, up to a step; shorter runs are left out, and named."""
    found: dict[int, dict[int, Seed]] = {}
    for run in (run for arm in read_sweeps(paths, steps).arms for run in arm.runs):
        if run.layers is None:
            raise UserError(f"{run.path} does not say its layers: expected a grid over them")
        found.setdefault(run.layers, {})[int(run.seed or 0)] = seed_of(run.evaluations, level)
    return dict(sorted(found.items()))


def seed_of(wide: pd.DataFrame, level: float) -> Seed:
    summary = grokking_summary(wide)
    curve = wide[GENERALIZATION].dropna()
    arrival = arrival_of(curve.index.to_numpy(), curve.to_numpy(), level, hold=2)
    structure = {name: float(wide[name].dropna().iloc[-1]) for name in STRUCTURE if name in wide}
    stopped, learning = summary.early_stopping, learning_of(wide)
    return Seed(
        learning=learning,
        crosses=arrival.step is not None,
        early=arrival.step is not None and learning.before(arrival.step),
        kept=None if stopped is None else stopped.kept.value,
        late=summary.last_quarter_mean,
        structure=structure,
    )


def mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def print_depths(depths: Mapping[int, Mapping[int, Seed]]) -> None:
    """Claim 1, a line a depth."""
    print("1. Structural grokking: .99 in 9 of 10; last quarter .2 above early stopping, p < .05")
    for layers, seeds in depths.items():
        runs = list(seeds.values())
        saturated = sum(run.learning.step is not None for run in runs)
        late = mean(run.late for run in runs)
        told = f"  {layers:>2} layers, {len(runs)} seeds: {saturated} come to .99; last quarter "
        pairs = np.array([(run.kept, run.late) for run in runs if run.kept is not None])
        if not len(pairs):
            print(f"{told}{late:.3f}; early stopping would have stopped no run")
            continue
        rises = pairs[:, 1] - pairs[:, 0]
        p = float(stats.wilcoxon(rises, alternative="greater").pvalue)
        verdict = "not replicated"
        if saturated >= 0.9 * len(runs) and p < ALPHA and rises.mean() >= RISE:
            verdict = "replicated"
        elif 0.5 ** len(rises) >= ALPHA:
            verdict = "too few seeds for any p below .05"
        print(
            f"{told}{late:.3f}, early stopping {pairs[:, 0].mean():.3f}, paired rise "
            f"{rises.mean():+.3f} (p {p:.3f}): {verdict}"
        )


def print_middle(depths: Mapping[int, Mapping[int, Seed]], middle: Sequence[int]) -> None:
    """Claim 2: the depth at which most seeds cross, against the shallowest and the deepest."""
    counts = {
        n: (sum(r.crosses for r in seeds.values()), len(seeds)) for n, seeds in depths.items()
    }
    print("2. Best at middle depth: seeds that cross the level")
    for layers, (count, seeds) in counts.items():
        interval = fraction_interval(count, seeds)
        unlearnt = sum(run.learning.step is None for run in depths[layers].values())
        part = sum(run.learning.in_part for run in depths[layers].values())
        early = sum(run.early for run in depths[layers].values())
        told = f"; {unlearnt} never at .99 in distribution" if unlearnt else ""
        told += f"; {part} write fewer than {WHOLE} of the lines whole" if part else ""
        told += f"; {early} crossed before they were at .99 in distribution" if early else ""
        print(
            f"  {layers:>2} layers: {count} of {seeds}, {count / seeds:.2f} "
            f"({interval.low:.2f} to {interval.high:.2f}){told}"
        )
    if not (min(counts) < min(middle) and max(counts) > max(middle)):
        print(f"  not decided: no runs on both sides of the middle ({', '.join(map(str, middle))})")
        return
    best = max(counts, key=lambda layers: counts[layers][0] / counts[layers][1])
    ends = [layers for layers in (min(counts), max(counts)) if layers != best]
    tests = {end: greater(counts[best], counts[end]) for end in ends}
    above = all(np.divide(*counts[best]) > np.divide(*counts[end]) for end in ends)
    inside = best in middle and above
    verdict = "not replicated"
    if inside:
        verdict = "replicated" if all(p < ALPHA for p in tests.values()) else "suggested"
    told = ", ".join(f"against {end} layers p {p:.3f}" for end, p in tests.items())
    print(f"  most at {best} layers; {told} (one-sided): {verdict}")


def greater(first: tuple[int, int], second: tuple[int, int]) -> float:
    """p that the first fraction is no greater: Fisher's exact test, one-sided."""
    table = [[count, seeds - count] for count, seeds in (first, second)]
    return float(stats.fisher_exact(table, alternative="greater").pvalue)


def print_ranks(depths: Mapping[int, Mapping[int, Seed]]) -> None:
    """Claim 3: what orders the depths as generalization does."""
    print("3. Rank correlation over depths with generalization in the last quarter (.8 or more)")
    late = {layers: mean(run.late for run in seeds.values()) for layers, seeds in depths.items()}
    for name, should in STRUCTURE.items():
        means = {
            layers: mean(run.structure[name] for run in seeds.values() if name in run.structure)
            for layers, seeds in depths.items()
            if any(name in run.structure for run in seeds.values())
        }
        if len(means) < 3:
            print(f"  {name.removeprefix('eval_')}: probed at {len(means)} depths")
            continue
        rank = stats.spearmanr(list(means.values()), [late[layers] for layers in means]).statistic
        told = ", ".join(f"{layers}: {value:.3f}" for layers, value in means.items())
        as_published = (rank >= RANKS) == should
        print(
            f"  {name.removeprefix('eval_')}: {rank:+.2f}, published to "
            f"{'rank them' if should else 'fail'}: {'as published' if as_published else 'not so'} "
            f"({told})"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "results", nargs="+", type=Path, help="tables of results, or folders of sweeps"
    )
    parser.add_argument("--steps", type=int, default=15_000, help="read runs to here (15,000)")
    parser.add_argument("--level", type=float, default=0.8, help="of generalization (.8)")
    parser.add_argument("--middle", type=int, nargs="+", default=[4, 6, 8], help="depths (4 6 8)")
    options = parser.parse_args(arguments)
    depths = read(options.results, options.steps, options.level)
    print_depths(depths)
    print_middle(depths, options.middle)
    print_ranks(depths)


if __name__ == "__main__":
    main()
