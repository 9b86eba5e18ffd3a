"""Probes' numbers as the report draws them: which share a panel, over which baselines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hf_grok.metrics import (
    NONE,
    PROBES,
    RUN,
    Measure,
    Metric,
    key_of,
    known_measures,
    measure_of,
    metric_of,
)
from hf_grok.report.style import numerals

RELATION = "uas_relation_"
RELATION_OFFSET = "uas_relation_offset_"


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
    for measure in known_measures(columns, recorded):
        drawn = measure.metric.panel or measure.metric.headline
        if drawn and metric_of(RUN, measure.name) is None:
            panels.setdefault(measure.panel, []).append(measure)
    return [Family(title, tuple(measures)) for title, measures in panels.items()]


def family_of(column: str) -> Family:
    """A column of ours by itself, under its own heading."""
    measure = measure_of(column)
    return Family(measure.panel, (measure,))


def paradigms(columns: Iterable[str]) -> list[Measure]:
    """Those of the columns that are accuracies of paradigms of minimal pairs."""
    known = known_measures(columns)
    return [one for one in known if key_of(PROBES["pairs"], one.name) == "pairs_{}"]
