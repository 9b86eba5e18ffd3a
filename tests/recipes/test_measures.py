"""What a recipe measures: the same as probes asked afterwards, and one row a round."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from hf_grok.commands.probe import main
from hf_grok.evaluation.runner import run_probes
from hf_grok.runs.folder import RESULTS_FILE
from tests.callbacks.material import CountingProbe, tiny_model
from tests.recipes.tiny import train_tiny


def test_probes_asked_afterwards_find_what_the_run_measured(tmp_path: Path) -> None:
    words = ["--max_steps", "12", "--evaluations", "log:4", "--checkpoints", "log:4"]
    run = train_tiny(tmp_path, *words, "--evaluation_examples", "0", "--probes", "norm")
    probes = ["--probes", "question_formation,loss", "--data", "question-formation"]
    assert main([str(run), *probes]) == 0
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    evaluated = {row["step"]: row for row in rows if "eval_loss" in row}
    found = json.loads((run / RESULTS_FILE).read_text())["rows"]
    assert {row["step"] for row in found} == {0, 1, 2, 4, 8, 12}
    names = {row["metric"] for row in found}
    assert {"loss", "in_distribution_accuracy", "generalization_accuracy_rc_object"} <= names
    for row in found:
        assert evaluated[row["step"]][f"eval_{row['metric']}"] == pytest.approx(
            row["value"], rel=1e-6
        ), row
    # One row a round, the norm of the weights in it once.
    for row in evaluated.values():
        assert {"eval_generalization_accuracy", "eval_norm_l2", "eval_probes_runtime"} < row.keys()
        assert "eval_weight_norm" not in row
    steps = [row["step"] for row in rows if any(name.startswith("eval_") for name in row)]
    assert steps == sorted(evaluated)


class Failing(CountingProbe):
    def state(self, model: nn.Module, indices: object = None) -> dict[str, torch.Tensor]:
        raise ValueError("out of luck")


def test_a_measure_that_fails_ends_the_round_with_its_own_error() -> None:
    with pytest.raises(ValueError, match="out of luck"):
        run_probes(tiny_model(), [Failing()], isolated=False)
    assert run_probes(tiny_model(), [Failing()]).failures == {"count": "ValueError: out of luck"}
