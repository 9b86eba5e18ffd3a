"""Does early structure foretell which seeds generalise? Rank correlations over runs.

    python benchmarks/structure_foretells.py runs/question-formation-quick-seed*

Of each probed number, its mean over the evaluations of a window of steps, against the run's
generalization accuracy over the last quarter of its steps, all lines and object relatives alone:
Spearman's rank correlation over the runs. Beside it, for each run, the correlation over its own
evaluations (from the first window on) of the number with generalization. With eight runs a rank
correlation below .74 in size is not significant at .05 (two-sided), and ten numbers were looked at.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from hf_grok.dynamics import Run, load_run
from hf_grok.dynamics.columns import OBJECT_RELATIVES
from hf_grok.dynamics.curves import last_part
from hf_grok.metrics import GENERALIZATION

NUMBERS = (
    "eval_tree_parseval",
    "eval_tree_score",
    "eval_uas_best_head",
    "eval_uas_atypical",
    "eval_sparsity_normalised",
    "eval_norm_l2",
    "eval_intrinsic_dimension_cosine",
)


def mean_in(run: Run, column: str, first: int, last: int) -> float:
    values = run.evaluations[column].dropna()
    return float(values[(values.index >= first) & (values.index <= last)].mean())


def at_the_end(run: Run, column: str) -> float:
    values = run.evaluations[column].dropna()
    return float(values[last_part(values.index.to_numpy())].mean())


def rank_correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Spearman's, without ties."""
    ranks = [np.argsort(np.argsort(values)) for values in (one, other)]
    return float(np.corrcoef(*ranks)[0, 1])


def within(run: Run, column: str, first: int) -> float:
    both = run.evaluations[[column, GENERALIZATION]].dropna()
    both = both[both.index >= first]
    return float(np.corrcoef(both[column], both[GENERALIZATION])[0, 1])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="+", help="probed runs of one recipe and length")
    parser.add_argument(
        "--windows",
        nargs="+",
        default=["1000:2000", "2500:4000", "11500:15000"],
        metavar="FIRST:LAST",
        help="steps over which each number is averaged",
    )
    options = parser.parse_args(arguments)
    runs = [load_run(path) for path in options.runs]
    windows = [tuple(map(int, text.split(":"))) for text in options.windows]
    ends = {
        column: [at_the_end(run, column) for run in runs]
        for column in (GENERALIZATION, OBJECT_RELATIVES)
    }
    print(f"{len(runs)} runs; rank correlation with the last quarter's generalization: all, object")
    heads = "".join(f"{f'{first:,} to {last:,}':>20}" for first, last in windows)
    print(f"{'':<34}{heads}   within each run from step {windows[0][0]:,} on")
    for name in NUMBERS:
        cells = ""
        for first, last in windows:
            early = [mean_in(run, name, first, last) for run in runs]
            both = [rank_correlation(early, values) for values in ends.values()]
            cells += f"{both[0]:>12.2f}{both[1]:>8.2f}"
        own = " ".join(f"{within(run, name, windows[0][0]):5.2f}" for run in runs)
        print(f"{name.removeprefix('eval_'):<34}{cells}   {own}")


if __name__ == "__main__":
    main()
