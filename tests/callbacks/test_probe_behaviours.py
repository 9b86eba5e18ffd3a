"""Accuracy in and out of distribution on a Trainer of the library's own, by ProbeCallback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset, DatasetDict
from transformers import Trainer, TrainingArguments

from hf_grok.callbacks import ProbeCallback
from hf_grok.errors import UserError
from hf_grok.measurement.guard import watching
from hf_grok.probes.tasks import QuestionBehaviour, TokenLoss
from tests.probes.tasks.material import tiny_gpt2
from tests.probes.tasks.test_question import ROWS, TOKENIZER

DATA = DatasetDict(
    {
        "train": Dataset.from_list([{"text": "none of these"}]),
        "test": Dataset.from_list([{**row, "subject_modifier": "pp"} for row in ROWS[:4]]),
        "generalization": Dataset.from_list([{**row, "subject_modifier": "pp"} for row in ROWS]),
    }
)


def stock_trainer(folder: Path, **changes: Any) -> Trainer:
    lines = [TOKENIZER(str(row["text"]))["input_ids"] for row in ROWS]
    arguments: dict[str, Any] = {
        "output_dir": str(folder),
        "max_steps": 6,
        "per_device_train_batch_size": 1,
        "learning_rate": 0.02,
        "eval_strategy": "steps",
        "eval_steps": 3,
        "report_to": "none",
        "disable_tqdm": True,
        "use_cpu": True,
    }
    rows = [{"input_ids": line, "labels": line} for line in lines]
    return Trainer(
        model=tiny_gpt2(len(TOKENIZER)),
        args=TrainingArguments(**{**arguments, **changes}),
        train_dataset=rows,
        eval_dataset=rows[:2],
        processing_class=TOKENIZER,
    )


def logged(trainer: Trainer, step: int) -> dict[str, float]:
    rows = [row for row in trainer.state.log_history if row["step"] == step]
    return {name: value for row in rows for name, value in row.items()}


def expected(model: Any, rows: Any, name: str) -> dict[str, float]:
    with watching(model):
        ratios = QuestionBehaviour(rows, TOKENIZER).tally(model).ratios()
    return {f"eval_{name}_{key}": value for key, value in ratios.items()}


def test_both_splits_of_a_language_at_every_evaluation(tmp_path: Path) -> None:
    trainer = stock_trainer(tmp_path)
    trainer.add_callback(ProbeCallback(trainer, ["question_formation"], data=DATA))
    before = {
        **expected(trainer.model, DATA["test"], "in_distribution"),
        **expected(trainer.model, DATA["generalization"], "generalization"),
    }
    trainer.train()
    after = {
        **expected(trainer.model, DATA["test"], "in_distribution"),
        **expected(trainer.model, DATA["generalization"], "generalization"),
    }
    assert {"eval_in_distribution_accuracy", "eval_generalization_accuracy_pp"} < before.keys()
    assert before != after
    for step, numbers in ((0, before), (6, after)):
        found = logged(trainer, step)
        assert {name: found[name] for name in numbers} == numbers
    assert "eval_generalization_accuracy" in logged(trainer, 3)


def test_one_set_of_rows_has_the_name_of_the_language(tmp_path: Path) -> None:
    trainer = stock_trainer(tmp_path, metric_for_best_model="question_formation_accuracy")
    trainer.add_callback(ProbeCallback(trainer, "question_formation", data=ROWS))
    trainer.train()
    numbers = expected(trainer.model, ROWS, "question_formation")
    found = logged(trainer, 6)
    assert {name: found[name] for name in numbers} == numbers
    assert trainer.state.best_metric is not None


def test_a_behaviour_leaves_no_trace_in_the_weights(tmp_path: Path) -> None:
    plain = stock_trainer(tmp_path / "a")
    plain.train()
    watched = stock_trainer(tmp_path / "b")
    watched.add_callback(ProbeCallback(watched, ["question_formation"], data=ROWS))
    watched.train()
    weights = watched.model.state_dict()
    assert all((weights[name] == value).all() for name, value in plain.model.state_dict().items())


def test_a_loss_of_its_own_does_not_take_the_place_of_trainers(tmp_path: Path) -> None:
    trainer = stock_trainer(tmp_path)
    with pytest.raises(UserError, match=r"probe 'loss' would log eval_loss, which is Trainer's"):
        ProbeCallback(trainer, ["loss"], data=ROWS)
    loss = TokenLoss([str(row["text"]) for row in ROWS], TOKENIZER)
    trainer.add_callback(ProbeCallback(trainer, loss.named("token_loss")))
    trainer.train()
    with watching(trainer.model):
        wanted = loss.tally(trainer.model).ratios()["loss"]
    assert logged(trainer, 6)["eval_token_loss"] == wanted


def test_splits_of_other_names_are_refused(tmp_path: Path) -> None:
    trainer = stock_trainer(tmp_path)
    with pytest.raises(UserError, match=r"no data for probe 'question_formation'.* test, gener"):
        ProbeCallback(trainer, ["question_formation"], data=DatasetDict({"train": DATA["train"]}))
