"""Attention that sees a span and the special tokens only, from a chosen layer on."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from hf_grok.attention.maps import eager_attention, map_of
from hf_grok.attention.modules import layers_with_attention, recorded_attention
from hf_grok.errors import UserError

MASK = "attention_mask"


class SpanMask:
    """visible[r, t] = token t of row r is in the row's span, or special.

    The mask that a layer's eager attention is called with is narrowed on its way in, so everything
    else that a model adds to its scores stays: sinks, soft caps, biases of position. That the layer
    has honoured it is seen in its map.

    Args:
        visible: for every token of the row, padding included.
        threshold: first layer that sees no more than that.
        layers: how many calls a forward pass takes.
    """

    def __init__(self, visible: Bool[Tensor, "row length"], threshold: int, layers: int) -> None:
        itself = torch.eye(visible.shape[-1], dtype=torch.bool, device=visible.device)
        # A token outside the span is seen by none; that it sees itself keeps its row from NaN.
        self.allowed = visible[:, None, None, :] | itself
        self.threshold, self.layers = threshold, layers
        self.asked = 0
        self._reading = torch.ones_like(self.allowed[..., :1])

    def before(self, module: nn.Module, arguments: Any, keywords: Any) -> tuple[Any, Any]:
        """Narrow the mask of the layer that is about to be run."""
        self.asked += 1
        if self.asked - 1 < self.threshold:
            return arguments, keywords
        names = list(inspect.signature(module.forward).parameters)
        place = names.index(MASK) if MASK in names else len(arguments)
        if place < len(arguments):
            narrowed = self._narrowed(module, arguments[place])
            return (*arguments[:place], narrowed, *arguments[place + 1 :]), keywords
        return arguments, {**keywords, MASK: self._narrowed(module, keywords.get(MASK))}

    def after(self, index: int, module: nn.Module, arguments: Any, output: Any) -> None:
        """Look at the map, at place `index` of what the layer returned.

        Raises:
            UserError: it has weight outside the span.
        """
        if self.asked <= self.threshold:
            return
        # A row of padding that sees nothing may spread over everything: nobody reads it.
        outside = map_of(module, output, index) * (self._reading & ~self.allowed)
        if bool(outside.any()):
            raise _deaf(module, "attended to tokens outside it nevertheless")

    def _narrowed(self, module: nn.Module, mask: Tensor | None) -> Tensor:
        if mask is None:
            mask = torch.ones_like(self.allowed)
            mask = mask.tril() if getattr(module, "is_causal", False) else mask
            floor = torch.finfo(_dtype_of(module)).min
            mask = torch.where(mask, 0.0, floor).to(_dtype_of(module))
        if mask.ndim != 4 or mask.shape[-2:] != self.allowed.shape[-2:]:
            raise _deaf(module, f"has a mask of shape {tuple(mask.shape)}, which is not known")
        if mask.dtype == torch.bool:
            narrowed = mask & self.allowed
            self._reading = narrowed.any(-1, keepdim=True)
            return narrowed
        floor = torch.finfo(mask.dtype).min
        narrowed = torch.where(self.allowed, mask, floor)
        self._reading = (narrowed > floor / 2).any(-1, keepdim=True)
        return narrowed


@contextmanager
def sees_span_alone(
    model: nn.Module, visible: Bool[Tensor, "row length"], threshold: int
) -> Iterator[None]:
    """In layers `threshold` and up, positions attend to `visible` tokens only.

    What the model masks itself (future, padding, local windows) stays masked. The attention is the
    eager one of the model's own library code; the implementation is restored on leaving.

    Raises:
        UserError: a layer cannot be told, or has not heeded what it was told.
    """
    recorded = recorded_attention(model)
    if not recorded:
        raise _deaf(model, "has attention code of its own")
    mask = SpanMask(visible, threshold, layers_with_attention(model) or len(recorded))
    with eager_attention(model), ExitStack() as stack:
        for module, index in recorded:
            before = module.register_forward_pre_hook(mask.before, with_kwargs=True)
            stack.callback(before.remove)
            stack.callback(module.register_forward_hook(partial(mask.after, index)).remove)
        yield
    if mask.asked != mask.layers:
        raise _deaf(model, f"was asked in {mask.asked} of {mask.layers} layers only")


def _deaf(module: nn.Module, why: str) -> UserError:
    return UserError(
        f"{type(module).__name__} cannot be told to see a span alone: it {why}. Expected a "
        "transformer whose layers are handed a mask of (rows, heads, queries, keys)"
    )


def _dtype_of(module: nn.Module) -> torch.dtype:
    return next(module.parameters()).dtype
