"""Lines of about one length, batched under a budget of tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Int
from torch import Tensor

# Tokens a batch, padding included. On one core a bigger batch only adds padding; a GPU wants more.
TOKEN_BUDGET = {"cpu": 2048}
ACCELERATOR_TOKEN_BUDGET = 16384


def length_batches(
    lengths: Int[Tensor, " line"], indices: Sequence[int], budget: int
) -> Iterator[list[int]]:
    """The indices in order of length, cut so that lines x longest line <= budget in each batch.

    A line longer than the budget is a batch of its own. Deterministic, ties by index.
    """
    batch: list[int] = []
    for index in sorted(indices, key=lambda index: (int(lengths[index]), index)):
        # In ascending order the newcomer is the longest.
        if batch and (len(batch) + 1) * int(lengths[index]) > budget:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def token_budget(device: torch.device) -> int:
    """Tokens in a batch (padding included) at which this kind of device is about fastest."""
    return TOKEN_BUDGET.get(device.type, ACCELERATOR_TOKEN_BUDGET)
