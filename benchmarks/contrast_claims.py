"""Does hierarchy need syntax, or attention at these distances? By the criteria in docs/results.md.

    python benchmarks/contrast_claims.py runs/question-formation-contrast
    python benchmarks/contrast_claims.py docs/results/question-formation-contrast.parquet

Takes a sweep's folder, or the table that it leaves (of docs/results without the training log, so
without R: they were written before tables had it).
*Last quarter* is the mean over the evaluations of the last quarter of a run. An arm *loses the
hierarchy* where generalization in the last quarter lies below the base run's in each seed and by .2
or more in the mean; it *keeps* it where the mean difference is below .1 and some seed is not below.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from hf_grok.dynamics import Run
from hf_grok.dynamics.curves import last_part
from hf_grok.metrics import GENERALIZATION, IN_DISTRIBUTION, SAS_PENALTY
from hf_grok.report.sweep.several import read_sweeps

BASE, SUPPRESS, SHAM = "base", "suppress-0.3", "sham-suppress-0.3"
CONTRAST = "contrast-clamped-suppress-0.3"
UNCOMMON = "eval_uas_atypical"
OBJECT = f"{GENERALIZATION}_rc_object"
SATURATED, LOST, KEPT, UNSEEN, SMALL, APART = 0.99, 0.2, 0.1, 0.2, 0.05, 0.2


@dataclass(frozen=True)
class Seed:
    """One run.

    Attributes:
        saturated: whether in-distribution accuracy came to .99.
        late: generalization in the last quarter.
        late_objects: of the sentences with an object relative alone.
        uncommon: UAS of the best heads at uncommon offsets, at the last checkpoint.
        penalty: mean of R over the last quarter of training; None where the table has it not.
    """

    saturated: bool
    late: float
    late_objects: float
    uncommon: float | None
    penalty: float | None


def seed_of(run: Run) -> Seed:
    wide = run.evaluations
    probed = wide[UNCOMMON].dropna() if UNCOMMON in wide else []
    return Seed(
        saturated=bool((wide[IN_DISTRIBUTION] >= SATURATED).any()),
        late=last_quarter(wide, GENERALIZATION),
        late_objects=last_quarter(wide, OBJECT),
        uncommon=float(probed.iloc[-1]) if len(probed) else None,
        penalty=last_quarter(run.training, SAS_PENALTY) if SAS_PENALTY in run.training else None,
    )


def last_quarter(wide: pd.DataFrame, name: str) -> float:
    curve = wide[name].dropna()
    return float(curve[last_part(curve.index.to_numpy())].mean())


def differences(arm: Mapping[int, Seed], other: Mapping[int, Seed]) -> np.ndarray:
    """Generalization in the last quarter, arm - other, over the seeds that both have."""
    return np.array([arm[seed].late - other[seed].late for seed in sorted(arm.keys() & other)])


def loses(below: np.ndarray) -> bool:
    return bool(len(below) and (below < 0).all() and -below.mean() >= LOST)


def keeps(below: np.ndarray) -> bool:
    return bool(len(below) and -below.mean() < KEPT and (below >= 0).any())


def print_arms(arms: Mapping[str, Mapping[int, Seed]]) -> None:
    print(f"{'':<32}{'seeds':>6}{'>= .99':>8}{'last quarter':>22}{'objects':>9}{'UAS':>7}{'R':>8}")
    for name, seeds in arms.items():
        runs = list(seeds.values())
        late = [run.late for run in runs]
        told = f"{np.mean(late):.2f} ({min(late):.2f} to {max(late):.2f})"
        print(
            f"{name:<32}{len(runs):>6}{sum(run.saturated for run in runs):>8}{told:>22}"
            f"{np.mean([run.late_objects for run in runs]):>9.2f}"
            f"{shown([run.uncommon for run in runs], 2):>7}"
            f"{shown([run.penalty for run in runs], 4):>8}"
        )
        print(f"{'':<32}  by seed: {', '.join(f'{n}: {seeds[n].late:.2f}' for n in sorted(seeds))}")


def shown(values: Sequence[float | None], places: int) -> str:
    there = [value for value in values if value is not None]
    return f"{np.mean(there):.{places}f}" if there else "-"


def print_answer(arms: Mapping[str, Mapping[int, Seed]]) -> None:
    base, sham, contrast = arms[BASE], arms[SHAM], arms[CONTRAST]
    print("\nLast quarter against base's, of the same seed")
    for name in (SUPPRESS, SHAM, CONTRAST):
        below = differences(arms[name], base)
        told = "loses the hierarchy" if loses(below) else "keeps it" if keeps(below) else "neither"
        print(
            f"  {name:<30} {below.mean():+.2f} ({below.min():+.2f} to {below.max():+.2f}), "
            f"below in {(below < 0).sum()} of {len(below)} seeds: {told}"
        )
    above = differences(contrast, sham)
    print(
        f"  {CONTRAST} against {SHAM}: {above.mean():+.2f}, above in {(above > 0).sum()} of "
        f"{len(above)}"
    )
    lacking = [
        said
        for said, holds in {
            "in-distribution accuracy is not at .99 in every run": all(
                run.saturated for arm in arms.values() for run in arm.values()
            ),
            f"{SHAM} does not lose the hierarchy": loses(differences(sham, base)),
            "the contrast did not suppress syntax": suppressed(contrast, base),
        }.items()
        if not holds
    ]
    print(f"Answer: {answer(differences(contrast, base), above, lacking)}")


def suppressed(contrast: Mapping[int, Seed], base: Mapping[int, Seed]) -> bool:
    """Whether heads at uncommon offsets were lost, and R (where it is known) is small."""
    ours, theirs = (
        [run.uncommon for run in arm.values() if run.uncommon is not None]
        for arm in (contrast, base)
    )
    penalties = [run.penalty for run in contrast.values() if run.penalty is not None]
    apart = float(np.mean(theirs)) - float(np.mean(ours))
    return apart >= UNSEEN and (not penalties or float(np.mean(penalties)) <= SMALL)


def answer(against_base: np.ndarray, against_sham: np.ndarray, lacking: Sequence[str]) -> str:
    """By the criteria 1 to 5."""
    if lacking:
        return "none: " + "; ".join(lacking)
    if keeps(against_base):
        return "attention at these distances"
    above = bool((against_sham > 0).all())
    if loses(against_base) and not above:
        return "syntax"
    if loses(against_base) and against_sham.mean() >= APART:
        return "both"
    return "not decided"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", nargs="+", type=Path, help="sweeps' folders, or their tables")
    sweep = read_sweeps(parser.parse_args(arguments).results)
    arms = {arm.name: {int(run.seed or 0): seed_of(run) for run in arm.runs} for arm in sweep.arms}
    missing = [name for name in (BASE, SUPPRESS, SHAM, CONTRAST) if not arms.get(name)]
    if missing:
        parser.error(f"no finished run of {', '.join(missing)}: the answer takes all four arms")
    unprobed = [n for n in (BASE, CONTRAST) if any(r.uncommon is None for r in arms[n].values())]
    if unprobed:
        parser.error(
            f"no UAS of every run of {', '.join(unprobed)}: probe them as "
            "docs/results.md says, and give the sweep's command again"
        )
    print_arms(arms)
    print_answer(arms)


if __name__ == "__main__":
    main()
