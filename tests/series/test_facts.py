"""What a history says of a step."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import TrainingArguments

from hf_grok.series.about import examples_per_step
from hf_grok.series.facts import (
    TRAINERS_BATCH,
    data_position,
    lambda_at,
    metrics_at,
    recorded_batch,
    tokens_seen,
)

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


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ({}, None),
        ({"arguments": {}}, None),
        ({"arguments": {}, "chosen": {"processes": 2}}, 16),
        (
            {
                "arguments": {"per_device_train_batch_size": 64},
                "bound_arguments": {"gradient_accumulation_steps": 3},
                "chosen": {"processes": 2},
            },
            384,
        ),
        ({"arguments": {"auto_find_batch_size": True}, "chosen": {"processes": 1}}, None),
        ({"arguments": {}, "chosen": {"processes": 1}, "examples_per_step": 24}, 24),
    ],
)
def test_the_batch_that_a_run_recorded(about: dict, expected: int | None) -> None:
    assert recorded_batch(about) == expected


def test_defaults_are_trainers_own(tmp_path: Path) -> None:
    arguments = TrainingArguments(str(tmp_path), use_cpu=True)
    assert {name: getattr(arguments, name) for name in TRAINERS_BATCH} == TRAINERS_BATCH
    assert examples_per_step(arguments) == 8
