"""What a history says of a step."""

from __future__ import annotations

import pytest

from hf_grok.series.facts import data_position, lambda_at, metrics_at, tokens_seen

HISTORY = [
    {"step": 1, "loss": 3.0, "sas_lambda": 0.5},
    {"step": 2, "loss": float("nan"), "epoch": 0.5},
    {"step": 2, "eval_loss": 2.0, "eval_tokens_seen": 128, "note": "text", "flag": True},
]


def test_metrics_are_the_finite_numbers_of_that_step() -> None:
    assert metrics_at(HISTORY, 2) == {"epoch": 0.5, "eval_loss": 2.0, "eval_tokens_seen": 128}
    assert metrics_at(HISTORY, 3) == {}


def test_lambda_is_that_of_the_step_and_nothing_is_guessed() -> None:
    assert lambda_at(HISTORY, 1) == 0.5
    assert lambda_at(HISTORY, 2) is None


@pytest.mark.parametrize(("counted", "step", "expected"), [(7, 2, 7), (0, 2, 128), (0, 1, None)])
def test_tokens(counted: int, step: int, expected: int | None) -> None:
    assert tokens_seen(counted, HISTORY, step) == expected
    assert tokens_seen(0, HISTORY, 0) == 0


def test_data_position() -> None:
    assert data_position(3, 8) == 24
