"""What a model is trained to predict: the next token, or tokens that are masked from it."""

from __future__ import annotations

from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

from hf_grok.errors import UserError
from hf_grok.languages import OURS, trained_language


def is_masked(model: str) -> bool:
    """Whether a model_type is trained as a masked language model: transformers has one of it.

    Some of these have a causal head too (bert, roberta), whose attention sees both sides all the
    same unless they are told to be decoders: they are taken for what they are.
    """
    return model in MODEL_FOR_MASKED_LM_MAPPING_NAMES


def check_model_speaks(model: str, language: str) -> None:
    """A masked language model learns a language only if that asks for no continuation.

    Raises:
        UserError: it does ask.
    """
    if is_masked(model) and trained_language(language).behaviour:
        speaks = [name for name, one in OURS.items() if not one.behaviour and not one.is_pairs]
        raise UserError(
            f"{model} is a masked language model, and what {language} measures is how a sentence "
            "goes on, which takes a causal one: choose vanilla_transformer, gpt2, llama, ... with "
            f"--model, or --language {' or '.join(speaks)}"
        )
