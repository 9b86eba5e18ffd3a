"""A plain training loop of the released kind, written from the published description.

The model of Murty et al. 2023 (section 3) as one writes it first: separate projections, attention
from its formula, torch's dropout, a causal mask built at each step, batches drawn at random and
padded to their longest line, fp32, AdamW parameter by parameter, one `.item()` a step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader


@dataclass(frozen=True)
class Size:
    """Sizes of the model and of its batches."""

    layers: int
    width: int
    inner: int
    heads: int
    batch: int

    def __str__(self) -> str:
        return f"{self.layers} layers, d {self.width}, batch {self.batch}"


class Attention(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.heads = size.heads
        self.query, self.key, self.value, self.out = (
            nn.Linear(size.width, size.width, bias=False) for _ in range(4)
        )
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: Tensor, future: Tensor) -> Tensor:
        batch, length, width = x.shape
        query, key, value = (
            projection(x).view(batch, length, self.heads, -1).transpose(1, 2)
            for projection in (self.query, self.key, self.value)
        )
        scores = query @ key.transpose(2, 3) / math.sqrt(width // self.heads)
        attention = self.dropout(scores.masked_fill(future, -math.inf).softmax(-1))
        return self.out((attention @ value).transpose(1, 2).reshape(batch, length, width))


class Block(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.attention = Attention(size)
        self.up = nn.Linear(size.width, size.inner)
        self.down = nn.Linear(size.inner, size.width)
        self.norms = nn.ModuleList(nn.LayerNorm(size.width) for _ in range(2))
        self.dropouts = nn.ModuleList(nn.Dropout(0.1) for _ in range(3))

    def forward(self, x: Tensor, future: Tensor) -> Tensor:
        x = self.norms[0](x + self.dropouts[0](self.attention(x, future)))
        inner = self.dropouts[1](self.up(x).relu())
        return self.norms[1](x + self.dropouts[2](self.down(inner)))


class PlainTransformer(nn.Module):
    def __init__(self, vocabulary: int, size: Size, longest: int = 512) -> None:
        super().__init__()
        self.scale = math.sqrt(size.width)
        self.embedding = nn.Embedding(vocabulary, size.width)
        self.blocks = nn.ModuleList(Block(size) for _ in range(size.layers))
        self.head = nn.Linear(size.width, vocabulary)
        self.dropout = nn.Dropout(0.1)
        pairs = torch.arange(0, size.width, 2) / size.width
        angles = torch.arange(longest)[:, None] / 10000.0**pairs
        self.register_buffer("positions", torch.stack([angles.sin(), angles.cos()], -1).flatten(1))

    def forward(self, tokens: Tensor) -> Tensor:
        length = tokens.shape[1]
        future = torch.ones(length, length, dtype=torch.bool, device=tokens.device).triu(1)
        x = self.dropout(self.embedding(tokens) * self.scale + self.positions[:length])
        for block in self.blocks:
            x = block(x, future)
        return self.head(x)


def batches(lines: list[Tensor], size: Size, padding: int) -> Iterator[Tensor]:
    """Random batches without end, padded to the longest line in each."""
    while True:
        yield from DataLoader(
            lines,
            batch_size=size.batch,
            shuffle=True,
            collate_fn=lambda rows: pad_sequence(rows, batch_first=True, padding_value=padding),
        )


def train(model: PlainTransformer, stream: Iterator[Tensor], padding: int) -> Iterator[float]:
    """The loop: one loss in nats a step."""
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=3e-4, eps=1e-7, weight_decay=0.0, foreach=False, fused=False
    )
    warm_up: Callable[[int], float] = lambda step: min(1.0, (step + 1) / 500)  # noqa: E731
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, warm_up)
    model.train()
    device = model.head.weight.device
    for tokens in stream:
        tokens = tokens.to(device)
        optimizer.zero_grad()
        logits = model(tokens[:, :-1])
        loss = cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten(), ignore_index=padding)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        yield loss.item()
