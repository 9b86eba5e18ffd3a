"""Attention maps of any model of the library, one layer at a time."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import PreTrainedModel

from hf_grok.annotation.alignment import EncodedWords
from hf_grok.attention.modules import (
    attention_modules,
    layers_with_attention,
    recorded_attention,
    switched,
)
from hf_grok.errors import UserError
from hf_grok.measurement.length_batches import length_batches, token_budget

# (layer, attention [batch, heads, queries, keys]) -> nothing: reduces the map while it is there.
Reduce = Callable[[int, Tensor], None]


class WithoutMapsError(UserError):
    """The model has no attention maps to look at."""


def batch_inputs(
    words: EncodedWords, batch: Sequence[int], device: torch.device, *, causal: bool
) -> dict[str, Any]:
    """What the model is called with for the sentences at `batch`, cut to the longest of them.

    Padding is masked from a bidirectional model. It stands on the right, out of a causal one's
    sight.
    """
    longest = int(words.lengths[list(batch)].max())
    ids = words.ids[list(batch), :longest].to(device)
    if causal:
        return {"input_ids": ids, "use_cache": False}
    return {
        "input_ids": ids,
        "attention_mask": words.mask[list(batch), :longest].to(device, torch.int64),
    }


def word_batches(
    words: EncodedWords, chosen: Sequence[int], device: torch.device, *, causal: bool
) -> Iterator[tuple[list[int], dict[str, Any]]]:
    """The sentences in batches of like length, each with what the model is called with for it."""
    for batch in length_batches(words.lengths, chosen, token_budget(device)):
        yield batch, batch_inputs(words, batch, device, causal=causal)


@contextmanager
def eager_attention(model: nn.Module) -> Iterator[None]:
    """The eager attention of the model's own library code, the implementation restored on leaving.

    Fused kernels never form the maps, and report an empty tuple instead of an error.
    """
    inner = switched(model)
    if not inner:
        raise WithoutMapsError(
            f"{type(model).__name__} is no PreTrainedModel: its attention is not known"
        )
    before = [(module, module.config._attn_implementation) for module in inner]
    try:
        for module in inner:
            _switch(module, "eager")
        yield
    finally:
        for module, implementation in before:
            _switch(module, implementation)


def _switch(module: PreTrainedModel, implementation: str) -> None:
    """Switch one part; a model with attention code of its own has its configuration to read."""
    if module._can_set_attn_implementation():
        module.set_attn_implementation(implementation)
    else:
        module.config._attn_implementation = implementation


def for_each_layer(model: nn.Module, reduce: Reduce, **inputs: Any) -> Any:
    """Run `model(**inputs)`, calling `reduce(layer, attention)` as each layer's map comes.

    Maps are float32 [batch, heads, queries, keys]. Where the library records a model's attention
    modules none is kept, so that one layer's maps are held at a time; a model with attention code
    of its own reports all of them at the end. The model is in evaluation mode, so no dropout is in
    them. Call it in `eager_attention`.

    Returns:
        The model's own output.

    Raises:
        UserError: a layer reported no map.
    """
    recorded = recorded_attention(model)
    if not recorded:
        return _for_each_reported(model, reduce, inputs)
    modules = [module for module, _ in recorded]
    seen: list[nn.Module] = []

    def hook(index: int, module: nn.Module, arguments: Any, output: Any) -> None:
        seen.append(module)
        reduce(len(seen) - 1, map_of(module, output, index))

    with ExitStack() as stack:
        for module, index in recorded:
            stack.callback(module.register_forward_hook(partial(hook, index)).remove)
        output = model(**inputs)
    expected = layers_with_attention(model) or len(modules)
    if seen != modules and (len(modules) == expected or len(seen) != expected):
        raise WithoutMapsError(
            f"{type(model).__name__} has {expected} layers, {len(modules)} of whose modules the "
            f"library records, and {len(seen)} maps came: expected one from each layer, in order "
            "(is a layer skipped, or run twice?)"
        )
    return output


def _for_each_reported(model: nn.Module, reduce: Reduce, inputs: dict[str, Any]) -> Any:
    """The maps that a model with attention code of its own hands back when asked for them."""
    output = model(**inputs, output_attentions=True)
    maps = getattr(output, "attentions", None) or ()
    expected = layers_with_attention(model)
    shapes = {
        tuple(one.shape) if isinstance(one, Tensor) else type(one).__name__: None for one in maps
    }
    batch, length = inputs["input_ids"].shape
    right = all(
        len(shape) == 4 and (shape[0], *shape[2:]) == (batch, length, length) for shape in shapes
    )
    if not maps or not right or (expected is not None and len(maps) != expected):
        raise WithoutMapsError(
            f"{type(model).__name__} has attention code of its own, and reported "
            f"{len(maps)} maps of shape {', '.join(map(str, shapes)) or 'none'} for {expected} "
            f"layers: expected one a layer, of ({batch}, heads, {length}, {length}). It attends "
            "otherwise than by a softmax over the words"
        )
    for layer, attention in enumerate(maps):
        reduce(layer, attention.to(torch.float32))
    return output


@contextmanager
def attention_masks(model: nn.Module) -> Iterator[dict[int, Tensor | None]]:
    """masks[layer] = the mask that the layer's attention is called with, there before its map.

    In eager attention it is additive, [batch or 1, 1, queries, keys]: 0 where the query may look.
    None hides nothing. A sliding window is in the masks of its layers. Of a model with attention
    code of its own nothing is known.
    """
    modules = attention_modules(model)
    masks: dict[int, Tensor | None] = {}
    calls = count()
    layers = layers_with_attention(model) or len(modules)

    def hook(module: nn.Module, arguments: Any, keywords: Any) -> None:
        named = inspect.signature(module.forward).bind(*arguments, **keywords).arguments
        masks[next(calls) % layers] = {**named, **keywords}.get("attention_mask")

    with ExitStack() as stack:
        for module in modules:
            stack.callback(module.register_forward_pre_hook(hook, with_kwargs=True).remove)
        yield masks


def map_of(module: nn.Module, output: Any, index: int) -> Float[Tensor, "batch heads queries keys"]:
    """The float32 map at a place in what an attention module returns.

    Raises:
        UserError: there is none.
    """
    attention = output[index] if isinstance(output, tuple) and len(output) > index else None
    if not isinstance(attention, Tensor) or attention.ndim != 4:
        raise UserError(
            f"{type(module).__name__} reported no attention map: call this inside "
            "hf_grok.attention.maps.eager_attention(model)"
        )
    return attention.to(torch.float32)
