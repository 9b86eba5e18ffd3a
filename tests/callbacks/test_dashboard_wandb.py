"""What W&B is told of a run: a double of its package stands for it, which is large."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from transformers.integrations import integration_utils

from tests.callbacks.dashboard_material import PARTS, Held, expected, once, probed
from tests.callbacks.wandb_double import Run, Wandb

STEP = "train/global_step"


@pytest.fixture
def wandb(monkeypatch: pytest.MonkeyPatch) -> Wandb:
    double, errors = Wandb(), ModuleType("wandb.sdk.lib.config_util")
    vars(errors)["ConfigError"] = KeyError
    monkeypatch.setitem(sys.modules, "wandb", double)
    monkeypatch.setitem(sys.modules, "wandb.sdk.lib.config_util", errors)
    monkeypatch.setattr(integration_utils, "is_wandb_available", lambda: True)
    return double


def scalars(run: Run) -> Held:
    return once(
        (row[STEP], chart, value)
        for row in run.rows
        for chart, value in row.items()
        if chart != STEP and isinstance(value, int | float)
    )


def test_it_is_told_the_log_history_tables_and_pictures(tmp_path: Path, wandb: Wandb) -> None:
    trainer = probed(tmp_path / "run", report_to="wandb")
    trainer.train()
    (run,) = wandb.runs.values()
    assert scalars(run) == pytest.approx(expected(trainer, *PARTS))
    totals = next(row for row in trainer.state.log_history if "train_loss" in row)
    assert run.summary["train_loss"] == totals["train_loss"]
    tables = [row for row in run.rows if "tree/part" in row]
    assert [row[STEP] for row in tables] == [0, 3, 6, 8]
    assert tables[0]["tree/part"].columns == ["part", "score", "baseline", "above it"]
    assert [
        row["tree/projected trees"].caption for row in run.rows if "tree/projected trees" in row
    ] == [f"step {step}" for step in (0, 3, 6, 8)]


def test_a_resumed_run_goes_on_under_its_id(tmp_path: Path, wandb: Wandb) -> None:
    settings: dict[str, Any] = {"report_to": "wandb", "save_strategy": "steps", "save_steps": 4}
    probed(tmp_path, **{**settings, "max_steps": 6}).train()
    wandb.finish()
    (tmp_path / "checkpoint-6").rename(tmp_path / "lost")  # as if it had been stopped before
    probed(tmp_path, **settings).train(resume_from_checkpoint=str(tmp_path / "checkpoint-4"))
    (run,) = wandb.runs.values()
    assert {step for step, chart in scalars(run) if chart == "train/loss"} == set(range(1, 9))


def test_another_run_has_another_id(tmp_path: Path, wandb: Wandb) -> None:
    for name in "ab":
        probed(tmp_path / name, report_to="wandb", max_steps=1).train()
        wandb.finish()
    assert len(wandb.runs) == 2
