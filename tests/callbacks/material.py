"""A plain Trainer small enough for a second, and probes that count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

from hf_grok.probes import Metric, Probe, State

Rows = list[dict[str, torch.Tensor]]


def rows(count: int, seed: int = 0) -> Rows:
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(3, 20, (count, 6), generator=generator)
    return [{"input_ids": row, "labels": row} for row in ids]


def tiny_model(dropout: float = 0.1) -> GPT2LMHeadModel:
    torch.manual_seed(0)
    rates = {"resid_pdrop": dropout, "embd_pdrop": dropout, "attn_pdrop": dropout}
    config = GPT2Config(vocab_size=20, n_positions=8, n_embd=8, n_layer=2, n_head=2, **rates)
    config.bos_token_id = config.eos_token_id = 1
    model = GPT2LMHeadModel(config)
    model.loss_type = "ForCausalLM"
    return model


def tiny_trainer(folder: Path, *, evaluated: Any = None, **changes: Any) -> Trainer:
    arguments: dict[str, Any] = {
        "output_dir": str(folder),
        "max_steps": 8,
        "per_device_train_batch_size": 4,
        "eval_strategy": "steps",
        "eval_steps": 3,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "use_cpu": True,
        "seed": 1,
    }
    return Trainer(
        model=tiny_model(),
        args=TrainingArguments(**{**arguments, **changes}),
        train_dataset=rows(40),
        eval_dataset=rows(6, seed=1) if evaluated is None else evaluated,
    )


class CountingProbe(Probe):
    """count_items = number of items; count_norm = squared norm of the weights it saw."""

    name: ClassVar[str] = "count"
    version: ClassVar[int] = 1
    source: ClassVar[str] = "these tests"
    metrics: ClassVar[Mapping[str, Metric]] = {
        "count_items": Metric("items", "items"),
        "count_norm": Metric("norm", "squared"),
    }

    def __init__(self, items: int = 5) -> None:
        self.items = items
        self.calls = 0

    def __len__(self) -> int:
        return self.items

    def state(self, model: nn.Module, indices: Sequence[int] | None = None) -> State:
        self.calls += 1
        torch.rand(3)  # a probe that forgets itself: the guard puts the random state back
        share = range(self.items) if indices is None else indices
        norm = sum(float(p.detach().double().square().sum()) for p in model.parameters())
        return {"items": torch.tensor(len(share)), "norm": torch.tensor(norm * len(share))}

    def compute(self, state: State) -> dict[str, float]:
        items = int(state["items"])
        return {"count_items": float(items), "count_norm": float(state["norm"]) / items}

    def picture(self, state: State) -> dict[str, Any]:
        return {"items": int(state["items"])}


class FailingProbe(CountingProbe):
    """Raises whenever it is asked."""

    name: ClassVar[str] = "broken"

    def state(self, model: nn.Module, indices: Sequence[int] | None = None) -> State:
        raise KeyError("no such thing")
