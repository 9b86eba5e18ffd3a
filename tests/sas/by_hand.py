"""One step of plain gradient descent on LM loss + lambda R, written from the definitions."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel

from hf_grok.models import word_level_tokenizer
from hf_grok.sas import ArcCollator, encode_rows
from hf_grok.sas.batches.rows import ArcRows
from hf_grok.sas.options import PenaltyOptions
from tests.sas.material import penalty_by_definition
from tests.sas.trainers import arguments

SENTENCES = [
    ("the newts near the yak sleep .", [2, 6, 5, 5, 2, 0, 6]),
    ("a yak sees the newt .", [2, 3, 0, 5, 3, 3]),
    ("newts sleep .", [2, 0, 2]),
    ("the yak sleeps near a newt .", [2, 3, 0, 6, 6, 3, 3]),
]
TOKENIZER = word_level_tokenizer(sorted({w for text, _ in SENTENCES for w in text.split()}))
# The vocabulary has no end of its own, and TRL wants one.
TOKENIZER.eos_token = TOKENIZER.pad_token
COLLATOR = ArcCollator(TOKENIZER, masked=False)
RATE = 0.5
ONE_STEP = {
    "max_steps": 1,
    "optim": "sgd",
    "learning_rate": RATE,
    "max_grad_norm": 1e9,
    "per_device_train_batch_size": len(SENTENCES),
}


def sentences() -> list[dict[str, Any]]:
    return [
        {"words": text.split(), "heads": heads, "deprels": ["dep"] * len(heads)}
        for text, heads in SENTENCES
    ]


def encoded() -> ArcRows:
    return encode_rows(sentences(), TOKENIZER, progress=False)


def llama(kind: type[LlamaForCausalLM] = LlamaForCausalLM) -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(TOKENIZER),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        initializer_range=0.3,
    )
    return kind(config)


def one_step(folder: Path, **changes: Any) -> dict[str, Any]:
    return arguments(folder, **{**ONE_STEP, **changes})


def weights(model: torch.nn.Module) -> dict[str, Tensor]:
    return {name: one.detach().clone() for name, one in model.named_parameters()}


def penalty_by_hand(
    model: PreTrainedModel, batch: Mapping[str, Tensor], attentions: Sequence[Tensor]
) -> Tensor:
    """R of a batch: the mean over its arcs, both directions, of the greatest attention."""
    names = [["dep"] * len(row) for row in batch["arc_heads"].tolist()]
    total, arcs, _ = penalty_by_definition(
        attentions,
        batch["arc_word_of"].tolist(),
        batch["arc_heads"].tolist(),
        PenaltyOptions(),
        names,
    )
    return total / arcs


def step_by_hand(model: PreTrainedModel, strength: float) -> tuple[dict[str, Tensor], float]:
    """The weights after one step over all sentences at once, and R before it."""
    model = copy.deepcopy(model).train()
    model.set_attn_implementation("eager")
    batch = COLLATOR(list(encoded()))
    seen = {name: batch[name] for name in ("input_ids", "attention_mask")}
    output = model(**seen, output_attentions=True)
    places = [
        (row, place)
        for row, place in np.argwhere(batch["labels"].numpy() != -100).tolist()
        if place > 0
    ]
    losses = [
        -output.logits[row, place - 1].log_softmax(-1)[batch["labels"][row, place]]
        for row, place in places
    ]
    penalty = penalty_by_hand(model, batch, output.attentions)
    (torch.stack(losses).mean() + strength * penalty).backward()
    moved = {
        name: one.detach() - RATE * (0 if one.grad is None else one.grad)
        for name, one in model.named_parameters()
    }
    return moved, float(penalty.detach())


def assert_equals_by_hand(trainer: Any, before: PreTrainedModel, strength: float) -> None:
    """The trainer's one step is that by hand, in R and in every weight."""
    trainer.train()
    expected, penalty = step_by_hand(before, strength)
    logged = [row["sas_penalty"] for row in trainer.state.log_history if "sas_penalty" in row]
    assert abs(logged[0] - penalty) < 1e-5
    found = weights(trainer.model)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-5, msg=name)
