"""Sentences with their gold structure, from rows of any source, checked once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hf_grok.behaviour.rows import Rows, column
from hf_grok.errors import UserError
from hf_grok.probes.heads import read_heads

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
        rows: a `datasets.Dataset`, a `Treebank`, or a list of dicts; heads as `read_heads` reads.
        unparsed: let sentences through in which no word has a head; theirs and the relations are
            then empty.

    Raises:
        UserError: no row, a missing column, columns of different lengths, a head out of range or
            of some words only, no head 0, or an unparsed sentence; names the row.
    """
    columns = [column(rows, name) for name in ("words", "heads", "deprels")]
    spans = _optional_spans(rows)
    sentences = [
        _parsed(f"row {number}", words, heads, deprels, gold)
        for number, (words, heads, deprels, gold) in enumerate(zip(*columns, spans, strict=True))
    ]
    if not sentences:
        raise UserError("there are no sentences: expected at least one row")
    for number, sentence in enumerate(sentences):
        if sentence.heads or not unparsed:
            _check_heads(number, sentence)
    return sentences


def _parsed(
    where: str, words: Sequence[str], heads: Any, deprels: Any, spans: tuple[Span, ...] | None
) -> Sentence:
    found = read_heads(heads, words, where)
    if found is None:
        return Sentence(tuple(words), spans=spans)
    return Sentence(tuple(words), tuple(found), tuple(deprels or ()), spans)


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


def _check_heads(number: int, sentence: Sentence) -> None:
    words, heads, deprels = sentence.words, sentence.heads, sentence.deprels
    if words and not heads:
        raise UserError(f"row {number} is unparsed, no word has a head: leave it out")
    if not len(words) == len(heads) == len(deprels) or not words:
        raise UserError(
            f"row {number}: {len(words)} words, {len(heads)} heads and {len(deprels)} deprels: "
            "expected one head and one relation for each word, and at least one word"
        )
    for position, head in enumerate(heads, start=1):
        if not 0 <= head <= len(words) or head == position:
            raise UserError(
                f"row {number}: word {position} ({words[position - 1]!r}) has head {head}: "
                f"expected 0 (the root) or the number of another word, 1 to {len(words)}"
            )
    if 0 not in heads:
        raise UserError(f"row {number}: no word has head 0: expected a root")


def words_of(sentences: Sequence[Sentence]) -> list[tuple[str, ...]]:
    """The words of each sentence."""
    return [sentence.words for sentence in sentences]
