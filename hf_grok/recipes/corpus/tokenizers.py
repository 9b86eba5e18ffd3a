"""The tokenizer of a corpus: a pretrained one that will do, or one trained on its words."""

from __future__ import annotations

from collections.abc import Iterator

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from hf_grok.errors import UserError
from hf_grok.models.subword_tokenizer import KINDS, WORDPIECE, train_tokenizer
from hf_grok.recipes.arguments import DataArguments


def pretrained_tokenizer(name: str, *, masked: bool) -> PreTrainedTokenizerBase:
    """A tokenizer of the Hub or of a folder, with something to pad with.

    Args:
        name: as `AutoTokenizer.from_pretrained` takes it.
        masked: whether a masked language model reads its tokens.

    Raises:
        UserError: it cannot be loaded, does not say which token belongs to which word, or has no
            mask token where one is needed.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError) as error:
        raise UserError(
            f"tokenizer {name!r} is none of {', '.join(KINDS)}, and cannot be loaded as a "
            f"pretrained one: {error}"
        ) from error
    if not tokenizer.is_fast:
        raise UserError(f"tokenizer {name!r} does not say which token belongs to which word")
    if masked and tokenizer.mask_token_id is None:
        raise UserError(
            f"tokenizer {name!r} has no mask token, which a masked language model guesses at: "
            "choose another, or a causal --model"
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    return tokenizer


def trained_tokenizer(
    sentences: Iterator[list[str]], arguments: DataArguments, *, masked: bool
) -> PreTrainedTokenizerBase:
    """The tokenizer that a recipe asks for, trained on the words of its training part."""
    return train_tokenizer(
        sentences,
        arguments.tokenizer,
        size=arguments.vocabulary_size,
        lowercase=arguments.lowercase and arguments.tokenizer == WORDPIECE,
        masked=masked,
    )
