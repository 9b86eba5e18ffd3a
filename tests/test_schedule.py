"""Schedules: which steps are due, and what is refused."""

from __future__ import annotations

import pytest

from hf_grok.errors import UserError
from hf_grok.schedule import StepSchedule


@pytest.mark.parametrize(
    ("text", "last", "steps"),
    [
        ("log:10", 35, [0, 1, 2, 4, 8, 10, 20, 30, 35]),
        ("log:16", 32, [0, 1, 2, 4, 8, 16, 32]),
        ("log:1", 3, [0, 1, 2, 3]),
        ("every:10", 35, [0, 10, 20, 30, 35]),
        ("every:100", 35, [0, 35]),
        ("0,3,20", 35, [0, 3, 20, 35]),
        ("3", 5, [0, 3, 5]),
    ],
)
def test_due_steps(text: str, last: int, steps: list[int]) -> None:
    assert StepSchedule.parse(text).all_steps(last) == steps


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected"),
        ("log:", "expected"),
        ("log:0", "1 or more"),
        ("every:-5", "1 or more"),
        ("linear:5", "expected"),
        ("0,20,10", "not increasing"),
        ("0,10,10", "not increasing"),
        ("-1,10", "not increasing from 0"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        StepSchedule.parse(text)


def test_an_empty_schedule_is_refused() -> None:
    with pytest.raises(UserError, match="empty schedule"):
        StepSchedule()
