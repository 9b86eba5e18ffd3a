"""Attention as two plain batched products: the quickest on a CPU at a few dozen tokens."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import torch
from torch import nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import sdpa_mask

from hf_grok.attention.terms import softmax_with, terms_of

BATCHED_ATTENTION = "hfgrok_batched"
LARGEST_KEPT = 1 << 16
"""Entries of a causal mask that is kept, 256 x 256; the products of longer rows dwarf making it."""
NOTHING: Mapping[str, Any] = MappingProxyType({})


def batched_attention(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **others: Any,
) -> tuple[torch.Tensor, torch.Tensor]:
    """softmax(scaling * Q K^T + mask) V by two batched products; dropout from the mask pools.

    Soft caps, biases of position and sinks are computed too (`hf_grok.attention.terms`).

    Shapes: query [batch, heads, queries, size], key and value [batch, key heads, keys, size] (key
    heads divide heads); returns the output [batch, queries, heads, size] and the attention
    [batch, heads, queries, keys] before dropout. `attention_mask` is boolean (True: visible), or
    numbers that are added to the scores, or None, which stands for "causal" in a causal module.

    Raises:
        UserError: the layer adds something else to its attention; names it.
    """
    output, attention, _dropped_too = attention_and_maps(
        module, query, key, value, attention_mask, dropout, scaling, others
    )
    return output, attention


def attention_and_maps(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    others: Mapping[str, Any] = NOTHING,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """As `batched_attention`, with the attention after dropout, same shape, as a third."""
    scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
    terms = terms_of(module, others)
    query, key, value = in_autocast_precision(query, key, value)
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = (states.repeat_interleave(groups, dim=1) for states in (key, value))
    batch, heads, queries, size = query.shape
    keys = key.shape[2]
    shape = (batch, heads, queries, keys)
    mask = _additive(module, attention_mask, query, keys)
    rows = query.reshape(batch * heads, queries, size)
    columns = key.reshape(batch * heads, keys, size).transpose(1, 2)
    if terms is None:
        attention = torch.baddbmm(mask, rows, columns, alpha=scaling).softmax(dim=-1)
    else:
        scores = (torch.bmm(rows, columns) * scaling).view(shape)
        mask = mask.view(-1, heads, queries, keys) if len(mask) > 1 else mask
        attention = softmax_with(terms, scores, mask).view(batch * heads, queries, keys)
    dropped = _dropped(module, attention, dropout)
    # Keys and values need not be of one size (DeepSeek, DiffLlama).
    output = torch.bmm(dropped, value.reshape(batch * heads, keys, value.shape[-1]))
    output = output.view(batch, heads, queries, -1).transpose(1, 2).contiguous()
    return output, attention.view(shape), dropped.view(shape)


def in_autocast_precision(*states: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The states in the precision in which autocast would run the library's own attention.

    Its rule is on the name of that function, which is not called here. Left to the products' own
    rule, a mask for float32 would be -inf in bfloat16, and a row that sees nothing not a number.
    """
    device = states[0].device.type
    if not torch.is_autocast_enabled(device):
        return states
    return tuple(one.to(torch.get_autocast_dtype(device)) for one in states)


def _additive(
    module: nn.Module, mask: torch.Tensor | None, query: torch.Tensor, keys: int
) -> torch.Tensor:
    """The mask as 0 and -inf, broadcastable to [batch * heads, queries, keys]."""
    batch, heads, queries, _ = query.shape
    if mask is None:
        causal = getattr(module, "is_causal", True) and queries > 1
        return _causal(queries, keys, causal, query.dtype, query.device)
    if mask.dtype != torch.bool:  # made by the model itself, of what it adds to its scores
        mask = mask.to(query.dtype)
        return mask.expand(batch, heads, queries, keys).reshape(-1, queries, keys)
    floor = torch.finfo(query.dtype).min
    additive = torch.zeros(mask.shape, dtype=query.dtype, device=query.device)
    additive = additive.masked_fill_(~mask, floor)
    return additive.expand(batch, heads, queries, keys).reshape(-1, queries, keys)


def _causal(
    queries: int, keys: int, causal: bool, dtype: torch.dtype, device: torch.device
) -> torch.Tensor:
    """Kept where rows are short and masks many; made anew where keeping all would fill memory."""
    made = _kept_causal if queries * keys <= LARGEST_KEPT else _kept_causal.__wrapped__
    return made(queries, keys, causal, dtype, device)


@lru_cache(maxsize=512)
def _kept_causal(
    queries: int, keys: int, causal: bool, dtype: torch.dtype, device: torch.device
) -> torch.Tensor:
    additive = torch.zeros(1, queries, keys, dtype=dtype, device=device)
    if causal:
        visible = torch.ones(queries, keys, dtype=torch.bool, device=device).tril(keys - queries)
        additive.masked_fill_(~visible, torch.finfo(dtype).min)
    return additive


def _dropped(module: nn.Module, attention: torch.Tensor, probability: float) -> torch.Tensor:
    if probability == 0.0:
        return attention
    pools = getattr(module, "mask_pools", None)
    if pools is None:
        return nn.functional.dropout(attention, probability)
    return attention * pools[probability].take(attention)


def register_batched_attention() -> str:
    """Make `attn_implementation="hfgrok_batched"` known to transformers; returns that name.

    Masks are the boolean ones of SDPA (None where causal alone says all): without a mask function
    of its own a causal model would silently see the future.
    """
    AttentionInterface.register(BATCHED_ATTENTION, batched_attention)
    AttentionMaskInterface.register(BATCHED_ATTENTION, sdpa_mask)
    return BATCHED_ATTENTION
