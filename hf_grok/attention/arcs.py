"""Attention functions for transformers that return the attention on chosen pairs, and no map."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from hf_grok.attention.batched import (
    attention_and_maps,
    batched_attention,
    in_autocast_precision,
)
from hf_grok.attention.fused_arcs import fused_arcs
from hf_grok.attention.pairs import gather_pairs
from hf_grok.attention.terms import terms_of
from hf_grok.errors import UserError

FUSED = "hfgrok_arcs_fused"
BATCHED = "hfgrok_arcs_batched"


def fused_arc_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    sas_pairs: Int64[Tensor, "batch pairs 2"] | None = None,
    sas_post_dropout: bool = False,
    **kwargs: Any,
) -> tuple[Tensor, Float[Tensor, "batch heads pairs"] | None]:
    """Fused attention, and the attention before dropout at `sas_pairs`; see `fused_arcs`.

    Shapes: query [batch, heads, tokens, size], key and value [batch, key heads, tokens, size] (key
    heads divide heads); returns the output [batch, tokens, heads, size] and the attention on pairs.
    `attention_mask` is boolean (True: visible), or None, which stands for "causal" in a causal
    module. Without `sas_pairs` this is the library's "sdpa", to the bit.

    Raises:
        UserError: what the kernel does not compute: see the message.
    """
    terms = terms_of(module, kwargs)
    if terms is not None:
        raise UserError(
            f"{type(module).__name__} adds {' and '.join(terms.names())} to its attention, which "
            "no fused kernel computes: take the attention on arcs from 'batched'"
        )
    if sas_pairs is None:
        plain: tuple[Tensor, None] = sdpa_attention_forward(
            module,
            query,
            key,
            value,
            attention_mask,
            dropout=dropout,
            scaling=scaling,
            is_causal=is_causal,
            **kwargs,
        )
        return plain
    _check_call(module, query, key, attention_mask)
    if sas_post_dropout and dropout > 0:
        raise UserError("a fused kernel does not show the attention after dropout: take 'batched'")
    query, key, value = in_autocast_precision(query, key, value)
    groups = query.shape[1] // key.shape[1]
    causal = getattr(module, "is_causal", True) if is_causal is None else is_causal
    output, alpha = fused_arcs(
        query,
        repeat_kv(key, groups),
        repeat_kv(value, groups),
        attention_mask,
        sas_pairs,
        scale=query.shape[-1] ** -0.5 if scaling is None else scaling,
        is_causal=bool(causal) and attention_mask is None and query.shape[2] > 1,
        dropout=dropout,
    )
    return output.transpose(1, 2).contiguous(), alpha


def batched_arc_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    sas_pairs: Int64[Tensor, "batch pairs 2"] | None = None,
    sas_post_dropout: bool = False,
    **kwargs: Any,
) -> tuple[Tensor, Tensor]:
    """`batched_attention`, with the attention at `sas_pairs` alone kept of each layer's map.

    Shapes as in `fused_arc_attention`. The attention is taken before dropout, or after it with
    `sas_post_dropout`. Without `sas_pairs` this is `batched_attention`, whole map and all.

    Raises:
        UserError: what the products do not compute: see the message.
    """
    if sas_pairs is None:
        return batched_attention(
            module, query, key, value, attention_mask, dropout, scaling, **kwargs
        )
    _check_call(module, query, key, attention_mask)
    output, before, after = attention_and_maps(
        module, query, key, value, attention_mask, dropout, scaling, kwargs
    )
    alpha = gather_pairs(after if sas_post_dropout else before, sas_pairs)
    return output, alpha.float() if alpha.dtype.itemsize < 4 else alpha


def register_arc_attentions() -> tuple[str, str]:
    """Make both names known to transformers, each with SDPA's boolean masks; returns them.

    Calling it again changes nothing. Without a mask function of its own an attention would
    silently show a causal model the future.
    """
    for name, function in ((FUSED, fused_arc_attention), (BATCHED, batched_arc_attention)):
        AttentionInterface.register(name, function)
        AttentionMaskInterface.register(name, sdpa_mask)
    return FUSED, BATCHED


def _check_call(module: nn.Module, query: Tensor, key: Tensor, mask: Tensor | None) -> None:
    name = type(module).__name__
    if not torch.is_grad_enabled():
        raise UserError(
            f"{name} computes its attention without a graph where the model is trained, so a "
            "penalty on it would change no weight: recompute activations with use_reentrant=False"
        )
    if query.shape[2] != key.shape[2]:
        raise UserError(
            f"{name}: {query.shape[2]} queries and {key.shape[2]} keys: the attention on arcs is "
            "that of whole rows to themselves (use_cache=False, no cross-attention)"
        )
    if mask is not None and mask.dtype is not torch.bool:
        raise UserError(
            f"{name}: the attention mask is of {mask.dtype}: expected torch.bool, True where "
            "visible (a mask made in four dimensions is handed on as it is)"
        )
