"""A run from start to end: what it leaves, and where its numbers are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from hf_grok.errors import UserError
from hf_grok.recipes.session import Session
from tests.recipes.tiny import train_tiny

EVALUATED = [0, 1, 2, 4, 8, 10, 20, 30, 40]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_tiny(tmp_path_factory.mktemp("finished"))


def rows(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_evaluations_and_checkpoints_come_as_scheduled(finished: Path) -> None:
    assert [row["step"] for row in rows(finished) if "eval_loss" in row] == EVALUATED
    saved = sorted(int(path.name.split("-")[1]) for path in finished.glob("checkpoint-*"))
    assert saved == [0, 10, 20, 30, 40]


def test_numbers_are_in_the_table_and_in_the_trainers_history(finished: Path) -> None:
    history = json.loads((finished / "trainer_state.json").read_text())["log_history"]
    assert rows(finished) == history
    evaluation = rows(finished)[0]
    expected = {
        "eval_loss",
        "eval_in_distribution_accuracy",
        "eval_in_distribution_exact_match",
        "eval_generalization_accuracy",
        "eval_generalization_accuracy_rc_subject_intransitive",
        "eval_generalization_accuracy_rc_subject_transitive",
        "eval_generalization_accuracy_rc_object",
        "eval_generalization_main_share",
        "eval_generalization_linear_share",
        "eval_generalization_neither_share",
        "eval_generalization_exact_match",
    }
    assert expected <= set(evaluation)
    assert all(type(value) in (int, float) for row in rows(finished) for value in row.values())


def test_run_json_says_what_ran(finished: Path) -> None:
    info = json.loads((finished / "run.json").read_text())
    assert (info["status"], info["recipe"], info["seed"]) == ("finished", "tiny", 7)
    assert info["model"]["layers"] == 2
    assert info["arguments"]["learning_rate"] == 1e-3
    assert info["chosen"]["precision"] in ("fp32", "bf16")
    assert set(info["versions"]) >= {"torch", "transformers", "datasets", "hf_grok", "python"}


def test_the_final_model_loads_and_generates(finished: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(finished)
    tokenizer = AutoTokenizer.from_pretrained(finished)
    assert model.config.use_cache
    prompt = tokenizer("the newt does smile . quest", return_tensors="pt")
    generated = model.generate(**prompt, max_new_tokens=5, do_sample=False)
    assert generated.shape[1] == prompt["input_ids"].shape[1] + 5


@pytest.mark.slow
def test_a_stock_architecture_loads_without_this_package(tmp_path: Path) -> None:
    options = '{"n_positions": 64}'
    run = train_tiny(tmp_path, "--model", "gpt2", "--model_options", options, "--max_steps", "2")
    program = (
        "import sys; sys.modules['hf_grok'] = None\n"
        "from transformers import AutoModelForCausalLM, AutoTokenizer\n"
        f"model = AutoModelForCausalLM.from_pretrained({str(run)!r})\n"
        f"tokenizer = AutoTokenizer.from_pretrained({str(run)!r})\n"
        "print(type(model).__name__, tokenizer.decode(tokenizer('the newt .')['input_ids']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "GPT2LMHeadModel <s> the newt ."


def test_a_folder_that_cannot_be_written_is_refused_before_data_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_late(session: Session) -> None:
        pytest.fail("the data were made, and then nothing could be written")

    monkeypatch.setattr(Session, "_prepare", too_late)
    (tmp_path / "run").touch()
    with pytest.raises(UserError, match=r"cannot write to .*run .*--output_dir"):
        train_tiny(tmp_path)


def test_a_folder_with_another_run_is_refused(finished: Path) -> None:
    before = (finished / "metrics.jsonl").read_bytes()
    with pytest.raises(UserError, match=r"already holds a run.*--resume.*--output_dir"):
        train_tiny(finished.parent)
    assert (finished / "metrics.jsonl").read_bytes() == before


def test_best_metric_can_be_a_behaviour(tmp_path: Path) -> None:
    words = ["--metric_for_best_model", "eval_generalization_accuracy", "--greater_is_better", "1"]
    run = train_tiny(tmp_path, *words, "--max_steps", "10")
    state = json.loads((run / "trainer_state.json").read_text())
    after_start = [row for row in rows(run) if "eval_loss" in row and row["step"] > 0]
    assert state["best_metric"] == max(row["eval_generalization_accuracy"] for row in after_start)


def test_precision_reaches_the_products(tmp_path: Path) -> None:
    steps = ["--max_steps", "3", "--checkpoints", "0"]
    runs = {
        precision: train_tiny(tmp_path / precision, "--precision", precision, *steps)
        for precision in ("fp32", "bf16")
    }
    losses = {
        name: [row["eval_loss"] for row in rows(run) if "eval_loss" in row]
        for name, run in runs.items()
    }
    assert losses["fp32"][0] == losses["bf16"][0]  # the same weights, measured in full precision
    assert losses["fp32"][-1] != losses["bf16"][-1]
    assert losses["fp32"][-1] == pytest.approx(losses["bf16"][-1], rel=1e-2)
