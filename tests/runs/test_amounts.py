"""Schedules of words and tokens against a run followed step by step; names of steps by them."""

from __future__ import annotations

import itertools

import pytest

from hf_grok.errors import UserError
from hf_grok.runs.epochs import amount_text, name_of_step, parse_amount, roundest
from hf_grok.runs.schedule import AmountSchedule, StepSchedule, parse_schedule

READ = [0, *itertools.accumulate(37 + 13 * (step % 5) for step in range(200))]
SEEN = {"words": READ.__getitem__}
LAST = len(READ) - 1


def test_an_amount_is_due_at_the_first_step_that_has_seen_it() -> None:
    amounts = (37, 38, 1000, 5000, READ[-1])
    schedule = AmountSchedule("words", amounts).in_steps(SEEN, LAST)
    steps = range(LAST + 1)
    expected = {next(step for step in steps if READ[step] >= each) for each in amounts}
    assert set(schedule.steps) == expected
    due = [step for step in range(LAST + 1) if schedule.due(step, LAST)]
    assert due == sorted({0, LAST, *expected})


def test_two_amounts_that_one_step_passes_are_refused() -> None:
    with pytest.raises(UserError, match=r"step 1 goes from 0 to 37 words, and so passes 1 and 2"):
        AmountSchedule.parse("words:1,2").in_steps(SEEN, LAST)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("words:1M", f"goes beyond the run, which has seen {READ[-1]:,} words at its last step"),
        ("tokens:100", "does not know how many tokens it has seen .it counts words."),
    ],
)
def test_what_the_run_cannot_keep_is_refused(text: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        AmountSchedule.parse(text).in_steps(SEEN, LAST)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("words:", "expected"),
        ("words:1M,", "expected"),
        ("words:1X", "expected"),
        ("words:0,1M", "do not increase"),
        ("words:2M,1M", "do not increase"),
        ("words:1M,1000K", "do not increase"),
        ("words:1.5", "expected"),
        ("letters:5", "words:1M,2M"),
    ],
)
def test_refused(text: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        parse_schedule(text)


def test_both_kinds_are_read() -> None:
    assert parse_schedule("words:1.5M,2M,1B") == AmountSchedule(
        "words", (1_500_000, 2 * 10**6, 10**9)
    )
    assert parse_schedule("every:5") == StepSchedule(every=5)
    for text in ("words:1M,1000037,1500K", "tokens:5,10K,2T"):
        assert str(parse_schedule(text)) == text


def test_amounts_there_and_back() -> None:
    for amount in (0, 7, 999, 1000, 1500, 10**6, 1_000_037, 25 * 10**8, 3 * 10**12):
        assert parse_amount(amount_text(amount)) == amount
    assert [amount_text(amount) for amount in (0, 10**7, 1_500_000)] == ["0", "10M", "1500K"]


def roundest_by_definition(before: int, now: int) -> int:
    inside = range(before + 1, now + 1)
    zeros = {number: len(str(number)) - len(str(number).rstrip("0")) for number in inside}
    return max(inside, key=lambda number: (zeros[number], number))


def test_the_roundest_number_of_a_step() -> None:
    for before, now in itertools.combinations(range(0, 420, 7), 2):
        assert roundest(before, now) == roundest_by_definition(before, now), (before, now)
    assert roundest(999_990, 1_000_037) == 10**6


def test_no_two_steps_have_one_name() -> None:
    names = [name_of_step(READ.__getitem__, step) for step in range(LAST + 1)]
    assert len(set(names)) == len(names)
    assert names == sorted(names)
    with pytest.raises(UserError, match="a step from 5 to 5 sees nothing"):
        name_of_step(lambda step: 5, 3)
