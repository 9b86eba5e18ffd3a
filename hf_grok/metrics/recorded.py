"""What probes of other packages declare of their numbers, as the run's folder keeps it.

So reports and cards know the numbers where the package is not installed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from hf_grok.errors import UserError, unknown_name
from hf_grok.metrics.lookup import OURS
from hf_grok.metrics.metric import Level, Metric
from hf_grok.text.printable import quoted

_NUMBER, _WORDS = (int, float), {str: "a text", bool: "true or false", list: "a list"}
_KINDS: Mapping[str, Any] = {
    **dict.fromkeys(("meaning", "unit", "title", "label", "panel", "kind", "split", "sought"), str),
    **dict.fromkeys(("higher_is_better", "headline", "logarithmic", "swings"), bool),
    **dict.fromkeys(("lowest", "highest", "margin"), _NUMBER),
}


def recordable(metrics: Mapping[str, Metric]) -> dict[str, dict[str, Any]]:
    """Of the numbers that are not ours, what is not at its default, as plain JSON."""
    return {
        name: {
            field.name: _plain(value)
            for field in dataclasses.fields(metric)
            if (value := getattr(metric, field.name)) != field.default
        }
        for name, metric in metrics.items()
        if name not in OURS
    }


def recorded_metrics(content: Mapping[str, Any], place: str) -> dict[str, Metric]:
    """`recordable` read back.

    Args:
        content: as it was written.
        place: that it was read from, for errors.

    Raises:
        UserError: what is no such content; names place, number and field.
    """
    return {name: _metric(values, f"{place}: {quoted(name)}") for name, values in content.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Level):
        return {"label": value.label, "value": value.value}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _metric(values: Any, place: str) -> Metric:
    known = {field.name for field in dataclasses.fields(Metric)}
    if not isinstance(values, dict) or not {"meaning", "unit"} <= values.keys():
        raise UserError(f"{place}: expected an object with meaning and unit, got {quoted(values)}")
    for field in values.keys() - known:
        raise unknown_name(f"{place}: field of a metric", field, known)
    return Metric(**{field: _value(field, value, place) for field, value in values.items()})


def _value(field: str, value: Any, place: str) -> Any:
    if field == "beside" and isinstance(value, list):
        return tuple(_line(one, place) for one in value)
    if field == "baseline":
        return _line(value, place)
    kind = _KINDS.get(field, list)
    right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    if not right or (field == "sought" and value not in ("rise", "fall")):
        words = "rise or fall" if field == "sought" else _WORDS.get(kind, "a number")
        raise UserError(f"{place}: expected {field} to be {words}, got {quoted(value)}")
    return value


def _line(value: Any, place: str) -> str | Level:
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and value.keys() == {"label", "value"}:
        label, level = value["label"], value["value"]
        if isinstance(label, str) and isinstance(level, _NUMBER) and not isinstance(level, bool):
            return Level(label, float(level))
    raise UserError(
        f"{place}: expected a baseline to be a name, or a label and its value; got {quoted(value)}"
    )
