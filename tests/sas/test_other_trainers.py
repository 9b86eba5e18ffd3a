"""The regulariser under Trainers of others: TRL's, and those that return what they like."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import pytest
import torch
from torch.utils.checkpoint import checkpoint
from transformers import LlamaForCausalLM, Trainer, default_data_collator
from trl import SFTConfig, SFTTrainer

from hf_grok import SASTrainer, SASTrainingArguments
from hf_grok.errors import UserError
from hf_grok.sas import ArcCollator, SASArguments, SASMixin, pack_rows
from tests.sas.by_hand import (
    COLLATOR,
    SENTENCES,
    TOKENIZER,
    assert_equals_by_hand,
    encoded,
    llama,
    one_step,
    sentences,
    weights,
)
from tests.sas.trainers import CHECKPOINTING

# TRL and PEFT call what the library has renamed.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.(is_)?gradient_checkpointing. is deprecated:FutureWarning"
)
STRENGTH = 3.0


@dataclass
class SFTArguments(SASArguments, SFTConfig):
    pass


class RegularisedSFT(SASMixin, SFTTrainer):
    pass


def sft(folder: Path, rows: Any = None, strength: float = STRENGTH, **changes: Any) -> Any:
    """TRL's trainer, regularised, without its bfloat16; `model` and `collator` among `changes`."""
    model = changes.pop("model", None) or llama()
    collator = changes.pop("collator", COLLATOR)
    settings = one_step(folder, sas_schedule=f"0:{strength}", bf16=False, **changes)
    return RegularisedSFT(
        model,
        args=SFTArguments(**settings),
        train_dataset=encoded() if rows is None else rows,
        data_collator=collator,
        processing_class=TOKENIZER,
    )


REENTRANT = {CHECKPOINTING: True, f"{CHECKPOINTING}_kwargs": {"use_reentrant": True}}
IN_PARTS = {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 2}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"sas_implementation": "fused", **REENTRANT},
        {"sas_implementation": "eager", CHECKPOINTING: False},
        {"sas_implementation": "batched", **IN_PARTS, **REENTRANT},
    ],
    ids=["as it comes", "fused, reentrant", "eager, kept", "batched, in parts, reentrant"],
)
def test_a_step_of_trls_trainer_is_the_step_by_hand(
    changes: dict[str, Any], tmp_path: Path
) -> None:
    assert_equals_by_hand(sft(tmp_path, **changes), llama(), STRENGTH)


def test_the_strength_reaches_the_weights_in_trls_trainer(tmp_path: Path) -> None:
    strong, weak = sft(tmp_path), sft(tmp_path, strength=1e-9)
    for trainer in (strong, weak):
        trainer.train()
    moved = weights(weak.model)
    assert all(
        (one - moved[n]).abs().max() > 1e-4
        for n, one in weights(strong.model).items()
        if "q_proj" in n
    )


def test_rows_that_trls_trainer_takes(tmp_path: Path) -> None:
    words = datasets.Dataset.from_list(sentences())
    stream = encoded().to_dataset().to_iterable_dataset()
    as_they_are = {"dataset_kwargs": {"skip_prepare_dataset": True}}
    for rows, changes in ((words, as_they_are), (stream, {})):
        assert_equals_by_hand(sft(tmp_path, rows, **changes), llama(), STRENGTH)
    packed = sft(tmp_path, pack_rows(sentences(), TOKENIZER, 20, progress=False))
    packed.train()
    arcs = sum(len(heads) - 1 for _, heads in SENTENCES)
    assert [row["sas_arcs"] for row in packed.state.log_history if "sas_arcs" in row] == [arcs]


def refused_rows() -> dict[str, tuple[dict[str, Any], str]]:
    hidden = [{**row, "labels": [-100, *row["input_ids"][1:]]} for row in encoded().to_dataset()]
    return {
        "words": ({"rows": datasets.Dataset.from_list(sentences())}, r"encode_rows.*skip_prepare"),
        "packing": ({"packing": True}, r"packing=True.*pack_rows"),
        "wrapped": ({"packing": True, "packing_strategy": "wrapped"}, "pack_rows"),
        "padding-free": ({"padding_free": True, "max_length": None}, r"padding_free=True"),
        "masked labels": ({"rows": datasets.Dataset.from_list(hidden)}, "completion_only_loss"),
        "no arcs": ({"collator": None}, r"no arc_word_of.*ArcCollator"),
    }


@pytest.mark.parametrize("name", refused_rows())
def test_rows_without_their_arcs_are_refused_by_what_to_give(name: str, tmp_path: Path) -> None:
    changes, message = refused_rows()[name]
    with pytest.raises(UserError, match=message):
        sft(tmp_path, **changes).train()


class Recomputing(Trainer):
    """Returns the outputs of another pass, without a graph."""

    def compute_loss(self, model: Any, inputs: Any, *rest: Any, **named: Any) -> Any:
        loss = super().compute_loss(model, dict(inputs), *rest, **named)
        with torch.no_grad():
            outputs = model(**{name: one for name, one in inputs.items() if name != "labels"})
        return (loss[0], outputs) if isinstance(loss, tuple) else loss


