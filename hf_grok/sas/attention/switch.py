"""Switching a model to another attention, and the proof that every layer of it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from hf_grok.attention.arcs import register_arc_attentions
from hf_grok.attention.proof import not_replaceable_because
from hf_grok.errors import UserError
from hf_grok.measurement.guard import watching
from hf_grok.sas.attention.backbone import attending_part
from hf_grok.sas.attention.choice import EAGER, after_dropout


def set_arc_attention(model: PreTrainedModel, implementation: str) -> tuple[Tensor, ...]:
    """Switch the model to `implementation`, and prove with three tokens that every layer answers.

    The tokens are read as in training, with the graph that a penalty needs. Nothing else changes:
    modes, generators and weights are as before.

    Returns:
        What each layer answered.

    Raises:
        UserError: the model's attention cannot be replaced, or has no graph; it is then as it was.
    """
    register_arc_attentions()
    part = attending_part(model)
    with ExitStack() as undo:
        for restore in _restorers(part):
            undo.callback(restore)
        part.set_attn_implementation(implementation)
        answers = _answers(part, implementation)
        obstacle = None
        if implementation != EAGER:
            obstacle = not_replaceable_because(part, implementation, maps=True)
        if obstacle:
            raise _irreplaceable(part, implementation, obstacle)
        undo.pop_all()
    return answers


def _answers(part: PreTrainedModel, implementation: str) -> tuple[Tensor, ...]:
    pairs = torch.tensor([[[1, 0], [2, 1]]], device=part.device)
    seen = _reported(
        part, implementation, 3, True, {} if implementation == EAGER else {"sas_pairs": pairs}
    )
    layers = getattr(part.config, "num_hidden_layers", len(seen) or 1)
    expected = (1, 3, 3) if implementation == EAGER else (1, 2)
    shapes = [(one.shape[0], *one.shape[2:]) for one in seen]
    if shapes != [expected] * layers:
        answered = f"{shapes.count(expected)} of its {layers} layers answered"
        raise _irreplaceable(part, implementation, answered)
    return seen


def require_before_dropout(model: PreTrainedModel, length: int) -> None:
    """Refuse maps of the model's own attention that are what dropout has left of them.

    Looks for attention of exactly 0 in training where there is some in evaluation: the softmax of a
    few tokens gives none. The model's attention is "eager", as `set_arc_attention` leaves it.

    Args:
        model: any.
        length: tokens that it can read; a few dozen are taken at most.

    Raises:
        UserError: there is a dropout.
    """
    part = attending_part(model)
    dropped, whole = (
        _reported(part, EAGER, min(length, 32), training, {}) for training in (True, False)
    )
    lost = sum(
        int(((one == 0) & (other > 0)).sum()) for one, other in zip(dropped, whole, strict=True)
    )
    if lost:
        share = lost / sum(int((other > 0).sum()) for other in whole)
        raise after_dropout(f"a dropout has left of it (of {share:.0%} of it nothing)")


def _irreplaceable(part: PreTrainedModel, implementation: str, why: str) -> UserError:
    way_out = (
        "Ask for 'eager', which takes the attention on arcs from the model's own maps"
        if implementation != EAGER
        else "There is no attention in it to regularise"
    )
    return UserError(
        f"the attention of {type(part).__name__} cannot be {implementation!r}: {why}. Expected a "
        "transformer of the library that calls ALL_ATTENTION_FUNCTIONS, hands its keyword "
        f"arguments on to it and reports what it returns. {way_out}"
    )


def _reported(
    part: PreTrainedModel,
    implementation: str,
    length: int,
    training: bool,
    asked: dict[str, Tensor],
) -> tuple[Tensor, ...]:
    """The attention of each layer that reports any, over one row of `length` equal tokens."""
    ids = torch.zeros(1, length, dtype=torch.int64, device=part.device)
    try:
        with watching(part), torch.enable_grad(), _graph_throughout(part):
            torch.manual_seed(0)
            part.train(training)
            output = part(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                output_attentions=True,
                return_dict=True,
                **asked,
            )
    except TypeError as error:
        raise _irreplaceable(part, implementation, str(error)) from error
    return tuple(one for one in getattr(output, "attentions", None) or () if one is not None)


@contextmanager
def _graph_throughout(part: PreTrainedModel) -> Iterator[None]:
    """Refuse a module that computes without gradients although it has weights that train.

    So does reentrant checkpointing by code of the model's own: the penalty would miss its layers.
    """

    def look(module: nn.Module, _: Any) -> None:
        if not torch.is_grad_enabled():
            raise UserError(
                f"{type(module).__name__} of {type(part).__name__} computes without a graph where "
                "it is trained, so a penalty on its attention would not reach its weights: "
                "recompute activations with use_reentrant=False"
            )

    handles = [
        module.register_forward_pre_hook(look)
        for module in part.modules()
        if any(one.requires_grad for one in module.parameters(recurse=False))
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _restorers(model: PreTrainedModel) -> Iterator[Callable[[], None]]:
    for module in model.modules():
        if isinstance(module, PreTrainedModel):
            before = module.config._attn_implementation
            yield partial(module.set_attn_implementation, before)
