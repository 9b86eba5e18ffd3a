"""What a model's attention is, found by trying it: layers, heads, and which way it looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor, nn
from transformers import PreTrainedModel

from hf_grok.attention.maps import WithoutMapsError, eager_attention, for_each_layer
from hf_grok.attention.modules import attention_modules, layers_with_attention
from hf_grok.errors import UserError
from hf_grok.measurement.guard import watching
from hf_grok.measurement.requirements import require_finite
from hf_grok.models.text_model import (
    plain_tokens,
    transformer_of,
    trying,
    without_cache,
)

# A row of the trial, and one that is half as long and filled up.
LENGTH, SHORT = 4, 2
LEAST_TOLERANCE, ROUNDINGS = 1e-3, 16


@dataclass(frozen=True)
class AttentionFacts:
    """What the maps of four tokens show.

    Attributes:
        layers: that have attention.
        heads: of each.
        causal: no token attends to a later one, in any layer.
        reported: the maps come from attention code of the model's own, all at the end; which keys
            a query may look at is then not said.
    """

    layers: int
    heads: int
    causal: bool
    reported: bool


def attention_facts(model: nn.Module) -> AttentionFacts:
    """Layers, heads and direction of the attention of `transformer_of(model)`.

    Two rows, one of them filled up, are read under eager attention, and the maps looked at: a
    weight above 0 on a later token is a look ahead, whatever the model's classes and settings say.
    In a vision-text model it is the part that reads text.

    Raises:
        UserError: the maps are not there, or are not those of a softmax over the words: not one a
            layer, of other shapes, below 0, not summing to 1 (sinks take a share), on padding; or
            layers that differ in heads or direction, or say of themselves what they do not do.
    """
    transformer = transformer_of(model)
    ids = plain_tokens(model, 2, LENGTH)
    real = torch.ones_like(ids, dtype=torch.bool)
    real[1, SHORT:] = False
    maps: list[Tensor] = []
    with watching(model), trying(model), eager_attention(transformer):
        for_each_layer(
            transformer,
            lambda layer, attention: maps.append(attention),
            input_ids=ids,
            attention_mask=real.long(),
            **without_cache(transformer),
        )
    modules = attention_modules(transformer)
    said = {getattr(module, "is_causal", None) for module in modules} - {None}
    _require_as_many_as_layers(model, maps, layers_with_attention(transformer))
    return AttentionFacts(
        layers=len(maps),
        heads=_heads(model, maps),
        causal=_direction(model, _checked(model, maps, real, modules), said),
        reported=not modules,
    )


def is_causal(model: nn.Module) -> bool:
    """Whether no token sees a later one.

    Of a model with attention it is what the maps show; of another (Mamba, RWKV, FNet), whether the
    first state has a gradient with respect to later tokens.

    Raises:
        UserError: layers that differ, or states that depend on no other token.
    """
    try:
        return attention_facts(model).causal
    except WithoutMapsError:
        later, earlier = _seen(model, first=True), _seen(model, first=False)
    if not later and not earlier:
        raise UserError(
            f"the states of {type(model).__name__} depend on no other token than their own: "
            "whether it is causal cannot be told"
        )
    return not later


def _seen(model: nn.Module, *, first: bool) -> bool:
    """Whether the first (else the last) of a few states depends on the tokens at the other end.

    Told by the gradient, which is exactly 0 where there is no way from one to the other.
    """
    transformer = transformer_of(model)
    ids = plain_tokens(model, 1, LENGTH)
    seen: list[Tensor] = []

    def keep(module: nn.Module, arguments: Any, output: Tensor) -> Tensor:
        seen.append(output.detach().requires_grad_())
        return seen[-1]

    with watching(model), trying(model), torch.enable_grad():
        handle = _embeddings_of(model).register_forward_hook(keep)
        try:
            states = transformer(input_ids=ids, **without_cache(transformer))[0]
        finally:
            handle.remove()
        # Not a plain sum, whose gradient a normalisation makes 0.
        weights = torch.arange(1, states.shape[-1] + 1, device=states.device).to(states.dtype)
        place = 0 if first else LENGTH - 1
        (gradient,) = torch.autograd.grad((states[0, place] * weights.cos()).sum(), seen[0])
    require_finite(f"the gradient of a state of {type(model).__name__}", gradient)
    return bool((gradient[0, 1:] if first else gradient[0, :-1]).any())


def _embeddings_of(model: nn.Module) -> nn.Module:
    """Where tokens become states."""
    if isinstance(model, PreTrainedModel):
        found: nn.Module = model.get_input_embeddings()
        return found
    for module in model.modules():
        if isinstance(module, nn.Embedding):
            return module
    raise UserError(
        f"{type(model).__name__} has no embeddings of a vocabulary, so what its states depend on "
        "cannot be tried: expected a language model of the transformers library"
    )


def _require_as_many_as_layers(
    model: nn.Module, maps: Sequence[Tensor], expected: int | None
) -> None:
    if not maps or expected is None or len(maps) != expected:
        raise WithoutMapsError(
            f"{type(model).__name__} gave {len(maps)} attention maps for {expected} layers: "
            "attention probes need a transformer of the library that shows one map a layer"
        )


def _heads(model: nn.Module, maps: Sequence[Tensor]) -> int:
    heads = {attention.shape[1] for attention in maps}
    if len(heads) > 1:
        raise UserError(
            f"the layers of {type(model).__name__} have {sorted(heads)} heads: expected as many in "
            "each, by which numbers are laid out"
        )
    return heads.pop()


def _checked(
    model: nn.Module,
    maps: Sequence[Tensor],
    real: Bool[Tensor, "batch length"],
    modules: Sequence[nn.Module],
) -> Sequence[Tensor]:
    """The maps, if each is that of a softmax over the words of its row."""
    # A sink is one more position, which takes its share and is in no map.
    sinks = any("sink" in name for module in modules for name in _names_of(module))
    eps = torch.finfo(next(model.parameters()).dtype).eps
    near = max(LEAST_TOLERANCE, ROUNDINGS * eps)
    for layer, attention in enumerate(maps):
        require_finite(f"the attention map of layer {layer} of {type(model).__name__}", attention)
        length = real.shape[1]
        if attention.shape[2:] != (length, length):
            wrong = f"is of {tuple(attention.shape[2:])} for {length} words"
        elif (attention < 0).any():
            wrong = "holds numbers below 0"
        elif (attention[1, :, :SHORT, SHORT:] > 0).any():
            wrong = "gives weight to padding"
        else:
            sums = torch.where(real[:, None], attention.sum(-1), 1.0)
            if (sums < 1 + near).all() and (sinks or (sums > 1 - near).all()):
                continue
            wrong = f"has rows that sum to {float(sums.min()):.3g} to {float(sums.max()):.3g}"
        raise WithoutMapsError(
            f"the attention map of layer {layer} of {type(model).__name__} {wrong}: expected that "
            "of a softmax over the words, with no weight on padding"
        )
    return maps


def _direction(model: nn.Module, maps: Sequence[Tensor], said: set[Any]) -> bool:
    """Whether the maps are those of a causal model.

    Layers may say so of themselves (`is_causal`). A fused kernel heeds that where it is handed no
    mask, so what is said against the maps counts if the states turn out so.
    """
    shown = {not bool(attention[0].triu(1).any()) for attention in maps}
    if len(shown) == 1 and (
        said in (set(), shown) or (len(said) == 1 and _seen(model, first=True) is not min(shown))
    ):
        return shown.pop()
    raise UserError(
        f"{type(model).__name__} does not say whether its attention is causal: is_causal of its "
        f"layers is {sorted(map(str, said))}, and in their maps it is {sorted(map(str, shown))}. "
        "Expected layers that all look the same way"
    )


def _names_of(module: nn.Module) -> Iterator[str]:
    yield from vars(module)
    yield from module._parameters
    yield from module._modules
