"""The part of a model that reads text: its configuration, its transformer, a few tokens for it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Int64
from torch import Tensor, nn
from transformers import PreTrainedModel

from hf_grok.errors import UserError

# Everything by which a model of the library refuses a plain call: a missing input, a wrong shape.
REFUSALS = (TypeError, ValueError, RuntimeError, AttributeError, LookupError, AssertionError)
# How configurations name the tokens that stand for something else than a word.
MARKS = ("token_id", "token_index")


def text_config(model: nn.Module) -> Any:
    """The configuration of what reads text: in a vision-text model a part, else the whole.

    Raises:
        UserError: there are several of them.
    """
    config: Any = getattr(model, "config", None)
    if not hasattr(config, "get_text_config"):
        return config
    try:
        return config.get_text_config()
    except ValueError as error:
        raise UserError(
            f"{type(model).__name__} has several configurations of text ({error}): give the probe "
            "the part that reads the sentences"
        ) from error


def text_part(model: nn.Module) -> nn.Module:
    """The outermost module with the configuration of text: the model itself where it is all text.

    The towers that see or hear are left out, whose attention says nothing about words.

    Raises:
        UserError: no module has it.
    """
    config = text_config(model)
    if config is getattr(model, "config", None):
        return model
    for module in model.modules():
        if isinstance(module, PreTrainedModel) and type(module.config) is type(config):
            return module
    raise UserError(
        f"{type(model).__name__}: no part of it has the configuration {type(config).__name__} of "
        "its text: give the probe the part that reads the sentences"
    )


def is_encoder_decoder(model: nn.Module) -> bool:
    """Whether the model is an encoder and a decoder that is shown its states."""
    said = getattr(getattr(model, "config", None), "is_encoder_decoder", False)
    # An encoder taken out of such a model keeps the configuration of the whole.
    return bool(said) and isinstance(model, PreTrainedModel) and model.get_encoder() is not model


def transformer_of(model: nn.Module) -> nn.Module:
    """The model without its output layer; of an encoder with a decoder, the encoder.

    Maps and states need no logits, and a vocabulary's are dear. A decoder reads no sentence by
    itself.
    """
    if not isinstance(model, PreTrainedModel):
        return model
    if is_encoder_decoder(model):
        encoder: nn.Module = model.get_encoder()
        return encoder
    base: nn.Module = model.base_model
    return base


def plain_tokens(model: nn.Module, batch: int, length: int) -> Int64[Tensor, "batch length"]:
    """One token again and again: the last one that has no part of its own (padding, an image)."""
    configs = (getattr(model, "config", None), text_config(model))
    marked = {
        getattr(config, name, None)
        for config in configs
        for name in getattr(config, "__dict__", ())
        if name.endswith(MARKS)
    }
    last = (vocabulary_of(model) or 1) - 1
    token = next((token for token in range(last, -1, -1) if token not in marked), last)
    return torch.full((batch, length), token, device=next(model.parameters()).device)


def without_cache(model: nn.Module) -> dict[str, bool]:
    """What to call the model with so that it keeps no cache; nothing where it knows none."""
    return {"use_cache": False} if "use_cache" in _parameters(model) else {}


def _parameters(model: nn.Module) -> Any:
    return inspect.signature(model.forward).parameters


@contextmanager
def trying(model: nn.Module) -> Iterator[None]:
    """Turn a model's refusal of a few plain tokens into an error that says so.

    Raises:
        UserError: instead of what the model raised.
    """
    try:
        yield
    except UserError:
        raise
    except REFUSALS as error:
        raise UserError(
            f"{type(model).__name__} was tried on a few tokens and ended in "
            f"{type(error).__name__}: {error}. Expected a model of the library that can be called "
            "with input_ids and attention_mask alone"
        ) from error


def logits_of(model: nn.Module, output: Any, shape: Sequence[int]) -> Tensor:
    """The logits in a model's output, [*shape, vocabulary].

    Raises:
        UserError: there are none, since the model has no language-model head.
    """
    logits = getattr(output, "logits", None)
    if not isinstance(logits, Tensor) or logits.shape[:-1] != tuple(shape):
        raise UserError(
            f"{type(model).__name__} gives no logits for each position: expected a model with a "
            "language-model head, such as AutoModelForCausalLM or AutoModelForMaskedLM load"
        )
    return logits


def vocabulary_of(model: nn.Module) -> int | None:
    """Number of tokens that the model can read: rows of its embeddings; None where unknown."""
    try:
        embeddings = getattr(model, "get_input_embeddings", lambda: None)()
    except NotImplementedError:
        embeddings = None
    if isinstance(embeddings, nn.Embedding):
        return embeddings.num_embeddings
    size = getattr(text_config(model), "vocab_size", None)
    return size if isinstance(size, int) else None
