"""The numbers that the arms of a sweep are compared by, and what they came to at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hf_grok.dynamics import Run
from hf_grok.dynamics.columns import curve
from hf_grok.dynamics.curves import last_part
from hf_grok.metrics import VALIDATION_LOSS, Measure, Metric, headlines, measure_of, owner_of
from hf_grok.report import probe_metrics
from hf_grok.report.style import numerals
from hf_grok.report.sweep.runs import Arm, Sweep


@dataclass(frozen=True)
class Quantity:
    """One number that arms are compared by.

    Args:
        measure: its column, what it is, and its baselines.
        afterwards: its end is what `hf-grok probe` found in the last checkpoint, on more data than
            a run takes at every evaluation.
    """

    measure: Measure
    afterwards: bool = False

    @property
    def column(self) -> str:
        """Of the evaluations."""
        return self.measure.column

    @property
    def metric(self) -> Metric:
        """What it is."""
        return self.measure.metric

    @property
    def baseline(self) -> str | float | None:
        """What to beat: a column, or a number; 0, where counting begins, of a share without one.

        None for a loss, whose level is the reference's, and for what has no scale of its own.
        """
        one = self.measure.baseline
        if one is None:
            return 0.0 if self.metric.is_share else None
        return one.column or one.value

    @property
    def title(self) -> str:
        """At the head of its column."""
        return self.measure.title

    def say(self, value: float) -> str:
        """How a value is written."""
        return numerals.accuracy(value) if self.metric.is_share else numerals.plain(value)


LOSS = Quantity(measure_of(VALIDATION_LOSS))


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


def present(sweep: Sweep) -> list[Quantity]:
    """The main numbers that any run has measured, and of a probe without one what it draws alone.

    Norms and sparsity have no better and worse, so none of theirs is a main number.
    """
    recorded = {name: metric for run in sweep.runs for name, metric in run.metrics.items()}
    columns = _columns(sweep)
    chosen = headlines(columns, recorded)
    owners = {owner_of(measure.column) for measure in chosen}
    for family in probe_metrics.families(columns, recorded):
        lone = family.measures[0]
        if len(family.measures) == 1 and owner_of(lone.column) not in owners:
            chosen.append(lone)
    return [_told(sweep, measure) for measure in chosen]


def paradigms(sweep: Sweep) -> list[Quantity]:
    """The accuracy of each paradigm of minimal pairs, by name."""
    return [_told(sweep, measure) for measure in probe_metrics.paradigms(sorted(_columns(sweep)))]


def _columns(sweep: Sweep) -> dict[str, None]:
    return dict.fromkeys(
        str(column) for run in sweep.runs for column in run.evaluations.columns if has(run, column)
    )


def _told(sweep: Sweep, measure: Measure) -> Quantity:
    quantity = Quantity(measure)
    return replace(quantity, afterwards=_all_probed(sweep, quantity))


def _all_probed(sweep: Sweep, quantity: Quantity) -> bool:
    """Whether the last checkpoint of every run that measured it has been probed afterwards."""
    columns = [quantity.column]
    if isinstance(quantity.baseline, str):
        columns.append(quantity.baseline)
    runs = [run for run in sweep.runs if has(run, quantity.column)]
    return not quantity.metric.swings and all(
        _probed_at_end(run, column) is not None for run in runs for column in columns
    )


def _probed_at_end(run: Run, column: str) -> float | None:
    """What probing the checkpoint of the run's last evaluation found; None if that was not done."""
    later, last = run.later, run.evaluations.index[-1]
    if later is None or column not in later.columns or last not in later.index:
        return None
    value = float(later.loc[last, column])
    return None if np.isnan(value) else value


def at_end(run: Run, quantity: Quantity) -> float:
    """The last value; of what swings, the mean over the last quarter."""
    if quantity.afterwards and (probed := _probed_at_end(run, quantity.column)) is not None:
        return probed
    steps, values = curve(run.evaluations, quantity.column)
    return float((values[last_part(steps)] if quantity.metric.swings else values[-1:]).mean())


def ends(arm: Arm, quantity: Quantity) -> Spread | None:
    """Over the arm's runs that measured it."""
    return spread([at_end(run, quantity) for run in arm.runs if has(run, quantity.column)])


def baseline_at_end(sweep: Sweep, quantity: Quantity) -> Spread | None:
    """What scores without the model, over all runs; None where nothing was made to."""
    if not isinstance(quantity.baseline, str):
        return spread([quantity.baseline]) if quantity.baseline else None
    level = replace(quantity, measure=replace(quantity.measure, column=quantity.baseline))
    return spread([at_end(run, level) for run in sweep.runs if has(run, level.column)])
