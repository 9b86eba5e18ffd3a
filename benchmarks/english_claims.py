"""What the arms on real English say of the five claims, by the criteria stated in docs/results.md.

    python benchmarks/english_claims.py docs/results/english-seed*.parquet
    python benchmarks/english_claims.py runs/english

Takes tables of results, or folders of sweeps. Curves are joined by straight lines between
evaluations. *Begins* is the value at step 200, where the loss has fallen to word frequencies;
*ends* is the mean of the last three evaluations; *half* is the first step at which a curve is
halfway between the two.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hf_grok.runs.results import load_results

LOSS, PAIRS = "eval_loss", "eval_pairs_accuracy"
HEAD, OFFSET = "eval_uas_held_out_single_head", "eval_uas_held_out_single_offset"
FIRST, WINDOW = 200, 0.15


@dataclass(frozen=True)
class Curve:
    """One number of one run."""

    steps: np.ndarray
    values: np.ndarray

    @property
    def begins(self) -> float:
        return float(np.interp(FIRST, self.steps, self.values))

    @property
    def ends(self) -> float:
        return float(self.values[-3:].mean())

    @property
    def halfway(self) -> float:
        return (self.begins + self.ends) / 2

    def half(self) -> float:
        """First step at which half of the way from `begins` to `ends` is gone; nan for no way."""
        return self.passes(self.halfway)

    def passes(self, level: float) -> float:
        """First step from 200 on at which the curve is at `level`; nan if it never is."""
        grid = np.arange(FIRST, self.steps[-1] + 1)
        beyond = (np.interp(grid, self.steps, self.values) - level) * (level - self.begins) >= 0
        return float(grid[beyond.argmax()]) if beyond.any() else float("nan")

    def abrupt(self) -> float:
        """The largest share of the way that lies within 15 % of the run's steps."""
        grid = np.arange(self.steps[-1] + 1)
        values = np.interp(grid, self.steps, self.values)
        width = int(WINDOW * self.steps[-1])
        way = self.ends - self.begins
        return float(((values[width:] - values[:-width]) / way).max())


def curves(table: pd.DataFrame) -> dict[tuple[str, int, str], Curve]:
    found = {}
    for key, rows in table.groupby(["arm", "seed", "metric"]):
        rows = rows.sort_values("step")
        arm, seed, metric = key
        found[str(arm), int(seed), str(metric)] = Curve(
            rows["step"].to_numpy(float), rows["value"].to_numpy(float)
        )
    return found


def print_base(found: dict[tuple[str, int, str], Curve], seeds: Sequence[int]) -> None:
    print("Claims 1 and 2, base: UAS of the best single head on held-out books")
    for seed in seeds:
        loss, head, offset, pairs = (
            found["base", seed, one] for one in (LOSS, HEAD, OFFSET, PAIRS)
        )
        above, ratio = head.ends - offset.ends, head.half() / loss.half()
        print(
            f"  seed {seed}: {above:+.3f} above the best offset (.05 or more); of its rise "
            f"{head.abrupt():.2f} within 15 % of the steps (.5 or more); half at "
            f"{head.half():.0f}, of the loss's fall at {loss.half():.0f}, ratio {ratio:.2f} "
            f"(.67 to 1.5); pairs {pairs.begins:.3f} to {pairs.ends:.3f}, half at "
            f"{pairs.half():.0f} (later)"
        )


def print_pairs(found: dict[tuple[str, int, str], Curve], arms: Sequence[tuple[str, str]]) -> None:
    print("Claims 3 to 5: the arm against the other, of the same seed, at the end")
    for arm, other in arms:
        for seed in sorted({seed for name, seed, _ in found if name == arm}):
            if (other, seed, LOSS) not in found:
                continue
            told = ", ".join(
                f"{name} {found[arm, seed, metric].ends:.3f} against "
                f"{found[other, seed, metric].ends:.3f}"
                for name, metric in (("loss", LOSS), ("UAS", HEAD), ("pairs", PAIRS))
            )
            ours, theirs = found[arm, seed, HEAD], found[other, seed, HEAD]
            print(
                f"  {arm} against {other}, seed {seed}: {told}; UAS at half of {other}'s rise at "
                f"{ours.passes(theirs.halfway):.0f} against {theirs.half():.0f}"
            )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", nargs="+", help="tables of results, or folders of sweeps")
    found = curves(load_results(parser.parse_args(arguments).results))
    print_base(found, sorted({seed for arm, seed, _ in found if arm == "base"}))
    arms = sorted({arm for arm, _, _ in found} - {"base"})
    pairs = [(arm, "base") for arm in arms]
    if {"suppress", "sham-suppress"} <= set(arms):
        pairs.append(("suppress", "sham-suppress"))
    print_pairs(found, pairs)


if __name__ == "__main__":
    main()
