"""The transformer inside whatever a Trainer may have been given to train."""

from __future__ import annotations

import inspect
from typing import Any

from torch import nn

from hf_grok.attention.facts import is_causal
from hf_grok.errors import UserError
from hf_grok.measurement.requirements import require_evaluation_mode


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
    """Whether what comes out at a position is the same whatever comes later: see `is_causal`.

    Raises:
        UserError: an encoder-decoder, or as `is_causal`.
    """
    refuse_encoder_decoder(model)
    return is_causal(model)


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
