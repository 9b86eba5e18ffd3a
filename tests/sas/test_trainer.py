"""SASTrainer: the plain Trainer where lambda is 0, one trajectory however a batch is cut up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Trainer, TrainingArguments, default_data_collator

from hf_grok import SASTrainer
from hf_grok.errors import UserError
from hf_grok.sas import LanguageModelDivergedError, SASArguments, SASMixin
from hf_grok.sas.batches.keys import HEADS
from hf_grok.sas.options import CLAMPED
from tests.probes.matrix import ARCHITECTURES
from tests.sas.trainers import (
    CHECKPOINTING,
    arguments,
    logged,
    model,
    plain_trainer,
    rows,
    sas_trainer,
    weights,
)

PARTS = ("loss", "lm_loss", "sas_penalty", "sas_arcs", "grad_norm")


def trajectory(trainer: Any) -> dict[str, list[float]]:
    trainer.train()
    return {name: logged(trainer, name) for name in PARTS}


def assert_same_weights(first: Any, second: Any) -> None:
    expected = weights(second)
    for name, value in weights(first).items():
        assert torch.equal(value, expected[name]), name


@pytest.mark.parametrize("name", ["bert", "gpt2"])
@pytest.mark.parametrize("schedule", ["0:0", "0:0,4:1"], ids=["off", "not yet on"])
def test_without_strength_the_run_is_the_plain_trainers_to_the_bit(
    name: str, schedule: str, tmp_path: Path
) -> None:
    # In one batch: of several, Trainer takes the mean of their means.
    settings = {"eval_strategy": "steps", "eval_steps": 2, "per_device_eval_batch_size": 5}
    ours = sas_trainer(tmp_path / "a", name, dropout=0.1, sas_schedule=schedule, **settings)
    ours.train()  # before the other is made, which seeds the generators
    theirs = plain_trainer(tmp_path / "b", name, dropout=0.1, **settings)
    theirs.train()
    assert_same_weights(ours, theirs)
    for key in ("loss", "grad_norm"):
        assert logged(ours, key) == logged(theirs, key)
    assert logged(ours, "eval_loss") == pytest.approx(logged(theirs, "eval_loss"), rel=1e-6)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_way_to_the_attention_gives_one_trajectory(name: str, tmp_path: Path) -> None:
    runs = {
        way: trajectory(sas_trainer(tmp_path / way, name, sas_implementation=way, max_steps=3))
        for way in ("eager", "batched", "fused")
    }
    assert all(value > 0 for value in runs["eager"]["sas_penalty"])
    for way in ("batched", "fused"):
        for part in PARTS:
            assert runs[way][part] == pytest.approx(runs["eager"][part], rel=2e-5), (way, part)


@pytest.mark.parametrize("name", ["bert", "gpt2"])
@pytest.mark.parametrize("arcs", ["syntactic", "contrast"])
def test_a_batch_cut_into_micro_batches_is_the_same_batch(
    name: str, arcs: str, tmp_path: Path
) -> None:
    whole = trajectory(
        sas_trainer(tmp_path / "1", name, sas_arcs=arcs, per_device_train_batch_size=8)
    )
    parts = trajectory(
        sas_trainer(
            tmp_path / "2",
            name,
            sas_arcs=arcs,
            per_device_train_batch_size=2,
            gradient_accumulation_steps=4,
        )
    )
    for part in PARTS:
        assert parts[part] == pytest.approx(whole[part], rel=2e-5), part


def test_a_clamped_contrast_pushes_no_further_than_to_0(tmp_path: Path) -> None:
    settings = {"sas_schedule": "0:20", "max_steps": 30}
    plain = trajectory(sas_trainer(tmp_path / "1", sas_arcs="contrast", **settings))
    trainer = sas_trainer(tmp_path / "2", sas_arcs=CLAMPED, **settings)
    held = trajectory(trainer)
    assert min(plain["sas_penalty"]) < -0.15
    assert held["sas_penalty"][0] == max(0.0, plain["sas_penalty"][0])
    assert min(held["sas_penalty"]) == 0 < max(held["sas_penalty"])
    parts = zip(held["lm_loss"], held["sas_penalty"], strict=True)
    assert held["loss"] == pytest.approx([loss + 20 * r for loss, r in parts], rel=1e-5)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"gradient_accumulation_steps": 2}, "gradient_accumulation_steps=2.*in one part"),
        ({"sas_schedule": "0:0.1,3:-0.1"}, "no gradient where R is below R_sham"),
    ],
)
def test_a_clamped_contrast_that_cannot_be_had_is_refused(
    changed: dict[str, Any], told: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=told):
        sas_trainer(tmp_path, sas_arcs=CLAMPED, **changed)
    sas_trainer(tmp_path, sas_arcs="contrast", **changed)


def test_the_logged_loss_is_the_sum_of_its_parts(tmp_path: Path) -> None:
    trainer = sas_trainer(tmp_path, sas_schedule="0:0.5,2:0.5->-0.5@2", max_steps=6)
    found = trajectory(trainer)
    strength = logged(trainer, "sas_lambda")
    assert strength == pytest.approx([0.5, 0.5, 0.5, 0.0, -0.5, -0.5])
    assert len(found["sas_penalty"]) == 5  # one step had no strength: nothing was measured
    penalty = [*found["sas_penalty"][:3], 0.0, *found["sas_penalty"][3:]]
    expected = [
        language + factor * share
        for language, factor, share in zip(found["lm_loss"], strength, penalty, strict=True)
    ]
    assert found["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["bert", "llama"])
def test_evaluation_does_not_know_lambda(name: str, tmp_path: Path) -> None:
    ours = sas_trainer(tmp_path / "a", name, sas_schedule="0:5", per_device_eval_batch_size=5)
    ours.train()
    theirs = plain_trainer(tmp_path / "b", name, per_device_eval_batch_size=5)
    theirs.model.load_state_dict(weights(ours))
    expected = theirs.evaluate()["eval_loss"]
    assert ours.evaluate()["eval_loss"] == pytest.approx(expected, rel=1e-6)
    predicted = ours.predict(ours.eval_dataset).predictions
    assert (predicted == theirs.predict(theirs.eval_dataset).predictions).all()


@pytest.mark.parametrize("schedule", ["0:1", "0:1,2:0"])
def test_the_model_is_left_with_the_attention_that_it_came_with(
    schedule: str, tmp_path: Path
) -> None:
    trainer = sas_trainer(tmp_path, "gpt2", sas_schedule=schedule, sas_implementation="fused")
    before = trainer.model.config._attn_implementation
    trainer.train()
    assert trainer.model.config._attn_implementation == before


@pytest.mark.parametrize("sign", [1, -1])
def test_suppressed_attention_goes_down_and_promoted_attention_up(
    sign: int, tmp_path: Path
) -> None:
    trainer = sas_trainer(tmp_path, sas_schedule=f"0:{20 * sign}", max_steps=30)
    found = trajectory(trainer)["sas_penalty"]
    first, last = sum(found[:5]) / 5, sum(found[-5:]) / 5
    assert (first - last) * sign > 0.1


# Dynamo's own: it instantiates autograd functions, and says that it looks through caches.
@pytest.mark.filterwarnings("default::DeprecationWarning", "default:Dynamo detected:UserWarning")
@pytest.mark.parametrize(
    "settings",
    [
        {CHECKPOINTING: True},
        {CHECKPOINTING: True, f"{CHECKPOINTING}_kwargs": {"use_reentrant": True}},
        {"torch_compile": True, "torch_compile_backend": "aot_eager"},
    ],
    ids=["checkpointing", "reentrant", "compile"],
)
@pytest.mark.parametrize("way", ["batched", "fused", "eager"])
def test_recomputed_and_compiled_forward_passes_give_the_same(
    settings: dict[str, Any], way: str, tmp_path: Path
) -> None:
    if way == "eager" and "torch_compile" in settings:
        pytest.skip("compiling is slow, and eager attention is the library's own")
    plain = trajectory(sas_trainer(tmp_path / "a", sas_implementation=way, max_steps=3))
    other = trajectory(sas_trainer(tmp_path / "b", sas_implementation=way, max_steps=3, **settings))
    for part in PARTS:
        assert other[part] == pytest.approx(plain[part], rel=1e-4), part


@pytest.mark.parametrize("way", ["batched", "fused"])
def test_bfloat16_comes_near_single_precision(way: str, tmp_path: Path) -> None:
    plain = trajectory(sas_trainer(tmp_path / "a", sas_implementation=way, max_steps=2))
    half = trajectory(sas_trainer(tmp_path / "b", sas_implementation=way, max_steps=2, bf16=True))
    assert half["sas_penalty"] == pytest.approx(plain["sas_penalty"], rel=0.05)
    assert half["lm_loss"] == pytest.approx(plain["lm_loss"], rel=0.05)


def test_attention_after_dropout_is_what_the_models_own_maps_show(tmp_path: Path) -> None:
    settings = {"dropout": 0.3, "sas_attention": "post_dropout", "max_steps": 2}
    runs = [
        trajectory(sas_trainer(tmp_path / way, sas_implementation=way, **settings))
        for way in ("eager", "batched")
    ]
    for part in PARTS:
        assert runs[1][part] == pytest.approx(runs[0][part], rel=1e-4), part
    with pytest.raises(UserError, match="after dropout"):
        sas_trainer(tmp_path / "fused", sas_implementation="fused", **settings).train()


@pytest.mark.parametrize("schedule", ["0:0.5,3:0", "0:0,3:-0.5", "0:0.5->0@6"])
def test_a_run_resumed_across_a_switch_is_the_uninterrupted_run(
    schedule: str, tmp_path: Path
) -> None:
    settings = {
        "dropout": 0.1,
        "sas_schedule": schedule,
        "max_steps": 6,
        "save_strategy": "steps",
        "save_steps": 2,
        "sas_implementation": "batched",
    }
    whole = sas_trainer(tmp_path / "whole", **settings)
    whole.train()
    resumed = sas_trainer(tmp_path / "resumed", **settings)
    resumed.train(resume_from_checkpoint=str(tmp_path / "whole" / "checkpoint-2"))
    assert_same_weights(resumed, whole)
    for part in PARTS:
        assert logged(resumed, part) == logged(whole, part)


def test_a_mixin_for_a_trainer_of_ones_own(tmp_path: Path) -> None:
    @dataclass
    class TheirArguments(TrainingArguments):
        doubled: float = 2.0

    class TheirTrainer(Trainer):
        def compute_loss(self, model: Any, inputs: Any, *rest: Any, **named: Any) -> Any:
            found = super().compute_loss(model, inputs, *rest, **named)
            if isinstance(found, tuple):
                return found[0] * self.args.doubled, found[1]
            return found * self.args.doubled

    @dataclass
    class Arguments(SASArguments, TheirArguments):
        pass

    class Mine(SASMixin, TheirTrainer):
        pass

    trainer = Mine(
        model=model("gpt2"),
        args=Arguments(**arguments(tmp_path / "a", sas_schedule="0:0.5", max_steps=1)),
        train_dataset=rows(8, masked=False),
        data_collator=default_data_collator,
    )
    trainer.train()
    stock = sas_trainer(tmp_path / "b", "gpt2", max_steps=1)
    stock.train_dataset = rows(8, masked=False)
    stock.train()
    assert logged(trainer, "lm_loss")[0] == pytest.approx(2 * logged(stock, "lm_loss")[0])
    assert logged(trainer, "sas_penalty") == logged(stock, "sas_penalty")


def test_rows_without_an_arc_have_no_penalty(tmp_path: Path) -> None:
    trainer = sas_trainer(tmp_path, max_steps=2)
    for row in trainer.train_dataset:
        row[HEADS] = torch.full_like(row[HEADS], -1)
    found = trajectory(trainer)
    assert found["sas_penalty"] == found["sas_arcs"] == [0.0, 0.0]
    assert all(torch.isfinite(value).all() for value in weights(trainer).values())


def test_a_run_that_never_sees_an_arc_is_stopped(tmp_path: Path) -> None:
    settings = {"max_steps": 200, "logging_steps": 100, "sas_relations": "nsubj"}
    with pytest.raises(UserError, match=r"not one arc .* step 100.*sas_relations='nsubj'"):
        sas_trainer(tmp_path, **settings).train()


def test_promotion_that_undoes_the_language_model_is_stopped(tmp_path: Path) -> None:
    settings = {"save_strategy": "steps", "save_steps": 1, "learning_rate": 0.3, "max_steps": 60}
    with pytest.raises(LanguageModelDivergedError, match=r"uniform guess .*checkpoint-\d+"):
        sas_trainer(tmp_path, "gpt2", sas_schedule="0:-1000", **settings).train()


def test_a_schedule_beyond_the_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"changes at step 9, and the run ends at max_steps=4"):
        sas_trainer(tmp_path, sas_schedule="0:1,9:0").train()


def test_arguments_without_the_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected SASTrainingArguments"):
        SASTrainer(model=model("gpt2"), args=TrainingArguments(**arguments(tmp_path)))
