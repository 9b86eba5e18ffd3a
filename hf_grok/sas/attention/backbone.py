"""The transformer inside whatever a Trainer was given, whose attention is regularised."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from torch import nn
from transformers import PreTrainedModel

from hf_grok.errors import UserError


def language_model(model: nn.Module) -> PreTrainedModel:
    """The one model of the library inside a model: itself, or what a wrapper holds.

    PEFT, DDP, torch.compile and a class of one's own are wrappers.

    Raises:
        UserError: there is none, or there are several.
    """
    found = list(_outermost(model))
    if len(found) != 1:
        names = ", ".join(type(each).__name__ for each in found) or "none"
        raise UserError(
            f"{type(model).__name__} holds {len(found)} models of transformers ({names}): expected "
            "one, whose attention can be regularised"
        )
    return found[0]


def attending_part(model: nn.Module) -> PreTrainedModel:
    """The part that reads `input_ids` and attends from each of them to each other.

    The backbone of a language model; of a vision-text model, that of its text; of an
    encoder-decoder, the encoder, since the arcs are those of `input_ids`.

    Raises:
        UserError: as `language_model`.
    """
    whole = language_model(model)
    if getattr(whole.config, "is_encoder_decoder", False):
        encoder: PreTrainedModel = whole.get_encoder()
        return encoder
    text = whole.config.get_text_config()
    for part in whole.modules():
        if isinstance(part, PreTrainedModel) and part.config is text:
            return cast(PreTrainedModel, part.base_model)
    return cast(PreTrainedModel, whole.base_model)


def _outermost(module: nn.Module) -> Iterator[PreTrainedModel]:
    if isinstance(module, PreTrainedModel):
        yield module
        return
    for child in module.children():
        yield from _outermost(child)
