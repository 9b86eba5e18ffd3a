"""From a column of a run's evaluations to what is known of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from types import MappingProxyType
from typing import Any

from hf_grok.errors import UserError
from hf_grok.metrics.metric import Direction, Level, Metric, filled, key_of, metric_of
from hf_grok.metrics.ours import PROBES, RUN
from hf_grok.metrics.plain import plain_metric
from hf_grok.packages import brought_points, by_name, the_one

GROUP = "hf_grok.probes"
PREFIX = "eval_"
NONE: Mapping[str, Metric] = MappingProxyType({})
OURS: Mapping[str, Metric] = {**RUN, **{k: m for own in PROBES.values() for k, m in own.items()}}
_PLACES = {name: place for place, name in enumerate(OURS)}


@dataclass(frozen=True)
class Baseline:
    """What a number would be without the model's structure.

    Attributes:
        label: beside its line.
        title: what it is, in words.
        column: of a run's evaluations that holds it; "" where it is always the same.
        value: what it always is, where there is no such column.
    """

    label: str
    title: str
    column: str = ""
    value: float | None = None


@dataclass(frozen=True)
class Measure:
    """One column of a run's evaluations, and what is known of it.

    Attributes:
        column: its name.
        metric: what it is.
        title: heads its rows and columns.
        baselines: what to compare it with, the one to beat first.
    """

    column: str
    metric: Metric
    title: str
    baselines: tuple[Baseline, ...] = ()

    @property
    def name(self) -> str:
        """As a probe reports it."""
        return self.column.removeprefix(PREFIX)

    @property
    def label(self) -> str:
        """Beside its curve."""
        return self.metric.label or self.title

    @property
    def kind(self) -> str:
        """The Hub's identifier of such a metric."""
        return self.metric.kind or self.name

    @property
    def panel(self) -> str:
        """Heads its panel: as it is declared, or its title with the unit of what is no share."""
        unit = "" if self.metric.is_share else f" ({self.metric.unit})"
        return self.metric.panel or f"{self.title[:1].upper()}{self.title[1:]}{unit}"

    @property
    def baseline(self) -> Baseline | None:
        """The one to beat; None where the lines beside it are no more than lines."""
        return None if self.metric.baseline is None else self.baselines[0]

    def to_beat(self, available: Collection[str]) -> float | str | None:
        """Of a headline the baseline's value, or its column if that is among the `available`."""
        if self.baseline is None or not self.metric.headline:
            return None
        column = self.baseline.column
        return column if column in available else self.baseline.value


def find_measure(column: str, recorded: Mapping[str, Metric] = NONE) -> Measure | None:
    """What is known of a column, by its whole name, with or without its `eval_`; None for nothing.

    Of our own numbers what `ours` says, of a probe of another package what the run `recorded`, or
    what the probe says where it is installed, of others what `plain` says.

    Args:
        column: of a run's evaluations.
        recorded: name -> what the probes of the run declared (`Run.metrics`).

    Raises:
        UserError: the probe of another package that measures it is installed and does not load,
            or two packages have one of its name.
    """
    name = column.removeprefix(PREFIX)
    home = _home(name, recorded)
    key = key_of(home, name)
    metric = plain_metric(column) if key is None else home[key]
    if metric is None:
        return None
    key = key or name
    prefix = column.removesuffix(name)
    lines = [one for one in (metric.baseline, *metric.beside) if one is not None]
    return Measure(
        column,
        metric,
        filled(_words(name), key, metric.title) or _words(name),
        tuple(_baseline(one, prefix, filled(name, key, str(one)), home) for one in lines),
    )


def measure_of(column: str, recorded: Mapping[str, Metric] = NONE) -> Measure:
    """`find_measure` of what is known.

    Raises:
        KeyError: nothing is known of it.
    """
    measure = find_measure(column, recorded)
    if measure is None:
        raise KeyError(column)
    return measure


def find_metric(column: str, recorded: Mapping[str, Metric] = NONE) -> Metric | None:
    """What the number in a column is; None if nothing is known of it."""
    measure = find_measure(column, recorded)
    return None if measure is None else measure.metric


def direction_of(column: str, recorded: Mapping[str, Metric] = NONE) -> Direction | None:
    """The direction in which a number gets better; None where nothing declares it."""
    metric = find_metric(column, recorded)
    return None if metric is None else metric.direction


def known_measures(columns: Iterable[str], recorded: Mapping[str, Metric] = NONE) -> list[Measure]:
    """What is known of the columns of a run's evaluations: ours first, each in declared order."""
    found = (find_measure(one, recorded) for one in columns if one.startswith(PREFIX))
    known = (measure for measure in found if measure is not None)
    order = [*_PLACES, *(name for name in recorded if name not in _PLACES)]
    places = {name: at for at, name in enumerate(order)}
    return sorted(known, key=lambda measure: places.get(measure.name, len(order)))


def headlines(columns: Iterable[str], recorded: Mapping[str, Metric] = NONE) -> list[Measure]:
    """The main numbers among the columns of a run, in the order of `known_measures`."""
    return [one for one in known_measures(columns, recorded) if one.metric.headline]


def owner_of(column: str) -> str:
    """Which of our probes a column is of, also under a name that goes on from its own ("uas_gum").

    For others the column.
    """
    name = column.removeprefix(PREFIX)
    for probe, own in PROBES.items():
        if key_of(own, name) is not None:
            return probe
    for probe, own in PROBES.items():
        words = name.removeprefix(f"{probe}_").split("_") if name.startswith(f"{probe}_") else []
        for at in range(1, len(words)):
            if key_of(own, "_".join([probe, *words[at:]])) is not None:
                return "_".join([probe, *words[:at]])
    return column


def _words(name: str) -> str:
    return name.replace("_", " ")


def _baseline(line: str | Level, prefix: str, name: str, home: Mapping[str, Metric]) -> Baseline:
    if isinstance(line, Level):
        return Baseline(line.label, line.label, value=line.value)
    metric = metric_of(home, name)
    title = (metric and metric.title) or _words(name)
    return Baseline((metric and metric.label) or title, title, prefix + name)


def _home(name: str, recorded: Mapping[str, Metric]) -> Mapping[str, Metric]:
    """The table that holds a number; an empty one for none."""
    for home in (OURS, recorded):
        if key_of(home, name) is not None:
            return home
    known = by_name(brought_points(GROUP))
    for probe in known:
        if name.startswith(f"{probe}_") and (point := the_one("probe", probe, known).thing):
            return _declared(point)
    return NONE


def _declared(point: EntryPoint) -> Mapping[str, Metric]:
    try:
        probe: Any = point.load()
    except (ImportError, AttributeError) as error:
        raise UserError(
            f"the entry point {point.name!r} of group {GROUP} ({point.value}) does not load: "
            f"{error}; fix or uninstall its package"
        ) from error
    metrics: Mapping[str, Metric] = getattr(probe, "metrics", NONE)
    return metrics
