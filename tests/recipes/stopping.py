"""Runs that die where a test wants them to."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from hf_grok.recipes.trainer.trainer import GrokTrainer


class StoppedError(Exception):
    """Raised in the place of a step."""


def stop_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every run dies in the middle of `step`."""
    ordinary = GrokTrainer.training_step

    def training_step(trainer: GrokTrainer, *arguments: Any, **more: Any) -> torch.Tensor:
        if trainer.state.global_step == step:
            raise StoppedError
        return ordinary(trainer, *arguments, **more)

    monkeypatch.setattr(GrokTrainer, "training_step", training_step)
