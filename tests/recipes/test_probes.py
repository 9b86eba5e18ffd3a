"""The probes of a recipe: which, over what, in every file, and without a trace in the run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from hf_grok.errors import UserError
from hf_grok.languages import WITH_STRUCTURE, WITHOUT_STRUCTURE
from hf_grok.probes import probe_names
from hf_grok.recipes.probes import chosen_probes
from tests.recipes.tiny import train_tiny

EVERY = "uas,tree,sparsity,norm,intrinsic_dimension,fisher,class_loss"


def rows(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_a_run_with_every_probe_is_the_run_without(tmp_path: Path) -> None:
    words = ["--max_steps", "12", "--evaluations", "log:4"]
    plain = train_tiny(tmp_path / "plain", *words, "--probes", "none")
    watched = train_tiny(tmp_path / "watched", *words, "--probes", EVERY)
    weights, expected = (load_file(run / "model.safetensors") for run in (watched, plain))
    assert all(torch.equal(weights[name], expected[name]) for name in expected)
    losses, wanted = (
        [row["loss"] for row in rows(run) if "loss" in row] for run in (watched, plain)
    )
    assert losses == wanted
    probed = [row for row in rows(watched) if "eval_probes_runtime" in row]
    assert [row["step"] for row in probed] == [0, 1, 2, 4, 8, 12]
    assert not [key for row in probed for key in row if key.endswith("_failed")]
    for number in ("uas_single_head", "tree_score", "tree_parseval", "norm_l2", "fisher_trace"):
        assert f"eval_{number}" in probed[-1], number
    pictures = [json.loads(line) for line in (watched / "probes.jsonl").read_text().splitlines()]
    assert {row["probe"] for row in pictures} == {"uas", "tree"}
    state = json.loads((watched / "trainer_state.json").read_text())
    assert any("eval_tree_score" in row for row in state["log_history"])


def test_probes_can_be_thinned_out_and_sized(tmp_path: Path) -> None:
    words = ["--max_steps", "12", "--evaluations", "log:4", "--probes", "tree"]
    run = train_tiny(tmp_path, *words, "--probe_every", "8", "--probe_examples", "16")
    probed = [row for row in rows(run) if "eval_tree_score" in row]
    assert [row["step"] for row in probed] == [0, 8, 12]
    assert probed[0]["eval_tree_sentences"] <= 4  # a quarter


def test_names() -> None:
    assert chosen_probes("default", "question-formation") == WITH_STRUCTURE
    assert chosen_probes("default", "dyck") == WITHOUT_STRUCTURE
    assert chosen_probes("none", "dyck") == ()
    assert chosen_probes("tree, norm", "dyck") == ("tree", "norm")
    assert set(WITH_STRUCTURE) <= set(probe_names())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--probes", "uas,three"], "unknown probe 'three': expected one of .*Did you mean 'tree'"),
        (["--probes", "uas,uas"], "name each probe once"),
        (["--probe_examples", "0"], "probe_examples=0: expected at least 1"),
        (["--probe_every", "0"], "probe_every=0: expected at least 1 step"),
        (["--stop_after", "-1"], "stop_after=-1"),
    ],
)
def test_bad_values_are_refused(tmp_path: Path, words: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        train_tiny(tmp_path, *words)
    assert not (tmp_path / "run").exists()
