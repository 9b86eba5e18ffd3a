"""The numbers that the arms of a sweep are compared by, and what they came to at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hf_grok.dynamics import Run
from hf_grok.dynamics.columns import GENERALIZATION, VALIDATION_LOSS, curve
from hf_grok.dynamics.curves import last_part
from hf_grok.dynamics.existence import Direction
from hf_grok.report import numerals
from hf_grok.report.arms_runs import Arm, Sweep

PAIRS = "eval_pairs_"
# Numbers of minimal pairs that are of no paradigm.
NO_PARADIGM = ("accuracy", "ties", "phenomenon_")


@dataclass(frozen=True)
class Quantity:
    """One number that arms are compared by.

    Args:
        name: at the head of its column.
        column: of the evaluations.
        say: how a value is written.
        baseline: what to beat: a column, or a number, of which 0 is no more than where counting
            begins; None for a loss, whose level is the reference's.
        margin: ours: how far beyond the baseline it must be, twice in a row, to have begun.
        swings: the mean of the last quarter stands for the end: the last evaluation is a lottery.
        title: of its panel in the figure, where it has one.
        beaten: what the baseline is, in a word.
        afterwards: its end is what `hf-grok probe` found in the last checkpoint, on more data than
            a run takes at every evaluation.
    """

    name: str
    column: str
    say: Callable[[float], str] = numerals.accuracy
    baseline: str | float | None = None
    margin: float = 0.05
    swings: bool = False
    title: str = ""
    beaten: str = ""
    afterwards: bool = False

    @property
    def direction(self) -> Direction:
        """Where better is."""
        return "fall" if self.baseline is None else "rise"


LOSS = Quantity("LM loss", VALIDATION_LOSS, numerals.plain, title="LM loss, nats a token")
QUANTITIES = (
    LOSS,
    Quantity("UAS, one head", "eval_uas_single_head", baseline="eval_uas_single_offset"),
    Quantity(
        "UAS, best heads",
        "eval_uas_best_head",
        baseline="eval_uas_best_offset",
        title="UAS, best head of each relation",
        beaten="best offsets",
    ),
    Quantity("UAS, uncommon offsets", "eval_uas_atypical", baseline="eval_uas_atypical_offset"),
    Quantity(
        "minimal pairs",
        f"{PAIRS}accuracy",
        baseline=0.5,
        margin=0.1,
        title="Minimal pairs, accuracy",
        beaten="chance",
    ),
    Quantity(
        "generalization",
        GENERALIZATION,
        baseline=0.0,
        margin=0.8,
        swings=True,
        title="Generalization, accuracy",
    ),
)


@dataclass(frozen=True)
class Spread:
    """A number of several runs: mean, standard deviation (n - 1), least and greatest."""

    mean: float
    deviation: float
    low: float
    high: float
    count: int


def spread(values: Sequence[float]) -> Spread | None:
    """The spread of some values; None for none."""
    if not values:
        return None
    array = np.asarray(values, dtype=np.float64)
    deviation = float(array.std(ddof=1)) if array.size > 1 else 0.0
    return Spread(
        float(array.mean()), deviation, float(array.min()), float(array.max()), array.size
    )


def has(run: Run, column: str) -> bool:
    """Whether a run measured the column at all."""
    return column in run.evaluations.columns and bool(run.evaluations[column].notna().any())


def present(sweep: Sweep, among: Sequence[Quantity] = QUANTITIES) -> list[Quantity]:
    """The quantities that any run has measured."""
    return [
        replace(one, afterwards=_all_probed(sweep, one))
        for one in among
        if any(has(run, one.column) for run in sweep.runs)
    ]


def _all_probed(sweep: Sweep, quantity: Quantity) -> bool:
    """Whether the last checkpoint of every run that measured it has been probed afterwards."""
    columns = [quantity.column]
    if isinstance(quantity.baseline, str):
        columns.append(quantity.baseline)
    runs = [run for run in sweep.runs if has(run, quantity.column)]
    return not quantity.swings and all(
        _probed_at_end(run, column) is not None for run in runs for column in columns
    )


def _probed_at_end(run: Run, column: str) -> float | None:
    """What probing the checkpoint of the run's last evaluation found; None if that was not done."""
    later, last = run.later, run.evaluations.index[-1]
    if later is None or column not in later.columns or last not in later.index:
        return None
    value = float(later.loc[last, column])
    return None if np.isnan(value) else value


def paradigms(sweep: Sweep) -> list[Quantity]:
    """The accuracy of each paradigm of minimal pairs, by name."""
    columns = {str(column) for run in sweep.runs for column in run.evaluations.columns}
    names = sorted(one.removeprefix(PAIRS) for one in columns if one.startswith(PAIRS))
    each = [
        Quantity(name.replace("_", " "), PAIRS + name)
        for name in names
        if not name.startswith(NO_PARADIGM)
    ]
    return present(sweep, each)


def at_end(run: Run, quantity: Quantity) -> float:
    """The last value; of what swings, the mean over the last quarter."""
    if quantity.afterwards and (probed := _probed_at_end(run, quantity.column)) is not None:
        return probed
    steps, values = curve(run.evaluations, quantity.column)
    return float((values[last_part(steps)] if quantity.swings else values[-1:]).mean())


def ends(arm: Arm, quantity: Quantity) -> Spread | None:
    """Over the arm's runs that measured it."""
    return spread([at_end(run, quantity) for run in arm.runs if has(run, quantity.column)])


def baseline_at_end(sweep: Sweep, quantity: Quantity) -> Spread | None:
    """What scores without the model, over all runs; None where nothing was made to."""
    if not isinstance(quantity.baseline, str):
        return spread([quantity.baseline]) if quantity.baseline else None
    level = replace(quantity, column=quantity.baseline)
    return spread([at_end(run, level) for run in sweep.runs if has(run, level.column)])
