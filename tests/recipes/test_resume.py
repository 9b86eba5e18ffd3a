"""A run that was killed and resumed ends as if nothing had happened."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.recipes.tiny import log_of, train_apart, train_tiny

# Dies without a farewell in the middle of step 26, mid-epoch (16 steps an epoch) and between
# checkpoints.
KILL = """
import os
from hf_grok.recipes.trainer.trainer import GrokTrainer
ordinary = GrokTrainer.training_step
def training_step(self, *arguments, **more):
    if self.state.global_step == 26:
        os._exit(77)
    return ordinary(self, *arguments, **more)
GrokTrainer.training_step = training_step
"""
# Dies while checkpoint-20 is being written: the weights are there, the optimiser is not.
KILL_IN_SAVE = """
import os
from hf_grok.recipes.trainer.trainer import GrokTrainer
ordinary = GrokTrainer._save_optimizer_and_scheduler
def save(self, folder):
    if self.state.global_step == 20:
        os._exit(77)
    return ordinary(self, folder)
GrokTrainer._save_optimizer_and_scheduler = save
"""


def same_end(one: Path, other: Path) -> None:
    weights, expected = (load_file(run / "model.safetensors") for run in (one, other))
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[name], expected[name]) for name in expected)
    assert log_of(one) == log_of(other)


@pytest.mark.parametrize("masks", ["pooled", "drawn"])
@pytest.mark.parametrize(("kill", "from_step"), [(KILL, 20), (KILL_IN_SAVE, 10)])
def test_killed_and_resumed(
    tmp_path: Path, masks: str, kill: str, from_step: int, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--dropout_masks", masks, "--logging_steps", "7"]  # a line's mean spans a checkpoint
    straight = train_tiny(tmp_path / "straight", *words)
    done = train_apart(tmp_path / "killed", *words, code=kill).finished()
    assert done.returncode == 77, done.stderr
    capsys.readouterr()
    resumed = train_tiny(tmp_path / "killed", *words, resume=True)
    said = capsys.readouterr().err
    assert f"resuming from {resumed / f'checkpoint-{from_step}'}" in said
    assert ("passing over checkpoint-20" in said) == (from_step == 10)
    same_end(resumed, straight)


def test_evaluating_changes_nothing(tmp_path: Path) -> None:
    often = train_tiny(tmp_path / "often", "--evaluations", "every:1", "--dropout_masks", "drawn")
    never = train_tiny(tmp_path / "never", "--evaluations", "40", "--dropout_masks", "drawn")
    weights, expected = (load_file(run / "model.safetensors") for run in (often, never))
    assert all(torch.equal(weights[name], expected[name]) for name in expected)


def test_resuming_without_a_checkpoint_starts_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").mkdir()
    run = train_tiny(tmp_path, "--max_steps", "5", resume=True)
    assert "no whole checkpoint: starting from the beginning" in capsys.readouterr().err
    assert log_of(run)[0]["step"] == 0


def test_a_damaged_last_checkpoint_is_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    straight = train_tiny(tmp_path / "straight")
    cut = train_tiny(tmp_path / "cut")
    weights = cut / "checkpoint-40" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    capsys.readouterr()
    same_end(train_tiny(tmp_path / "cut", resume=True), straight)
    assert "passing over checkpoint-40: model.safetensors has" in capsys.readouterr().err
