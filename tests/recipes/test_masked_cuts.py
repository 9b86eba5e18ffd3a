"""A masked run's trajectory does not change with accumulation and processes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.processes import run_together
from tests.recipes.tiny_masked import WITHOUT_DROPOUT, logged, masked_recipe_file, train_masked

# One trajectory: 8 sentences a step, over two epochs, in plain order.
TOGETHER = ["--precision", "fp32", "--max_steps", "12", "--logging_steps", "1"]
TOGETHER += ["--bucketed_batches", "false", "--model_options", WITHOUT_DROPOUT]
CUTS = ("--per_device_train_batch_size", "--gradient_accumulation_steps")


def cut(batch: int, accumulation: int) -> list[str]:
    return [*TOGETHER, CUTS[0], str(batch), CUTS[1], str(accumulation)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_masked(tmp_path_factory.mktemp("whole"), *cut(8, 1))


def same_trajectory(run: Path, expected: Path) -> None:
    for key in ("loss", "grad_norm", "eval_loss"):
        assert logged(run, key) == pytest.approx(logged(expected, key), rel=1e-5), key
    weights, wanted = (load_file(one / "model.safetensors") for one in (run, expected))
    for name in wanted:
        torch.testing.assert_close(weights[name], wanted[name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("batch", "accumulation"), [(4, 2), (1, 8)])
def test_accumulation_does_not_show(
    tmp_path: Path, whole: Path, batch: int, accumulation: int
) -> None:
    same_trajectory(train_masked(tmp_path, *cut(batch, accumulation)), whole)


def test_processes_do_not_show(tmp_path: Path, whole: Path) -> None:
    words = ["-m", "hf_grok.train", masked_recipe_file(tmp_path), *cut(2, 2)]
    words += ["--output_dir", str(tmp_path / "run"), "--ddp_find_unused_parameters", "false"]
    run_together(2, words)
    same_trajectory(tmp_path / "run", whole)
