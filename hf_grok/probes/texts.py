"""Sentences from whatever holds them: running texts, `Sentence`s, or a column of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transformers import PreTrainedTokenizerBase

from hf_grok.behaviour.rows import column
from hf_grok.errors import UserError
from hf_grok.probes.alignment import EncodedWords, encode_words
from hf_grok.probes.sentences import Sentence


def words_in(data: Any, name: str = "words") -> list[Sequence[str]]:
    """The words of every sentence; a running text is cut at white space.

    Args:
        data: strings, `Sentence`s, or rows (dicts or a `datasets.Dataset`).
        name: the column of rows that holds the words, as a list or as running text.

    Raises:
        UserError: there is no sentence, or rows have no such column.
    """
    first = next(iter(data), None)
    if first is None:
        raise UserError("there are no sentences: expected at least one")
    if isinstance(first, Sentence):
        return [sentence.words for sentence in data]
    texts = list(data) if isinstance(first, str) else column(data, name)
    return [text.split() if isinstance(text, str) else list(text) for text in texts]


def encode_sentences(
    data: Any,
    tokenizer: PreTrainedTokenizerBase,
    *,
    name: str = "words",
    most: int | None = None,
    add_start: bool = False,
    allow_unknown: bool = False,
) -> EncodedWords:
    """The sentences of `words_in(data, name)` as pieces; only the first `most` of them.

    Raises:
        UserError: as `words_in` and `encode_words` do.
    """
    sentences = words_in(data, name)[:most]
    return encode_words(sentences, tokenizer, add_start=add_start, allow_unknown=allow_unknown)
