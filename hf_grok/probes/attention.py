"""Attention maps of any stock model, one layer at a time."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.utils.output_capturing import OutputRecorder

from hf_grok.behaviour.encoding import length_batches, token_budget
from hf_grok.errors import UserError
from hf_grok.probes.alignment import EncodedWords

# (layer, attention [batch, heads, queries, keys]) -> nothing: reduces the map while it is there.
Reduce = Callable[[int, Tensor], None]


def attention_modules(model: nn.Module) -> list[nn.Module]:
    """The self-attention module of every layer, in order: those whose maps the library records.

    Raises:
        UserError: the model has none, or not as many as its config has layers.
    """
    found: list[nn.Module] = []
    for owner in model.modules():
        recorded = (getattr(owner, "_can_record_outputs", None) or {}).get("attentions")
        if recorded is None or found:
            continue
        found = [
            module for name, module in owner.named_modules() if _matches(recorded, name, module)
        ]
    expected = getattr(getattr(model, "config", None), "num_hidden_layers", len(found))
    if not found or len(found) != expected:
        raise UserError(
            f"{type(model).__name__} has {len(found)} attention modules that transformers records "
            f"and {expected} layers: attention probes need a stock transformer of the library"
        )
    return found


def is_causal(model: nn.Module) -> bool:
    """Whether every layer's self-attention sees the past only.

    Raises:
        UserError: the layers differ, or the model does not say.
    """
    said = {getattr(module, "is_causal", None) for module in attention_modules(model)}
    if said <= {True} or said <= {False}:
        return said == {True}
    raise UserError(
        f"{type(model).__name__} does not say whether its attention is causal (is_causal of its "
        f"layers: {sorted(map(str, said))}): expected a stock transformer of the library"
    )


def layers_and_heads(model: nn.Module) -> tuple[int, int]:
    """Number of layers, and of attention heads in each.

    Raises:
        UserError: the model's config does not say how many heads there are.
    """
    heads = getattr(getattr(model, "config", None), "num_attention_heads", None)
    if not isinstance(heads, int):
        raise UserError(
            f"{type(model).__name__}: the config's num_attention_heads is {heads!r}: expected the "
            "number of heads of every layer"
        )
    return len(attention_modules(model)), heads


def transformer_of(model: nn.Module) -> nn.Module:
    """The model without its output layer: maps need no logits, and a vocabulary's are dear."""
    return model.base_model if isinstance(model, PreTrainedModel) else model


def batch_inputs(
    words: EncodedWords, batch: Sequence[int], device: torch.device, *, causal: bool
) -> dict[str, Any]:
    """What the model is called with for the sentences at `batch`, cut to the longest of them.

    Filling is masked from a bidirectional model. It stands on the right, out of a causal one's
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
    inner = [module for module in model.modules() if isinstance(module, PreTrainedModel)]
    if not inner:
        raise UserError(f"{type(model).__name__} is no PreTrainedModel: its attention is not known")
    before = {id(module.config): (module, module.config._attn_implementation) for module in inner}
    try:
        for module, _ in before.values():
            module.set_attn_implementation("eager")
        yield
    finally:
        for module, implementation in before.values():
            module.set_attn_implementation(implementation)


def for_each_layer(model: nn.Module, reduce: Reduce, **inputs: Any) -> Any:
    """Run `model(**inputs)`, calling `reduce(layer, attention)` as each layer's map comes.

    Maps are float32 [batch, heads, queries, keys]; none is kept, so one layer's maps are held at a
    time. The model is in evaluation mode, so no dropout is in them. Call it in `eager_attention`.

    Returns:
        The model's own output.

    Raises:
        UserError: a layer reported no map.
    """
    modules = attention_modules(model)
    seen: list[int] = []

    def hook_of(layer: int) -> Callable[..., None]:
        def hook(module: nn.Module, arguments: Any, output: Any) -> None:
            seen.append(layer)
            reduce(layer, _map_of(module, output))

        return hook

    with ExitStack() as stack:
        for layer, module in enumerate(modules):
            stack.callback(module.register_forward_hook(hook_of(layer)).remove)
        output = model(**inputs)
    if seen != list(range(len(modules))):
        raise UserError(
            f"{len(modules)} layers, but maps came from layers {seen}: expected one from each, in "
            "order (is a layer skipped, or run twice?)"
        )
    return output


@contextmanager
def attention_masks(model: nn.Module) -> Iterator[list[Tensor | None]]:
    """masks[layer] = the mask that the layer's attention is called with, there before its map.

    In eager attention it is additive, [batch or 1, 1, queries, keys]: 0 where the query may look.
    None hides nothing. A sliding window is in the masks of its layers.
    """
    modules = attention_modules(model)
    masks: list[Tensor | None] = [None] * len(modules)

    def hook_of(layer: int) -> Callable[..., None]:
        signature = inspect.signature(modules[layer].forward)

        def hook(module: nn.Module, arguments: Any, keywords: Any) -> None:
            named = signature.bind(*arguments, **keywords).arguments
            masks[layer] = {**named, **keywords}.get("attention_mask")

        return hook

    with ExitStack() as stack:
        for layer, module in enumerate(modules):
            handle = module.register_forward_pre_hook(hook_of(layer), with_kwargs=True)
            stack.callback(handle.remove)
        yield masks


def _map_of(module: nn.Module, output: Any) -> Float[Tensor, "batch heads queries keys"]:
    attention = output[1] if isinstance(output, tuple) and len(output) > 1 else None
    if not isinstance(attention, Tensor) or attention.ndim != 4:
        raise UserError(
            f"{type(module).__name__} reported no attention map: call this inside "
            "hf_grok.probes.attention.eager_attention(model)"
        )
    return attention.to(torch.float32)


def _matches(recorded: Any, name: str, module: nn.Module) -> bool:
    if isinstance(recorded, list | tuple):
        return any(_matches(one, name, module) for one in recorded)
    if isinstance(recorded, OutputRecorder):
        # ".attn" is the end of a path: GPT-2's cross-attention is of the same class.
        fits = recorded.layer_name is None or f".{name}".endswith(recorded.layer_name)
        return fits and isinstance(module, recorded.target_class)
    return isinstance(recorded, type) and isinstance(module, recorded)
