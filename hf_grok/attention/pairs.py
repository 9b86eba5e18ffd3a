"""Reading and adding to tensors at (attending position, attended position)."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

ATTENDING, ATTENDED = 0, 1


def gather_pairs(
    attention: Float[Tensor, "batch heads queries keys"], pairs: Int64[Tensor, "batch pairs 2"]
) -> Float[Tensor, "batch heads pairs"]:
    """attention[b, h, i, j] at every pair (i, j) of row b; 0 at padding (-1)."""
    heads, keys = attention.shape[1], attention.shape[3]
    if pairs.shape[1] == 0:
        return attention.flatten(2)[..., :0]
    at = pairs.clamp(min=0)
    flat = at[..., ATTENDING] * keys + at[..., ATTENDED]
    chosen = attention.flatten(2).gather(2, flat[:, None].expand(-1, heads, -1))
    return chosen.masked_fill(is_padding(pairs)[:, None], 0.0)


def is_padding(pairs: Int64[Tensor, "batch pairs 2"]) -> Bool[Tensor, "batch pairs"]:
    """Whether a pair stands for nothing."""
    return (pairs < 0).any(-1)


def hidden_pairs(
    mask: Bool[Tensor, "#batch #heads queries keys"] | None,
    pairs: Int64[Tensor, "batch pairs 2"],
    *,
    is_causal: bool,
) -> Bool[Tensor, "batch _heads pairs"]:
    """Whether the attending position cannot look at the attended one; True at padding."""
    hidden = is_padding(pairs)[:, None]
    if is_causal:
        hidden = hidden | (pairs[..., ATTENDED] > pairs[..., ATTENDING])[:, None]
    if mask is not None:
        seen = mask.expand(pairs.shape[0], -1, -1, -1)
        hidden = hidden | ~gather_pairs(seen, pairs)
    return hidden


def rows_at(
    states: Float[Tensor, "batch heads tokens size"],
    pairs: Int64[Tensor, "batch pairs 2"],
    end: int,
) -> Float[Tensor, "batch pairs heads size"]:
    """states[b, :, position] at one end of every pair; padding gets position 0."""
    batch, heads, tokens, size = states.shape
    by_position = states.transpose(1, 2).reshape(batch * tokens, heads, size)
    chosen = by_position.index_select(0, flat_positions(pairs, end, tokens))
    return chosen.view(batch, pairs.shape[1], heads, size)


def add_rows_at(
    states: Float[Tensor, "batch heads tokens size"],
    added: Float[Tensor, "batch pairs heads size"],
    pairs: Int64[Tensor, "batch pairs 2"],
    end: int,
) -> Float[Tensor, "batch heads tokens size"]:
    """states[b, :, position] += added, pair by pair; `states` itself may change or not."""
    batch, heads, tokens, size = states.shape
    by_position = states.transpose(1, 2).reshape(batch * tokens, heads, size)
    at = flat_positions(pairs, end, tokens)
    by_position.index_add_(0, at, added.flatten(0, 1).to(states.dtype))
    return by_position.view(batch, tokens, heads, size).transpose(1, 2)


def flat_positions(
    pairs: Int64[Tensor, "batch pairs 2"], end: int, tokens: int
) -> Int64[Tensor, " flat"]:
    """b * tokens + position of one end of every pair; padding gets position 0."""
    batches = torch.arange(pairs.shape[0], device=pairs.device)[:, None]
    return (batches * tokens + pairs[..., end].clamp(min=0)).flatten()
