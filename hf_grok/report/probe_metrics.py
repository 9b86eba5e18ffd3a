"""Probes' numbers as the report draws them: which share a panel, over which baselines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from hf_grok.metrics import (
    NONE,
    PREFIX,
    PROBES,
    RUN,
    Level,
    Metric,
    baseline_of,
    column_beside,
    find_metric,
    key_of,
    known_metrics,
    metric_of,
    title_of,
)
from hf_grok.report import numerals

RELATION = "uas_relation_"
RELATION_OFFSET = "uas_relation_offset_"


@dataclass(frozen=True)
class Baseline:
    """What a number would be without the model's structure.

    Args:
        label: beside its line.
        column: of a run's evaluations that holds it; "" where it is always the same.
        value: what it always is, where there is no such column.
    """

    label: str
    column: str = ""
    value: float | None = None


@dataclass(frozen=True)
class Measure:
    """One column of a run's evaluations, and what is known of it.

    Args:
        column: its name.
        metric: what it is.
        baselines: what to compare it with, the one to beat first.
    """

    column: str
    metric: Metric
    baselines: tuple[Baseline, ...] = ()

    @property
    def name(self) -> str:
        """As the probe reports it."""
        return self.column.removeprefix(PREFIX)

    @property
    def label(self) -> str:
        """Beside its curve."""
        return self.metric.label or title_of(self.column, self.metric)


@dataclass(frozen=True)
class Family:
    """Numbers that are drawn over each other; the first one's scale is that of all.

    Args:
        title: what they are, and in which unit.
        measures: the numbers.
    """

    title: str
    measures: tuple[Measure, ...]

    @property
    def shares(self) -> bool:
        """Whether the axis goes from 0 to 1; else it follows the values."""
        return self.measures[0].metric.is_share

    @property
    def logarithmic(self) -> bool:
        """Whether the numbers change by factors."""
        return self.measures[0].metric.logarithmic

    @property
    def headline(self) -> bool:
        """Whether last and best value belong into the table."""
        first = self.measures[0].metric
        return first.headline and first.direction is not None

    def say(self, value: float) -> str:
        """A value of these numbers, as labels and tables write it."""
        return numerals.accuracy(value) if self.shares else numerals.plain(value)


def families(columns: Iterable[str], recorded: Mapping[str, Metric] = NONE) -> list[Family]:
    """The panels of those columns that are drawn, in order: our own probes' first.

    Args:
        columns: of a run's evaluations.
        recorded: what the run's own probes declared.
    """
    panels: dict[str, list[Measure]] = {}
    for column, metric in known_metrics(columns, recorded).items():
        if metric_of(RUN, column.removeprefix(PREFIX)) is None and (
            metric.panel or metric.headline
        ):
            measure = measure_of(column, recorded)
            panels.setdefault(family_title(measure), []).append(measure)
    return [Family(title, tuple(measures)) for title, measures in panels.items()]


def family_of(column: str, recorded: Mapping[str, Metric] = NONE) -> Family:
    """A known column by itself, under its own heading."""
    measure = measure_of(column, recorded)
    return Family(family_title(measure), (measure,))


def measure_of(column: str, recorded: Mapping[str, Metric] = NONE, *, title: str = "") -> Measure:
    """A column with its baselines, and a title of its own where one is given.

    Raises:
        KeyError: nothing is known of it.
    """
    metric = find_metric(column, recorded)
    if metric is None:
        raise KeyError(column)
    lines = [
        baseline_of(column, recorded),
        *(column_beside(column, other) for other in metric.beside),
    ]
    metric = replace(metric, title=title) if title else metric
    return Measure(column, metric, tuple(_baseline(one, recorded) for one in lines if one))


def family_title(measure: Measure) -> str:
    """Heads its panel: what it declares, or its title, with the unit of what is no share."""
    if measure.metric.panel:
        return measure.metric.panel
    title = title_of(measure.column, measure.metric)
    unit = "" if measure.metric.is_share else f" ({measure.metric.unit})"
    return f"{title[:1].upper()}{title[1:]}{unit}"


def paradigm_of(column: str) -> str | None:
    """The paradigm of minimal pairs that a column is of, in words; None if it is of none."""
    name = column.removeprefix(PREFIX)
    if key_of(PROBES["pairs"], name) != "pairs_{}":
        return None
    return name.removeprefix("pairs_").replace("_", " ")


def _baseline(line: str | Level, recorded: Mapping[str, Metric]) -> Baseline:
    if isinstance(line, Level):
        return Baseline(line.label, value=line.value)
    metric = find_metric(line, recorded)
    label = metric.label or title_of(line, metric) if metric else line.removeprefix(PREFIX)
    return Baseline(label, line)
