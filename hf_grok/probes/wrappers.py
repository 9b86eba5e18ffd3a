"""The transformer inside whatever a Trainer may have been given to train."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from hf_grok.errors import UserError
from hf_grok.probes.attention import is_causal
from hf_grok.probes.base import device_of, require_evaluation_mode

# Pieces on which a model is tried, and what of its largest state counts as no change.
TRIED, ROUNDING = 8, 1e-5


def ready(model: nn.Module) -> nn.Module:
    """The model to measure: in evaluation mode, and out of its wrapper.

    Raises:
        RuntimeError: it is in training mode.
        UserError: as `unwrapped`.
    """
    require_evaluation_mode(model)
    return unwrapped(model)


def unwrapped(model: nn.Module) -> nn.Module:
    """The model of transformers inside, with its adapters in place; `model` itself if it is bare.

    Seen through: PeftModel, SentenceTransformer (its first module), DistributedDataParallel,
    DataParallel, what torch.compile returns, and these inside one another.

    Raises:
        UserError: an adapter that is more than layers inside the model, such as a learned prompt;
            sentence vectors that come from no transformer.
    """
    while (inner := _inside(model)) is not model:
        model = inner
    return model


def _inside(model: nn.Module) -> nn.Module:
    if isinstance(model, nn.parallel.DistributedDataParallel | nn.DataParallel):
        return model.module
    if isinstance(compiled := model.__dict__.get("_modules", {}).get("_orig_mod"), nn.Module):
        return compiled
    if hasattr(model, "get_base_model") and hasattr(model, "peft_config"):
        return _adapted(model)
    if isinstance(model, nn.Sequential) and hasattr(model, "encode"):
        return _encoder(model)
    return model


def _adapted(model: Any) -> nn.Module:
    """What peft has put its layers into. By what it has, not by its class: peft is an extra."""
    kinds = {
        str(getattr(config.peft_type, "value", config.peft_type))
        for config in model.peft_config.values()
        if getattr(config, "is_prompt_learning", False)
    }
    if kinds:
        raise UserError(
            f"{type(model).__name__} puts a learned prompt ({', '.join(sorted(kinds))}) in front "
            "of every sentence, beside the words that are measured: expected adapters that are "
            "layers of the model, such as LoRA"
        )
    base: nn.Module = model.get_base_model()
    return base


def _encoder(model: nn.Sequential) -> nn.Module:
    first = next(iter(model.children()), None)
    for name in ("model", "auto_model"):
        found = getattr(first, name, None)
        if isinstance(found, nn.Module):
            return found
    raise UserError(
        f"{type(model).__name__} begins with {type(first).__name__}, which holds no transformer: "
        "expected one whose first module is a Transformer"
    )


def sees_past_only(model: nn.Module) -> bool:
    """Whether what comes out at a position is the same whatever comes later.

    As the attention of the layers says. A model without one that says (Mamba, hybrids, attention
    code of its own) is tried: two inputs that differ in their last piece alone.

    Raises:
        UserError: an encoder-decoder, or a model that returns no states or scores of each piece.
    """
    refuse_encoder_decoder(model)
    try:
        return is_causal(model)
    except UserError:
        return _unmoved_by_the_last(model)


def refuse_encoder_decoder(model: nn.Module) -> None:
    """Refuse a model that predicts one sentence from another.

    Raises:
        UserError: it does.
    """
    if "decoder_input_ids" in inspect.signature(model.forward).parameters:
        raise UserError(
            f"{type(model).__name__} is an encoder-decoder: it predicts a target from a source, "
            "and a sentence alone is not both. Its encoder can be measured by itself where no "
            "prediction is asked for: give model.get_encoder()"
        )


def _unmoved_by_the_last(model: nn.Module) -> bool:
    vocabulary = getattr(getattr(model, "config", None), "vocab_size", None)
    if not isinstance(vocabulary, int) or vocabulary < 2:
        raise UserError(
            f"{type(model).__name__} does not say how large its vocabulary is, so whether it sees "
            "the past only cannot be tried: expected a language model of the transformers library"
        )
    # From the middle of the vocabulary: special tokens stand at its ends.
    ids = (torch.arange(TRIED) + vocabulary // 2)[None] % vocabulary
    other = ids.clone()
    other[0, -1] = (ids[0, -1] + 1) % vocabulary
    first, second = (_outcome(model, each.to(device_of(model))) for each in (ids, other))
    moved = (first - second)[:, :-1].abs().max()
    return bool(moved <= ROUNDING * first.abs().max())


def _outcome(model: nn.Module, ids: Tensor) -> Tensor:
    base = model.base_model if isinstance(model, PreTrainedModel) else model
    with torch.no_grad():
        output = base(input_ids=ids)
    states = getattr(output, "last_hidden_state", getattr(output, "logits", None))
    if not isinstance(states, Tensor) or states.shape[:2] != ids.shape:
        raise UserError(
            f"{type(model).__name__} returns no states of each piece: expected a language model of "
            "the transformers library"
        )
    return states.float()
