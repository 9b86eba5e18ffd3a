"""Which steps are missing, by hand; Pythia's published schedule is the long example."""

from __future__ import annotations

import pytest

from hf_grok.runs.schedule import StepSchedule
from hf_grok.series.verify.schedule_gaps import missing_steps

PYTHIA = [0, *(2**i for i in range(10)), *range(1000, 144_000, 1000)]


def test_a_whole_series_has_no_hole() -> None:
    assert missing_steps(PYTHIA) == []


@pytest.mark.parametrize("step", [2, 64, 256, 5000, 142_000])
def test_each_taken_out_is_found(step: int) -> None:
    assert missing_steps([s for s in PYTHIA if s != step]) == [step]


@pytest.mark.parametrize("text", ["log:250", "every:100", "log:64"])
@pytest.mark.parametrize("last", [1000, 1001, 1037])
def test_our_own_schedules_are_whole(text: str, last: int) -> None:
    schedule = StepSchedule.parse(text)
    assert missing_steps([step for step in range(last + 1) if schedule.due(step, last)]) == []


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], []),
        ([5], []),
        ([0, 7, 19], []),
        ([0, 1, 2, 4], []),
        ([0, 1, 2, 4, 6, 8, 10], []),
        ([0, 2, 4, 6, 10], [8]),
        ([0, 100, 200, 500], [300, 400]),
        ([0, 1, 2, 3, 4, 5, 7], [6]),
        ([0, 1, 2, 8, 16], [4]),
        ([10, 30, 20], []),
    ],
)
def test_by_hand(steps: list[int], expected: list[int]) -> None:
    assert missing_steps(steps) == expected
