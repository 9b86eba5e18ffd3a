"""Schedules: which steps are due, and what is refused."""

from __future__ import annotations

import pytest

from hf_grok.errors import UserError
from hf_grok.runs.schedule import StepSchedule


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
        ("every:10,3,20", 35, [0, 3, 10, 20, 30, 35]),
        ("log:4,6,7", 9, [0, 1, 2, 4, 6, 7, 8, 9]),
    ],
)
def test_due_steps(text: str, last: int, steps: list[int]) -> None:
    schedule = StepSchedule.parse(text)
    assert [step for step in range(last + 1) if schedule.due(step, last)] == steps
    assert StepSchedule.parse(str(schedule)) == schedule


def test_further_steps_are_added_and_nothing_is_written_out() -> None:
    far = 10**17
    schedule = StepSchedule.parse("every:250").with_steps([far + 1, 37])
    assert str(schedule) == f"every:250,37,{far + 1}"
    assert schedule.due(far + 1, 2 * far)
    assert schedule.due(37, 2 * far)
    assert schedule.due(far, 2 * far)  # a multiple of 250
    assert not schedule.due(far - 1, 2 * far)


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
        ("9" * 5000, "expected"),
        ("every:" + "9" * 5000, "expected"),
        ("every:10,", "expected"),
        ("10,every:5", "expected"),
        ("log:5,9,7", "not increasing"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        StepSchedule.parse(text)


def test_an_empty_schedule_is_refused() -> None:
    with pytest.raises(UserError, match="empty schedule"):
        StepSchedule()
