"""What a history says of a step."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import TrainingArguments

from hf_grok.runs.epochs import Epoch
from hf_grok.series.local.step_values import (
    TRAINERS_BATCH,
    data_position,
    lambda_at,
    metrics_at,
    recorded_epoch,
    tokens_seen,
)

ROWS = {"data": {"train_examples": 21}}
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
    assert [data_position(step, Epoch(20, 8)) for step in range(5)] == [0, 8, 16, 20, 28]
    assert [data_position(step, None) for step in (0, 1)] == [0, None]


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ({}, None),
        ({"arguments": {}}, None),
        ({"arguments": {}, "chosen": {"processes": 2}}, None),  # of how many rows?
        ({"arguments": {}, "chosen": {"processes": 1}, **ROWS}, Epoch(21, 8)),
        ({"arguments": {}, "chosen": {"processes": 2}, **ROWS}, Epoch(32, 16)),
        (
            {"arguments": {"dataloader_drop_last": True}, "chosen": {"processes": 1}, **ROWS},
            Epoch(16, 8),
        ),
        (
            {
                "arguments": {"per_device_train_batch_size": 64},
                "bound_arguments": {"gradient_accumulation_steps": 3},
                "chosen": {"processes": 2},
                **ROWS,
            },
            Epoch(128, 384),
        ),
        ({"arguments": {"auto_find_batch_size": True}, "chosen": {"processes": 1}, **ROWS}, None),
        ({"arguments": {}, "epoch": {"examples": 9, "per_step": 4}, **ROWS}, Epoch(9, 4)),
        ({"arguments": {}, "chosen": {"processes": 1}, "epoch": None, **ROWS}, None),
    ],
)
def test_the_epoch_that_a_run_recorded(about: dict, expected: Epoch | None) -> None:
    assert recorded_epoch(about) == expected


def test_defaults_are_trainers_own(tmp_path: Path) -> None:
    arguments = TrainingArguments(str(tmp_path), use_cpu=True)
    assert {name: getattr(arguments, name) for name in TRAINERS_BATCH} == TRAINERS_BATCH
