"""Two processes follow the same trajectory as one with the same batch."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.processes import run_together
from tests.recipes.tiny import recipe_file, train_tiny

WITHOUT_DROPOUT = '{"intermediate_size": 32, "dropout": 0.0, "attention_dropout": 0.0}'
# In fp32: bf16 rounds a batch of 8 and two of 4 apart by more than what is compared.
WORDS = ["--model_options", WITHOUT_DROPOUT, "--max_steps", "12", "--logging_steps", "1"]
WORDS += ["--precision", "fp32"]
# The last batch of an epoch, the eighth, does not share out evenly.
WORDS += ["--language_options", '{"train_size": 61, "validation_size": 20, "test_size": 40, '
          '"generalization_size": 20}']  # fmt: skip


def train_in_two_processes(folder: Path) -> Path:
    folder.mkdir()
    words = ["-m", "hf_grok.train", recipe_file(folder), *WORDS]
    words += ["--output_dir", str(folder / "run"), "--ddp_find_unused_parameters", "false"]
    run_together(2, words)
    return folder / "run"


def logged(run: Path, key: str) -> list[float]:
    rows = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    return [row[key] for row in rows if key in row]


def test_two_processes_equal_one(tmp_path: Path) -> None:
    alone = train_tiny(tmp_path / "alone", *WORDS, "--per_device_train_batch_size", "8")
    together = train_in_two_processes(tmp_path / "together")
    for key in ("loss", "grad_norm", "eval_loss"):
        assert logged(together, key) == pytest.approx(logged(alone, key), rel=1e-5), key
    key = "eval_generalization_accuracy"
    assert logged(together, key) == logged(alone, key)
    weights, expected = (load_file(run / "model.safetensors") for run in (together, alone))
    for name in expected:
        torch.testing.assert_close(weights[name], expected[name], rtol=1e-4, atol=1e-5)
    assert json.loads((together / "run.json").read_text())["chosen"]["processes"] == 2
