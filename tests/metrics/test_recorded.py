"""What other packages' probes declare, written and read back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hf_grok.errors import UserError
from hf_grok.metrics import PROBES, Level, Metric, recordable, recorded_metrics

FULL = Metric(
    "size of it", "parts", 0.0, 9.0, False, Level("none", 0.5), "size", "of it", True, "Sizes",
    ("my_least", Level("most", 9.0)), True, "size", "test", "fall", 0.2, True,
)  # fmt: skip


def test_every_field_is_read_back() -> None:
    metrics = {"my_size": FULL, "my_least": Metric("least", "parts", baseline="my_{}")}
    written = json.loads(json.dumps(recordable(metrics)))
    assert recorded_metrics(written, "file") == metrics
    assert written["my_least"] == {"meaning": "least", "unit": "parts", "baseline": "my_{}"}


def test_ours_are_not_recorded() -> None:
    assert recordable(PROBES["uas"]) == {}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("text", "'my_size': expected an object with meaning and unit, got 'text'"),
        ({"meaning": "m"}, "expected an object with meaning and unit"),
        ({"direction": "fall"}, "unknown file: 'my_size': field of a metric 'direction'"),
        ({"highest": "9"}, "expected highest to be a number, got '9'"),
        ({"highest": True}, "expected highest to be a number, got True"),
        ({"headline": 1}, "expected headline to be true or false, got 1"),
        ({"title": None}, "expected title to be a text, got None"),
        ({"sought": "up"}, "expected sought to be rise or fall, got 'up'"),
        ({"beside": "my_least"}, "expected beside to be a list"),
        ({"beside": [3]}, "a label and its value; got 3"),
        ({"baseline": {"label": "x", "value": True}}, "a label and its value"),
    ],
)
def test_what_was_changed_by_hand_is_refused(values: Any, message: str) -> None:
    right = {"meaning": "m", "unit": "u"}
    whole = values if not isinstance(values, dict) or "meaning" in values else {**right, **values}
    with pytest.raises(UserError, match=message):
        recorded_metrics({"my_size": whole}, "file")
