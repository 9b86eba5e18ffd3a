"""What the options of `hf-grok onsets` ask for, metric by metric."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from hf_grok.dynamics.curve_files import MetricCurve
from hf_grok.dynamics.onsets.find import DIRECTIONS
from hf_grok.dynamics.onsets.study import OnsetSettings
from hf_grok.errors import UserError, unknown_name
from hf_grok.metrics import NONE, Direction, Metric, find_measure, headlines

T = TypeVar("T")


def chosen_metrics(
    curves: Sequence[MetricCurve], names: Sequence[str], recorded: Mapping[str, Metric] = NONE
) -> list[str]:
    """The metrics to look at: those asked for, or the headlines, or all if there is none."""
    there = list(dict.fromkeys(curve.metric for curve in curves))
    if names:
        return list(dict.fromkeys(_resolved(name, there) for name in names))
    return [measure.column for measure in headlines(there, recorded)] or there


def _resolved(name: str, there: Sequence[str]) -> str:
    for candidate in (name, f"eval_{name}"):
        if candidate in there:
            return candidate
    raise unknown_name("metric", name, there)


def settings_of(
    curves: Sequence[MetricCurve],
    metrics: Sequence[str],
    options: argparse.Namespace,
    recorded: Mapping[str, Metric] = NONE,
) -> dict[str, OnsetSettings]:
    """metric -> how its onsets are sought.

    Args:
        curves: of all metrics.
        metrics: that are looked at.
        options: of the command line.
        recorded: what the runs' own probes declared.

    Raises:
        UserError: for a direction, number or metric that is none; names the option.
    """
    there = list(dict.fromkeys(curve.metric for curve in curves))

    def level(text: str) -> float | str:
        number = _number(text)
        return _resolved(text, there) if number is None else number

    directions = _by_metric("--direction", options.direction, metrics, _direction)
    baselines = _by_metric("--baseline", options.baseline, metrics, level)
    margins = _by_metric("--margin", options.margin, metrics, _required_number)
    least = _by_metric("--least-rise", options.least_rise, metrics, _required_number)
    known = {metric: find_measure(metric, recorded) for metric in metrics}
    declared = {metric: measure for metric, measure in known.items() if measure is not None}
    standard = {
        metric: measure.to_beat(_shared(curves, metric)) for metric, measure in declared.items()
    }
    return {
        metric: OnsetSettings(
            window=options.window,
            direction=directions.get(metric),
            declared=declared[metric].metric if metric in declared else None,
            baseline=baselines.get(metric, standard.get(metric)),
            margin=margins.get(metric),
            hold=options.hold,
            least=least.get(metric),
            resamples=options.resamples,
            seed=options.seed,
        )
        for metric in metrics
    }


def _shared(curves: Sequence[MetricCurve], metric: str) -> set[str]:
    """The metrics that every model with this metric has."""
    having: dict[str, set[str]] = {}
    for curve in curves:
        having.setdefault(curve.model, set()).add(curve.metric)
    return set.intersection(*(names for names in having.values() if metric in names))


def _by_metric(
    option: str, words: Sequence[str], metrics: Sequence[str], read: Callable[[str], T]
) -> dict[str, T]:
    """metric -> value, from words `X` (for all) and `METRIC=X`; what names a metric wins."""
    everywhere: dict[str, T] = {}
    named: dict[str, T] = {}
    for word in words:
        name, separator, text = word.rpartition("=")
        try:
            value = read(text)
            if separator:
                named[_resolved(name, metrics)] = value
            else:
                everywhere = dict.fromkeys(metrics, value)
        except UserError as error:
            raise UserError(f"{option} {word}: {error}") from error
    return {**everywhere, **named}


def _direction(text: str) -> Direction:
    for direction in DIRECTIONS:
        if text == direction:
            return direction
    raise unknown_name("direction", text, DIRECTIONS)


def _number(text: str) -> float | None:
    """The finite number that a text is; None for anything else."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _required_number(text: str) -> float:
    number = _number(text)
    if number is None:
        raise UserError("expected a number, or METRIC=NUMBER")
    return number
