"""A proof, before the first step, that an attention of ours computes what the model's own does."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.masking_utils import sdpa_mask

from hf_grok.errors import UserError
from hf_grok.measurement.guard import watching
from hf_grok.models.text_model import plain_tokens, trying, without_cache

PROOF = "hfgrok_proof"
# Two rows of a few tokens, one of them filled up.
TOKENS, REAL = 5, 3
# Scores of some tens, as trained models have them: a soft cap of 50 would not show in small ones.
SPREAD = 4.0
TOLERANCE = 1e-4

Attention = Callable[..., tuple[Tensor, Tensor | None]]


@dataclass
class _Comparison:
    """What each layer's call has shown so far."""

    attention: Attention
    maps: bool
    calls: int = 0
    obstacles: list[str] = field(default_factory=list)


_current: ContextVar[_Comparison] = ContextVar("comparison")


def not_replaceable_because(
    model: PreTrainedModel, implementation: str, *, maps: bool = False
) -> str | None:
    """Why `implementation` does not compute what the model's own attention does; None if it does.

    Every layer is called as the model calls it, with its own keyword arguments, but on random
    states of a size at which soft caps and sinks show, and compared with the eager attention of its
    library code. Then the whole model's states are compared: a model that does not hand its
    attention over, or hands over a mask that means something else, differs there.

    Args:
        model: of the library.
        implementation: a registered name.
        maps: compare the attention too, not only what is summed by it.
    """
    comparison = _Comparison(AttentionInterface()[implementation], maps)
    token = _current.set(comparison)
    try:
        with watching(model):
            own = _states(model, "eager")
            _states(model, PROOF)
            ours = None if comparison.obstacles else _states(model, implementation)
    finally:
        _current.reset(token)
    if comparison.obstacles:
        return comparison.obstacles[0]
    if ours is None or not comparison.calls:
        return "its layers do not hand their attention over to ALL_ATTENTION_FUNCTIONS"
    if not _close(ours, own):
        return f"the states of a few tokens are off by {float((ours - own).abs().max()):.2g}"
    return None


def _states(model: PreTrainedModel, implementation: str) -> Tensor:
    """States of the real tokens of both rows."""
    ids = plain_tokens(model, 2, TOKENS)
    real = torch.ones_like(ids)
    real[1, REAL:] = 0
    base = model.base_model
    with trying(model), _attending(model, implementation):
        states = base(input_ids=ids, attention_mask=real, **without_cache(base))[0]
    return states[real.bool()].float()


@contextmanager
def _attending(model: PreTrainedModel, implementation: str) -> Iterator[None]:
    before = model.config._attn_implementation
    model.set_attn_implementation(implementation)
    try:
        yield
    finally:
        model.set_attn_implementation(before)


def _compared(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    **others: Any,
) -> tuple[Tensor, Tensor | None]:
    """The model's own attention; what ours makes of the same call is compared on the way."""
    comparison = _current.get()
    comparison.calls += 1
    own = _eager_function_of(module)
    additive = _additive(module, query, key, attention_mask)
    if own is None:
        comparison.obstacles.append(f"{type(module).__name__} has no eager attention to compare")
        return comparison.attention(module, query, key, value, attention_mask, **others)
    states = _random_like(query, key, value)
    expected, expected_map = own(module, *states, additive, **others)
    try:
        found, found_map = comparison.attention(module, *states, attention_mask, **others)
    except UserError as error:
        comparison.obstacles.append(str(error))
    else:
        same = _close(found, expected)
        if same and comparison.maps and found_map is not None and expected_map is not None:
            same = _close(found_map, expected_map)
        if not same:
            given = ", ".join(sorted(name for name, one in others.items() if one is not None))
            comparison.obstacles.append(
                f"{type(module).__name__}, called with {given}, attends otherwise than ours on the "
                "same states"
            )
    return own(module, query, key, value, additive, **others)


def _eager_function_of(module: nn.Module) -> Attention | None:
    """The attention that a layer falls back to, by the name that its code calls it by."""
    forward = inspect.unwrap(type(module).forward)
    code, known = forward.__code__, forward.__globals__
    found = (known.get(name) for name in code.co_names if "eager" in name)
    return next((one for one in found if callable(one)), None)


def _random_like(*states: Tensor) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    return tuple(
        (SPREAD * torch.randn(one.shape, generator=generator)).to(one.device, one.dtype)
        for one in states
    )


def _additive(module: nn.Module, query: Tensor, key: Tensor, mask: Tensor | None) -> Tensor | None:
    queries, keys = query.shape[2], key.shape[2]
    if mask is None and getattr(module, "is_causal", False) and queries > 1:
        mask = torch.ones(1, 1, queries, keys, dtype=torch.bool, device=query.device).tril()
    if mask is None or mask.dtype != torch.bool:
        return mask
    return torch.where(mask, 0.0, torch.finfo(query.dtype).min).to(query.dtype)


def _close(found: Tensor, expected: Tensor) -> bool:
    eps = torch.finfo(expected.dtype).eps
    off = (found.float() - expected.float()).abs().max()
    return bool(off <= max(TOLERANCE, 32 * eps) * expected.float().abs().max())


AttentionInterface.register(PROOF, _compared)
AttentionMaskInterface.register(PROOF, sdpa_mask)