class Twice(Trainer):
    """The mean of two passes, as those that compare two draws of dropout take it."""

    def compute_loss(self, model: Any, inputs: Any, *rest: Any, **named: Any) -> Any:
        first = super().compute_loss(model, dict(inputs), *rest, **named)
        return (first + super().compute_loss(model, dict(inputs), *rest, **named)) / 2


class WithoutAGraph(Trainer):
    def compute_loss(self, model: Any, inputs: Any, *rest: Any, **named: Any) -> Any:
        with torch.no_grad():
            return super().compute_loss(model, inputs, *rest, **named)


class Doubling(Trainer):
    def compute_loss(self, model: Any, inputs: Any, *rest: Any, **named: Any) -> Any:
        return super().compute_loss(
            model, {name: one.repeat(2, 1) for name, one in inputs.items()}, *rest, **named
        )


def trained_by(kind: type[Trainer], folder: Path, model: Any = None, **changes: Any) -> Any:
    class Regularised(SASMixin, kind):
        pass

    schedule = {"sas_schedule": f"0:{STRENGTH}", **changes}
    return Regularised(
        model=model or llama(),
        args=SASTrainingArguments(**one_step(folder, **schedule)),
        train_dataset=encoded(),
        data_collator=COLLATOR,
    )


@pytest.mark.parametrize("kind", [Trainer, Recomputing, Twice])
def test_what_a_trainer_returns_does_not_matter(kind: type[Trainer], tmp_path: Path) -> None:
    assert_equals_by_hand(trained_by(kind, tmp_path), llama(), STRENGTH)


class OwnRecomputation(LlamaForCausalLM):
    """Recomputes its first layer by itself, which leaves no graph of that layer's attention."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        layer = self.model.layers[0]
        plain = layer.forward
        layer.forward = lambda states, **named: checkpoint(
            lambda one: plain(one, **named), states, use_reentrant=True
        )


def frozen_attention() -> LlamaForCausalLM:
    model = llama()
    model.requires_grad_(False)
    model.lm_head.requires_grad_(True)
    return model


UNSOUND: dict[str, tuple[Callable[[Path, str], Any], str]] = {
    "no graph": (
        lambda to, when: trained_by(WithoutAGraph, to, sas_schedule=when),
        "under autograd",
    ),
    "other rows": (
        lambda to, when: trained_by(Doubling, to, sas_schedule=when),
        r"given \(8, \d+\).*the batch has \(4, \d+\)",
    ),
    "own recomputation": (
        lambda to, when: trained_by(Trainer, to, llama(OwnRecomputation), sas_schedule=when),
        "without a graph",
    ),
    "own recomputation, eager": (
        lambda to, when: trained_by(
            Trainer, to, llama(OwnRecomputation), sas_schedule=when, sas_implementation="eager"
        ),
        "without a graph",
    ),
    "nothing that trains": (
        lambda to, when: trained_by(Trainer, to, frozen_attention(), sas_schedule=when),
        "not depend on any weight that trains",
    ),
}


# The recomputation of a pass without a graph, as a trial of the attention is, warns of it.
@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad:UserWarning")
@pytest.mark.parametrize("when", ["0:3", "0:0,2:3"], ids=["at once", "later"])
@pytest.mark.parametrize("name", UNSOUND)
def test_a_penalty_that_would_not_reach_the_weights_is_refused_before_the_first_step(
    name: str, when: str, tmp_path: Path
) -> None:
    make, message = UNSOUND[name]
    trainer = make(tmp_path, when)
    trainer.args.max_steps = 3
    before = weights(trainer.model)
    with pytest.raises(UserError, match=message):
        trainer.train()
    assert trainer.state.global_step == 0
    assert all(torch.equal(one, before[name]) for name, one in weights(trainer.model).items())
    assert trainer.model.config._attn_implementation == "sdpa"


def test_a_batch_without_arcs_is_refused_although_lambda_comes_later(tmp_path: Path) -> None:
    trainer = trained_by(Trainer, tmp_path, sas_schedule="0:0,2:1", max_steps=3)
    trainer.train_dataset = [{"input_ids": [3, 4], "labels": [3, 4]}] * 8
    trainer.data_collator = default_data_collator
    with pytest.raises(UserError, match=r"no arc_word_of.*ArcCollator"):
        trainer.train()


def test_a_training_step_outside_of_train_is_refused(tmp_path: Path) -> None:
    trainer = trained_by(Trainer, tmp_path)
    with pytest.raises(UserError, match=r"outside of train\(\)"):
        trainer.compute_loss(trainer.model.train(), COLLATOR(list(encoded())))


def test_rows_in_a_stream(tmp_path: Path) -> None:
    masking = copy.deepcopy(TOKENIZER)
    masking.mask_token = masking.unk_token
    trainer = SASTrainer(
        model=llama(),
        args=SASTrainingArguments(**one_step(tmp_path, sas_schedule=f"0:{STRENGTH}")),
        train_dataset=encoded().to_dataset().to_iterable_dataset(),
        data_collator=COLLATOR,
    )
    assert_equals_by_hand(trainer, llama(), STRENGTH)
    trainer.data_collator = ArcCollator(masking, masked=True)
    with pytest.raises(UserError, match="rows in a stream"):
        trainer.train()
