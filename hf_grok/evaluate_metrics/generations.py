"""Lines whose answers were generated elsewhere, held against the rows that they answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from transformers import PreTrainedTokenizerFast

from hf_grok.evaluate_metrics.checks import line_rows, require_pairs, text
from hf_grok.models.tokenizer import SPECIAL_TOKENS, word_level_tokenizer


def checked_generations(
    predictions: Any, references: Any, listed: Sequence[str]
) -> tuple[list[str], list[dict[str, Any]]]:
    """Generated texts, and the rows that they answer with the columns that are looked at.

    Args:
        predictions: strings, words parted by spaces.
        references: rows with columns source, target, main_index, subject_modifier.
        listed: those of their columns that are lists of strings.

    Raises:
        UserError: something is of another type, or missing; says where.
    """
    generated = require_pairs(predictions, references)
    texts = [text(one, f"predictions[{number}]") for number, one in enumerate(generated)]
    return texts, line_rows(references, listed)


def tokenizer_of(
    rows: Iterable[Mapping[str, Any]], vocabulary: Iterable[str] = ()
) -> PreTrainedTokenizerFast:
    """One token a word of the rows, and of `vocabulary` (special tokens of ours left out)."""
    words = {word for row in rows for name in ("source", "target") for word in row[name].split()}
    return word_level_tokenizer(words | (set(vocabulary) - set(SPECIAL_TOKENS)))


def begins_with(words: Sequence[str], target: Sequence[str]) -> bool:
    """Whether the words start with the target: what a model says after it is not looked at."""
    return list(words[: len(target)]) == list(target)
