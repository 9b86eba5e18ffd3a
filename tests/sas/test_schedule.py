"""lambda(t): forms that are read, values at each step, and what is refused."""

from __future__ import annotations

import pytest

from hf_grok.errors import UserError
from hf_grok.sas.schedule import LambdaSchedule


def test_a_constant_holds_from_its_step_until_the_next() -> None:
    schedule = LambdaSchedule.parse("0:1e-2,3000:0,5000:-0.5")
    assert [schedule(step) for step in (0, 1, 2999)] == [0.01] * 3
    assert [schedule(step) for step in (3000, 4999)] == [0.0] * 2
    assert [schedule(step) for step in (5000, 10**9)] == [-0.5] * 2


def test_a_ramp_is_a_straight_line_and_stays_where_it_ends() -> None:
    schedule = LambdaSchedule.parse("0:0.4,100:0.4->0@4,200:0->-1@10")
    values = [schedule(step) for step in (99, 100, 101, 102, 103, 104, 199)]
    assert values == pytest.approx([0.4, 0.4, 0.3, 0.2, 0.1, 0.0, 0.0])
    assert [schedule(step) for step in (205, 210, 999)] == pytest.approx([-0.5, -1.0, -1.0])


@pytest.mark.parametrize(
    ("text", "off", "promotes", "switches"),
    [
        ("0:0", True, False, ()),
        ("0:0,10:0", True, False, (10,)),
        ("0:0.1", False, False, ()),
        ("0:0.1,10:0", False, False, (10,)),
        ("0:0,10:0->-1@5", False, True, (10, 15)),
    ],
)
def test_what_a_schedule_says_of_itself(
    text: str, off: bool, promotes: bool, switches: tuple[int, ...]
) -> None:
    schedule = LambdaSchedule.parse(text)
    assert (schedule.is_off, schedule.promotes, schedule.switches) == (off, promotes, switches)


@pytest.mark.parametrize("text", ["0:0.01,3000:0", "0:0.01,3000:0.01->0@500", "0:-0.1"])
def test_writing_a_schedule_and_reading_it_gives_the_same(text: str) -> None:
    schedule = LambdaSchedule.parse(text)
    assert LambdaSchedule.parse(str(schedule)) == schedule
    assert str(schedule) == text


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("", "is no phase"),
        ("0.1", "is no phase"),
        ("0:", "is no phase"),
        ("0:0.1;10:0", "no finite number"),
        ("0:much", "'much' is no finite number"),
        ("0:nan", "'nan' is no finite number"),
        ("0:0.1->inf@3", "'inf' is no finite number"),
        ("0:0.1->0@0", "takes no steps"),
        ("0:0.1->0", "is no"),
        ("10:0.1", "begins at step 10"),
        ("0:1,20:0,10:1", "goes back in time: step 10 comes after step 20"),
        ("0:1,10:0,10:1", "goes back in time"),
        ("0:1->0@100,50:0", "beyond the start of '50:0'"),
    ],
)
def test_what_is_no_schedule_is_refused_with_what_is(text: str, seen: str) -> None:
    with pytest.raises(UserError, match="sas_schedule") as caught:
        LambdaSchedule.parse(text)
    assert seen in str(caught.value)


@pytest.mark.parametrize("text", ["0:1,101:0", "0:1,90:1->0@11"])
def test_a_step_beyond_the_run_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"changes at step 101, and the run ends at max_steps=100"):
        LambdaSchedule.parse(text).check_length(100)
    LambdaSchedule.parse(text).check_length(101)


def test_the_update_before_a_step_is_the_one_that_led_to_it() -> None:
    schedule = LambdaSchedule.parse("0:0.5,3:-1")
    updates = [schedule(done) for done in range(5)]  # the n-th update follows n others
    assert [schedule.before(step) for step in range(1, 6)] == updates
    assert schedule.before(0) == 0.5
