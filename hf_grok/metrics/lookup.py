"""From a column of a run's evaluations to what is known of it."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any

from hf_grok.errors import UserError
from hf_grok.metrics.metric import Direction, Level, Metric, filled, key_of
from hf_grok.metrics.ours import PROBES, RUN
from hf_grok.metrics.plain import plain_metric

GROUP = "hf_grok.probes"
PREFIX = "eval_"
NONE: Mapping[str, Metric] = MappingProxyType({})
OURS: Mapping[str, Metric] = {**RUN, **{k: m for own in PROBES.values() for k, m in own.items()}}
_PLACES = {name: place for place, name in enumerate(OURS)}


def find_metric(column: str, recorded: Mapping[str, Metric] = NONE) -> Metric | None:
    """What is known of a column, by its whole name, with or without its `eval_`; None for nothing.

    Of our own numbers what `ours` says, of a probe of another package what the run `recorded`, or
    what the probe says where it is installed, of others what `plain` says.

    Args:
        column: of a run's evaluations.
        recorded: name -> what the probes of the run declared (`Run.metrics`).

    Raises:
        UserError: the probe of another package that measures it is installed and does not load.
    """
    home, name = _home(column, recorded)
    key = key_of(home, name)
    return plain_metric(column) if key is None else home[key]


def direction_of(column: str, recorded: Mapping[str, Metric] = NONE) -> Direction | None:
    """The direction in which a number gets better; None where nothing declares it."""
    metric = find_metric(column, recorded)
    return None if metric is None else metric.direction


def baseline_of(column: str, recorded: Mapping[str, Metric] = NONE) -> str | Level | None:
    """The column of what scores without the model's structure, or the level; None for neither."""
    home, name = _home(column, recorded)
    key = key_of(home, name)
    return None if key is None else column_beside(column, home[key].baseline, key)


def column_beside(column: str, other: str | Level | None, key: str = "") -> str | Level | None:
    """The column of another metric, named as `column` is; a level as it is."""
    if not isinstance(other, str):
        return other
    prefix = PREFIX if column.startswith(PREFIX) else ""
    return prefix + filled(column.removeprefix(PREFIX), key, other)


def standard_baseline(
    column: str, available: Collection[str], recorded: Mapping[str, Metric] = NONE
) -> float | str | None:
    """What a headline must beat; None for others, or if it is not among the `available` columns."""
    metric = find_metric(column, recorded)
    if metric is None or not metric.headline:
        return None
    level = baseline_of(column, recorded)
    if isinstance(level, Level):
        return level.value
    return level if level in available else None


def known_metrics(
    columns: Iterable[str], recorded: Mapping[str, Metric] = NONE
) -> dict[str, Metric]:
    """The columns of a run's evaluations that are known: ours in their order, then the others."""
    found = [(column, metric) for column, metric in _found(columns, recorded)]
    return dict(sorted(found, key=lambda item: _PLACES.get(item[0].removeprefix(PREFIX), 10**6)))


def headlines(columns: Iterable[str], recorded: Mapping[str, Metric] = NONE) -> dict[str, Metric]:
    """The main numbers among the columns of a run, in the order of `known_metrics`."""
    known = known_metrics(columns, recorded)
    return {column: metric for column, metric in known.items() if metric.headline}


def owner_of(column: str) -> str:
    """Which of our probes a column is of; for others the column."""
    name = column.removeprefix(PREFIX)
    return next((probe for probe, own in PROBES.items() if key_of(own, name) is not None), column)


def title_of(column: str, metric: Metric) -> str:
    """What heads a number's rows and columns."""
    return metric.title or column.removeprefix(PREFIX).replace("_", " ")


def _found(columns: Iterable[str], recorded: Mapping[str, Metric]) -> Iterator[tuple[str, Metric]]:
    for column in columns:
        metric = find_metric(column, recorded) if column.startswith(PREFIX) else None
        if metric is not None:
            yield column, metric


def _home(column: str, recorded: Mapping[str, Metric]) -> tuple[Mapping[str, Metric], str]:
    """The table that holds a column's number, and its name there; an empty table for none."""
    name = column.removeprefix(PREFIX)
    for home in (OURS, recorded):
        if key_of(home, name) is not None:
            return home, name
    for point in _installed(tuple(sys.path)):
        if name.startswith(f"{point.name}_"):
            declared = _declared(point)
            if key_of(declared, name) is not None:
                return declared, name
    return NONE, name


@lru_cache(maxsize=1)
def _installed(path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """The probes of other packages; read anew where the path of imports has changed."""
    return tuple(entry_points(group=GROUP))


def _declared(point: EntryPoint) -> Mapping[str, Metric]:
    try:
        probe: Any = point.load()
    except (ImportError, AttributeError) as error:
        raise UserError(
            f"the entry point {point.name!r} of group {GROUP} ({point.value}) does not load: "
            f"{error}; mend or uninstall its package"
        ) from error
    metrics: Mapping[str, Metric] = getattr(probe, "metrics", NONE)
    return metrics
