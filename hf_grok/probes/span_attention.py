"""Attention that sees a span and the special tokens only, from a chosen layer on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from hf_grok.errors import UserError
from hf_grok.probes.attention import attention_modules, eager_attention

# No "flash", "flex_attention" or "/" in it: transformers gives these a meaning.
SPAN_ATTENTION = "hfgrok_span"


@dataclass
class SpanMask:
    """visible[r, t] = token t of row r is in the row's span, or special.

    Attributes:
        visible: for every token of the row, filling included.
        layers: number of the layer of each attention module, by the module's id.
        threshold: first layer that sees no more than that.
        asked: the layers that have asked for it, in order.
    """

    visible: Bool[Tensor, "row length"]
    layers: dict[int, int]
    threshold: int
    asked: list[int] = field(default_factory=list)

    def apply(self, module: nn.Module, mask: Tensor) -> Tensor:
        """The model's own mask (True: visible), narrowed in the layers that see the span alone."""
        layer = self.layers[id(module)]
        self.asked.append(layer)
        if layer < self.threshold:
            return mask
        itself = torch.eye(mask.shape[-1], dtype=torch.bool, device=mask.device)
        # A token outside the span is seen by none; that it sees itself keeps its row from NaN.
        return mask & (self.visible[:, None, None, :] | itself)


_current: ContextVar[SpanMask] = ContextVar("span mask")


@contextmanager
def sees_span_alone(
    model: PreTrainedModel, visible: Bool[Tensor, "row length"], threshold: int
) -> Iterator[None]:
    """In layers `threshold` and up, positions attend to `visible` tokens only.

    What the model masks itself (future, padding, local windows) stays masked. The implementation
    of attention is restored on leaving.

    Raises:
        UserError: a layer did not ask for the mask, so it would have seen the whole sentence.
    """
    modules = attention_modules(model)
    mask = SpanMask(visible, {id(module): n for n, module in enumerate(modules)}, threshold)
    token = _current.set(mask)
    try:
        with eager_attention(model):  # for restoring what was there before
            model.set_attn_implementation(SPAN_ATTENTION)
            yield
    finally:
        _current.reset(token)
    if mask.asked != list(range(len(modules))):
        raise UserError(
            f"{type(model).__name__} has {len(modules)} layers, and layers {mask.asked} asked for "
            "the mask of a span: its attention does not go through transformers' "
            "AttentionInterface, so it cannot be told what to see"
        )


def _span_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor,
    **rest: Any,
) -> tuple[Tensor, None]:
    mask = _current.get().apply(module, attention_mask)
    output: tuple[Tensor, None] = sdpa_attention_forward(module, query, key, value, mask, **rest)
    return output


def _whole_mask(*shape: Any, **options: Any) -> Tensor | None:
    """The boolean mask of SDPA, written out where it would be left to the kernel."""
    skips = {"allow_is_causal_skip": False, "allow_is_bidirectional_skip": False}
    return sdpa_mask(*shape, **(options | skips))


# Without a mask function of its own a causal model would silently see the future.
AttentionInterface.register(SPAN_ATTENTION, _span_attention)
AttentionMaskInterface.register(SPAN_ATTENTION, _whole_mask)
