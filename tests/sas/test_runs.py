"""One trainer, several runs and evaluation sets: each has the numbers that it has alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import PreTrainedModel, default_data_collator

from hf_grok import SASTrainer, SASTrainingArguments
from hf_grok.errors import UserError
from tests.sas.by_hand import COLLATOR, encoded, llama
from tests.sas.trainers import arguments, logged, model, rows, sas_trainer

PARTS = ("loss", "lm_loss", "sas_penalty", "sas_lambda", "sas_arcs", "grad_norm")


def found(trainer: Any, *parts: str) -> dict[str, list[float]]:
    return {part: logged(trainer, part) for part in parts or PARTS}


def starting_anew(folder: Path, **changes: Any) -> Any:
    """A trainer whose every run begins with the same fresh model."""

    def fresh() -> PreTrainedModel:
        return model("llama")

    return SASTrainer(
        model_init=fresh,
        args=SASTrainingArguments(**arguments(folder, **{"sas_schedule": "0:0.5", **changes})),
        train_dataset=rows(40, masked=False),
        eval_dataset=rows(5, masked=False, seed=1),
        data_collator=default_data_collator,
    )


def test_a_second_run_has_the_numbers_of_the_first(tmp_path: Path) -> None:
    trainer = starting_anew(tmp_path, max_steps=5, logging_steps=3)
    runs = []
    for _ in range(2):
        trainer.train()
        runs.append(found(trainer))
    assert len(runs[0]["sas_arcs"]) == 1
    assert runs[1] == runs[0]


def test_a_second_run_goes_on_training_the_same_model(tmp_path: Path) -> None:
    trainer = sas_trainer(tmp_path, "gpt2", max_steps=3)
    trainer.train()
    first = found(trainer, "sas_penalty")["sas_penalty"]
    trainer.train()
    second = found(trainer, "sas_penalty")["sas_penalty"]
    assert len(second) == len(first) == 3
    assert second[0] != first[0]


def test_each_trial_of_a_search_has_its_own_settings_and_model(tmp_path: Path) -> None:
    trainer = starting_anew(tmp_path, max_steps=2)
    alone = {}
    for strength in ("0:2", "0:0", "0:-0.5"):
        expected = starting_anew(tmp_path / "alone", max_steps=2, sas_schedule=strength)
        expected.train()
        alone[strength] = found(expected)
    for strength, expected in alone.items():
        trainer.args.sas_schedule = strength  # as Trainer puts a trial's parameters in place
        trainer.train()
        assert found(trainer) == expected, strength
    trainer.args.sas_schedule = "0:1,9:0"
    with pytest.raises(UserError, match="changes at step 9"):
        trainer.train()


def test_a_restart_after_running_out_of_memory_begins_anew(tmp_path: Path) -> None:
    class OutOfMemory(SASTrainer):
        batches: list[int]

        def compute_loss(self, model: Any, inputs: Any, *rest: Any, **named: Any) -> Any:
            size = len(inputs["input_ids"])
            if model.training:
                self.batches.append(size)
            if size > 2 and len(self.batches) > 2:
                raise RuntimeError("CUDA out of memory.")
            return super().compute_loss(model, inputs, *rest, **named)

    def trainer(kind: type[SASTrainer], size: int, **changes: Any) -> Any:
        settings = {
            "sas_schedule": "0:0.5",
            "per_device_train_batch_size": size,
            "max_steps": 4,
            "logging_steps": 4,
            "learning_rate": 0.0,  # the steps before the restart leave the weights as they are
            **changes,
        }
        return kind(
            model=model("llama"),
            args=SASTrainingArguments(**arguments(tmp_path, **settings)),
            train_dataset=rows(40, masked=False),
            data_collator=default_data_collator,
        )

    restarted = trainer(OutOfMemory, 4, auto_find_batch_size=True)
    restarted.batches = []
    restarted.train()
    assert restarted.batches == [4, 4, 4, 3, 2, 2, 2, 2]
    plain = trainer(SASTrainer, 2)
    plain.train()
    parts = ("sas_penalty", "lm_loss", "sas_arcs")
    assert found(restarted, *parts) == found(plain, *parts)


def in_sets(folder: Path, **changes: Any) -> tuple[Any, dict[str, Any]]:
    """A trainer that evaluates two sets by name, and the sets."""
    sets = {"a": encoded(), "b": encoded()[:2]}
    trainer = SASTrainer(
        model=llama(),
        args=SASTrainingArguments(**arguments(folder, **changes)),
        train_dataset=sets["a"],
        eval_dataset=sets,
        data_collator=COLLATOR,
    )
    return trainer, sets


# Python's: a worker is forked, and the test's process has threads.
@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
def test_every_way_to_an_evaluation_set_with_workers_that_stay(tmp_path: Path) -> None:
    staying = {"dataloader_num_workers": 1, "dataloader_persistent_workers": True}
    trainer, sets = in_sets(tmp_path, **staying)
    plain, _ = in_sets(tmp_path)
    alone = {name: plain.evaluate(each)["eval_loss"] for name, each in sets.items()}
    assert alone["a"] != alone["b"]
    together = trainer.evaluate()
    assert (together["eval_a_loss"], together["eval_b_loss"]) == (alone["a"], alone["b"])
    kept = dict(trainer._eval_dataloaders)
    assert trainer.evaluate("b")["eval_loss"] == alone["b"]
    assert trainer._eval_dataloaders == kept  # the same loaders, whose workers stayed
    for name in ("a", "b", "a"):
        assert trainer.evaluate(sets[name])["eval_loss"] == alone[name]
    given = trainer.evaluate({"x": sets["b"], "y": sets["a"]})
    assert (given["eval_x_loss"], given["eval_y_loss"]) == (alone["b"], alone["a"])
    trainer.eval_dataset = sets["b"]
    assert trainer.evaluate()["eval_loss"] == alone["b"]
    assert trainer.predict(sets["a"]).metrics["test_loss"] == alone["a"]
    trainer._eval_dataloaders.clear()


def test_named_sets_of_a_masked_model_stay_at_one_epoch(tmp_path: Path) -> None:
    masking = sas_trainer(tmp_path, "bert", max_steps=1)
    masking.data_collator = _Remembering()
    masking.eval_dataset = {"a": _Plain(3), "b": _Plain(2)}
    for _ in range(2):
        masking.get_eval_dataloader("a"), masking.get_eval_dataloader("b")
    seen = [row for batch in masking.get_eval_dataloader("b") for row in batch["epoch"].tolist()]
    assert seen == [0, 0]


class _Plain(torch.utils.data.Dataset):
    def __init__(self, length: int) -> None:
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, at: int) -> dict[str, Any]:
        return {"input_ids": torch.full((4,), at), "labels": torch.full((4,), at)}


class _Remembering:
    needs_epoch = True
    columns = ("epoch", "example_index")

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        return {name: torch.as_tensor([row[name] for row in rows]) for name in ("epoch",)}
