"""Sentences with their gold structure, from rows of any source, checked once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hf_grok.annotation.heads import NONE, check_relations, word_heads
from hf_grok.annotation.rows import Rows, column
from hf_grok.errors import UserError

Span = tuple[int, int]


@dataclass(frozen=True)
class Sentence:
    """A sentence's words and what is known of its structure.

    Attributes:
        words: the tokens of the treebank or grammar, final punctuation included.
        heads: 1-based head of each word, 0 for the root; empty where unknown.
        deprels: relation of each word to its head; empty where unknown.
        spans: gold constituents of two words or more, half-open [start, end); None where unknown.
    """

    words: tuple[str, ...]
    heads: tuple[int, ...] = ()
    deprels: tuple[str, ...] = ()
    spans: tuple[Span, ...] | None = None


def dependency_sentences(rows: Rows, *, unparsed: bool = False) -> list[Sentence]:
    """Rows with columns words, heads, deprels (and spans, where there are), as sentences.

    Args:
        rows: a `datasets.Dataset`, a `Treebank`, or a list of dicts; heads as `word_heads` reads.
        unparsed: let sentences through of which a word, or every word, has no head (-1); theirs and
            the relations are then empty.

    Raises:
        UserError: no row, a missing column, what `hf_grok.annotation.heads` refuses, or a sentence
            that is not parsed in full; names the row.
    """
    columns = [column(rows, name) for name in ("words", "heads", "deprels")]
    sentences = [
        _parsed(f"row {number}", *values, unparsed=unparsed)
        for number, values in enumerate(zip(*columns, _optional_spans(rows), strict=True))
    ]
    if not sentences:
        raise UserError("there are no sentences: expected at least one row")
    return sentences


def _parsed(
    where: str,
    words: Sequence[str],
    given: Any,
    deprels: Sequence[str] | None,
    spans: tuple[Span, ...] | None,
    *,
    unparsed: bool,
) -> Sentence:
    heads = word_heads(given, words, where)
    if heads is not None:
        check_relations(deprels, words, where)
        if NONE not in heads:
            return Sentence(tuple(words), tuple(heads), tuple(deprels or ()), spans)
    if unparsed:
        return Sentence(tuple(words), spans=spans)
    if not words:
        raise UserError(f"{where} has no words: leave it out")
    if heads is None:
        raise UserError(f"{where} is unparsed, no word has a head: leave it out")
    place = heads.index(NONE)
    raise UserError(
        f"{where}: word {place + 1} ({words[place]!r}) has no head (-1) and others have one: leave "
        "the sentence out"
    )


def constituency_sentences(rows: Rows) -> list[Sentence]:
    """Rows with a column words (and spans, where there are), as sentences.

    Raises:
        UserError: no row, a missing column, or a span out of range; names the row.
    """
    listed = column(rows, "words")
    sentences = [
        Sentence(tuple(words), spans=gold)
        for words, gold in zip(listed, _optional_spans(rows), strict=True)
    ]
    if not sentences:
        raise UserError("there are no sentences: expected at least one row")
    for number, sentence in enumerate(sentences):
        for start, end in sentence.spans or ():
            if not 0 <= start < end <= len(sentence.words):
                raise UserError(
                    f"row {number}: span [{start}, {end}) of {len(sentence.words)} words: expected "
                    "0 <= start < end <= number of words"
                )
    return sentences


def _optional_spans(rows: Rows) -> Iterable[tuple[Span, ...] | None]:
    present = getattr(rows, "column_names", None)
    if present is None:
        present = next(iter(rows), {})
    if "spans" not in present:
        return [None] * len(rows)
    return [tuple((start, end) for start, end in spans) for spans in column(rows, "spans")]


def words_of(sentences: Sequence[Sentence]) -> list[tuple[str, ...]]:
    """The words of each sentence."""
    return [sentence.words for sentence in sentences]
