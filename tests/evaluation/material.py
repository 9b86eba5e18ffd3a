"""A run's folder with three checkpoints, and a probe that counts how often it is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import nn

from hf_grok.models import word_level_tokenizer
from hf_grok.probes import Metric, Probe, State
from tests.models.tiny import tiny_model

WORDS = ["the", "a", "cat", "dog", "sees", "hears", "runs", ".", "who"]
ROWS = [
    {
        "words": ["the", "cat", "runs", "."],
        "heads": [2, 3, 0, 3],
        "deprels": ["det", "nsubj", "root", "punct"],
    },
    {
        "words": ["a", "dog", "sees", "the", "cat", "."],
        "heads": [2, 3, 0, 5, 3, 3],
        "deprels": ["det", "nsubj", "root", "det", "obj", "punct"],
    },
]


def run_folder(folder: Path, steps: Sequence[int] = (0, 10, 20)) -> Path:
    tokenizer = word_level_tokenizer(WORDS)
    for step in steps:
        checkpoint = folder / f"checkpoint-{step}"
        tiny_model("sdpa", seed=step, vocab_size=len(tokenizer)).save_pretrained(checkpoint)
        tokenizer.save_pretrained(checkpoint)
    return folder


class NormProbe(Probe):
    """asked_norm = mean over rows of the squared norm of the weights."""

    name: ClassVar[str] = "asked"
    version: ClassVar[int] = 1
    source: ClassVar[str] = "these tests"
    metrics: ClassVar[Mapping[str, Metric]] = {"asked_norm": Metric("norm", "squared")}
    calls: ClassVar[int] = 0
    fails_from: ClassVar[int] = 10**9

    def __init__(self, rows: Any, tokenizer: Any, *, scale: float = 1.0) -> None:
        self.rows, self.scale = rows, scale

    def __len__(self) -> int:
        return len(self.rows)

    def state(self, model: nn.Module, indices: Sequence[int] | None = None) -> State:
        type(self).calls += 1
        if type(self).calls > type(self).fails_from:
            raise ValueError("out of luck")
        norm = sum(float(p.detach().double().square().sum()) for p in model.parameters())
        return {"norm": torch.tensor(norm * self.scale)}

    def compute(self, state: State) -> dict[str, float]:
        return {"asked_norm": float(state["norm"])}
