"""Trainers small enough for a second, with and without the regulariser."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel, Trainer, TrainingArguments, default_data_collator

from hf_grok import SASTrainer, SASTrainingArguments
from hf_grok.annotation.heads import relation_id
from hf_grok.sas import token_mean_loss
from hf_grok.sas.batches.keys import HEADS, RELATIONS, SHAM_HEADS, WORD_OF
from tests.probes.matrix import BIDIRECTIONAL, model_of

# The newer name of the two, where the library has it: the older one warns there.
CHECKPOINTING = (
    "activation_checkpointing"
    if "activation_checkpointing" in {field.name for field in fields(TrainingArguments)}
    else "gradient_checkpointing"
)
LENGTH, VOCABULARY = 8, 20
SUPPRESS = "0:0.5"

Row = dict[str, torch.Tensor]


def rows(count: int, *, masked: bool, seed: int = 0) -> list[Row]:
    """Sentences of 8 random tokens, each the child of a random other word; some have no head."""
    generator = torch.Generator().manual_seed(seed)
    return [_row(generator, masked) for _ in range(count)]


def _row(generator: torch.Generator, masked: bool) -> Row:
    ids = torch.randint(3, VOCABULARY, (LENGTH,), generator=generator)
    hidden = torch.rand(LENGTH, generator=generator) < 0.4
    hidden[int(ids[0]) % LENGTH] = True
    place = torch.arange(LENGTH)
    heads = [
        (place + torch.randint(1, LENGTH, (LENGTH,), generator=generator)) % LENGTH
        for _ in range(2)
    ]
    absent = torch.rand(LENGTH, generator=generator) < 0.3
    return {
        "input_ids": ids.masked_fill(hidden, 2) if masked else ids,
        "labels": ids.masked_fill(~hidden, -100) if masked else ids,
        WORD_OF: place,
        HEADS: heads[0].masked_fill(absent, -1),
        RELATIONS: torch.full((LENGTH,), relation_id("obj")).masked_fill(absent, -1),
        SHAM_HEADS: heads[1].masked_fill(absent, -1),
    }


def model(name: str, *, dropout: float = 0.0) -> PreTrainedModel:
    """A tiny model of one architecture, every dropout at one rate."""
    made = model_of(name, VOCABULARY)
    for module in made.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = dropout
        for field in ("attention_dropout", "dropout_prob"):
            if isinstance(getattr(module, field, None), float):
                setattr(module, field, dropout)
    for field in ("attention_dropout", "attention_probs_dropout_prob", "attn_pdrop"):
        if hasattr(made.config, field):
            setattr(made.config, field, dropout)
    if name == "gpt2":
        made.loss_type = "ForCausalLM"
    return made


def arguments(folder: Path, **changes: Any) -> dict[str, Any]:
    return {
        "output_dir": str(folder),
        "max_steps": 4,
        "per_device_train_batch_size": 4,
        "per_device_eval_batch_size": 3,
        "learning_rate": 0.01,
        "lr_scheduler_type": "constant",
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "use_cpu": True,
        "remove_unused_columns": False,
        "seed": 1,
        **changes,
    }


def sas_trainer(folder: Path, name: str = "bert", *, dropout: float = 0.0, **changes: Any) -> Any:
    """An SASTrainer over annotated rows, suppressing unless `sas_schedule` says otherwise."""
    masked = name in BIDIRECTIONAL
    settings = {"sas_schedule": SUPPRESS, **changes}
    return SASTrainer(
        model=model(name, dropout=dropout),
        args=SASTrainingArguments(**arguments(folder, **settings)),
        train_dataset=rows(40, masked=masked),
        eval_dataset=rows(5, masked=masked, seed=1),
        data_collator=default_data_collator,
        compute_loss_func=token_mean_loss if masked else None,
    )


def plain_trainer(folder: Path, name: str = "bert", *, dropout: float = 0.0, **changes: Any) -> Any:
    """The same without the regulariser: transformers' Trainer over rows without annotation."""
    masked = name in BIDIRECTIONAL
    kept = ("input_ids", "labels")
    train, evaluated = (
        [{key: row[key] for key in kept} for row in rows(count, masked=masked, seed=seed)]
        for count, seed in ((40, 0), (5, 1))
    )
    return Trainer(
        model=model(name, dropout=dropout),
        args=TrainingArguments(**arguments(folder, **changes)),
        train_dataset=train,
        eval_dataset=evaluated,
        data_collator=default_data_collator,
        compute_loss_func=token_mean_loss if masked else None,
    )


def logged(trainer: Any, key: str) -> list[float]:
    return [row[key] for row in trainer.state.log_history if key in row]


def weights(trainer: Any) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in trainer.model.state_dict().items()}
