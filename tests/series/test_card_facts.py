"""From the folder of a run to its cards: what a recipe's run says, what a plain Trainer's does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import TrainingArguments

from hf_grok.errors import UserError
from hf_grok.model_cards import problems, series_readme, step_readme
from hf_grok.runs.about import about_training, write_about
from hf_grok.runs.notes import read_notes
from hf_grok.runs.record import versions
from hf_grok.series.card.from_run import (
    hyperparameters,
    parent_run,
    regulariser,
    series_card,
)
from hf_grok.series.local.journal import StepRecord

RUN = {
    "recipe": "question-formation",
    "scale": "quick",
    "seed": 7,
    "arguments": {
        "language": "question-formation",
        "language_config": "main",
        "language_options": {"train_size": 64, "seed": 3},
        "evaluation_examples": 10,
        "output_dir": "/home/lovelace/runs/a",
        "hub_token": "hf_" + "A1b2C3d4" * 5,
        "learning_rate": 0.001,
        "sas_schedule": "0:0.1,500:0",
        "sas_directions": "head",
    },
    "bound_arguments": {
        "max_grad_norm": 0.0,
        "debug": None,
        "gradient_checkpointing": False,
        "learning_rate": 0.001,
    },
    "chosen": {"precision": "bf16", "processes": 2},
    "data": {"fingerprint": "6fbd", "train_examples": 64},
    "versions": {"torch": "2.13.0"},
    "machine": {"device": "cpu", "processor": "X", "cores": 2, "threads": 1, "system": "Linux"},
    "model": {"name": "vanilla_transformer", "parameters": 6696, "layers": 2},
    "annotation": {"training": "UD", "evaluation": "spaCy"},
    "started": "2026-11-25T08:51:09+00:00",
    "finished": "2026-11-25T08:59:14+00:00",
    "status": "finished",
    "seconds": 485.0,
    "steps": 40,
}
CONFIG = {
    "architectures": ["VanillaTransformerForCausalLM"],
    "model_type": "vanilla_transformer",
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "transformers_version": "5.23.0",
}
STATE = {
    "global_step": 40,
    "max_steps": 60,
    "total_flos": 2e8,
    "log_history": [{"eval_loss": 3.5, "step": 20}, {"train_runtime": 12.5, "step": 40}],
}


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def recipe_run(folder: Path) -> Path:
    write(folder / "run.json", RUN)
    write(folder / "config.json", CONFIG)
    write(folder / "trainer_state.json", STATE)
    rows = [{"eval_loss": 4.0, "step": 0}, {"total_flos": 1e8, "step": 40}]
    lines = [json.dumps(row) for row in rows]
    (folder / "metrics.jsonl").write_text("\n".join(lines) + '\n{"eval_lo')
    return folder


def plain_run(folder: Path) -> Path:
    config = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_layer": 1}
    write(folder / "checkpoint-20" / "config.json", config)
    write(folder / "checkpoint-20" / "trainer_state.json", {**STATE, "global_step": 20})
    write(folder / "checkpoint-100" / "config.json", config)
    write(folder / "checkpoint-100" / "trainer_state.json", {**STATE, "global_step": 100})
    return folder


RECORDS = [
    StepRecord(0, "step0", metrics={"eval_loss": 4.0}, lambda_=0.1, tokens_seen=0),
    StepRecord(40, "step40", metrics={"eval_loss": 3.5}, lambda_=0.0, tokens_seen=900),
]


def test_a_recipes_run(tmp_path: Path) -> None:
    notes = read_notes(recipe_run(tmp_path / "run"))
    assert [row["step"] for row in notes.history] == [0, 40]
    card = series_card(notes, RECORDS, repo_id="someone/questions", licence="mit")
    assert card.title == "questions"
    assert card.model.needs_hf_grok
    assert card.model.from_scratch
    assert card.model.shape == {"hidden_size": 16, "num_hidden_layers": 2}
    assert card.data.command == (
        "hf-grok data question-formation --config main --train-size 64 --seed 3 --out DIR"
    )
    assert card.training.seeds == {"training": 7, "data": 3}
    assert card.training.settings == {"learning_rate": 0.001, "max_grad_norm": 0.0}
    assert (card.training.step, card.training.max_steps) == (40, 60)
    assert (card.cost.seconds, card.cost.flos, card.cost.processes) == (485.0, 2e8, 2)
    assert card.regulariser is not None
    assert card.regulariser.settings == {"sas_schedule": "0:0.1,500:0", "sas_directions": "head"}
    assert card.annotation.differ
    assert [step.lambda_ for step in card.steps] == [0.1, 0.0]
    for text in (series_readme(card), step_readme(card, 40)):
        assert problems(text) == []
        assert "lovelace" not in text
        assert "hf_A1b2" not in text


def test_a_plain_trainers_run(tmp_path: Path) -> None:
    notes = read_notes(plain_run(tmp_path / "my run"))
    assert notes.name == "my run"
    assert notes.state["global_step"] == 100
    card = series_card(notes, RECORDS)
    assert card.training.settings is None
    assert card.model.from_scratch is None
    assert (card.training.step, card.training.max_steps) == (100, 60)
    assert card.cost.seconds == 12.5
    assert card.data.name == ""
    assert problems(series_readme(card)) == []


def test_what_the_trainer_knows_is_kept_for_the_card(tmp_path: Path) -> None:
    arguments = TrainingArguments(
        str(tmp_path / "run"),
        learning_rate=0.5,
        max_grad_norm=0.0,
        adam_beta1=0,
        use_cpu=True,
        seed=0,
        run_name="/home/lovelace/x",
    )
    run = plain_run(tmp_path / "run")
    known = about_training(arguments, parameters=1234, threads=1, epoch=None, data={})
    write_about(run, known)
    card = series_card(read_notes(run), RECORDS)
    settings = card.training.settings
    assert settings is not None
    assert settings["learning_rate"] == 0.5
    assert settings["max_grad_norm"] == 0.0
    assert settings["adam_beta1"] == 0
    assert "output_dir" not in settings
    assert "run_name" not in settings
    assert card.training.seeds["training"] == 0
    assert card.model.parameters == 1234
    assert "hf_grok" in card.training.versions
    assert "CPU" in str(card.cost.hardware)
    assert problems(series_readme(card)) == []


def test_what_is_switched_off_is_a_changed_value(tmp_path: Path) -> None:
    known = {"parameters": 1, "threads": 1, "epoch": None, "data": {}}
    plain = about_training(TrainingArguments(str(tmp_path), use_cpu=True), **known)["arguments"]
    changed = TrainingArguments(str(tmp_path), use_cpu=True, max_grad_norm=0.0)
    assert about_training(changed, **known)["arguments"] == {**plain, "max_grad_norm": 0.0}
    assert "learning_rate" not in plain


def test_a_run_that_is_going_on(tmp_path: Path) -> None:
    run = plain_run(tmp_path)
    (run / "checkpoint-200").mkdir()
    (run / "checkpoint-200" / "trainer_state.json").write_text('{"global_step": 2')
    assert read_notes(run).state["global_step"] == 100
    assert read_notes(run).config["model_type"] == "gpt2"


def test_at_the_end_of_a_run_that_is_not_said_to_be_over(tmp_path: Path) -> None:
    """As when the callback pushes the last step: run.json says so only afterwards."""
    run = recipe_run(tmp_path / "run")
    about = json.loads((run / "run.json").read_text())
    about = {**about, "status": "running", "finished": None, "seconds": 7.0}
    (run / "run.json").write_text(json.dumps(about))
    assert series_card(read_notes(run), RECORDS).training_status().startswith("Still training")
    write(run / "trainer_state.json", {**STATE, "max_steps": 40})
    card = series_card(read_notes(run), RECORDS)
    assert card.training_status().startswith("Trained to step 40 of 40 planned")
    assert card.cost.seconds is None  # 7 s are of the run's earlier processes


def test_nothing_is_known_of_no_run(tmp_path: Path) -> None:
    for notes in (read_notes(None), read_notes(tmp_path)):
        text = series_readme(series_card(notes, RECORDS, repo_id="a/b"))
        assert problems(text) == []
        assert "| class | not recorded |" in text
        assert "AutoModel.from_pretrained" in text


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("run.json", "{", r"run\.json: expected JSON"),
        ("config.json", "[1]", r"config\.json: expected a JSON object, got \[1\]"),
        ("metrics.jsonl", '{"step": 1}\nx\n', r"metrics\.jsonl:2: expected JSON"),
    ],
)
def test_broken_files_are_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    run = recipe_run(tmp_path)
    (run / name).write_text(text)
    with pytest.raises(UserError, match=message):
        read_notes(run)


def test_which_settings_are_shown() -> None:
    given = dict.fromkeys(
        [
            "output_dir", "hub_model_id", "hub_token", "push_to_hub", "report_to", "api_key",
            "token", "language", "probes", "sas_schedule",
            "learning_rate", "average_tokens_across_devices", "keyed", "monkey",
        ],
        1,
    )  # fmt: skip
    assert list(hyperparameters(given)) == [
        "learning_rate",
        "average_tokens_across_devices",
        "keyed",
        "monkey",
    ]
    assert regulariser({"sas_directions": "head"}) is None
    assert regulariser({}) is None


def test_a_branch_names_its_parent_without_a_path() -> None:
    parent = {
        "checkpoint": "/home/lovelace/runs/base-seed7/checkpoint-3000",
        "step": 3000,
        "weights_sha256": {"model.safetensors": "d932"},
        "reset_optimizer": True,
        "different": {"sas_schedule": {"parent": "0:1", "branch": "0:0"}},
    }
    assert parent_run(parent) == {
        "run": "base-seed7",
        "step": 3000,
        "optimiser": "moments reset",
        "SHA-256 of the weights": {"model.safetensors": "d932"},
        "settings that differ": {"sas_schedule": {"parent": "0:1", "branch": "0:0"}},
    }
    assert parent_run({}) == {}


def test_versions_are_those_that_are_installed() -> None:
    found = versions("safetensors", "a-package-that-nobody-has")
    assert {"hf_grok", "python", "torch", "transformers", "safetensors"} <= set(found)
    assert "a-package-that-nobody-has" not in found
    assert all(isinstance(version, str) for version in found.values())
