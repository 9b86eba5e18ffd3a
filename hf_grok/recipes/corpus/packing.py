"""Sentences side by side in rows of so many tokens: what `pack_rows` gives, a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_grok.annotation.heads import NONE, ROOT
from hf_grok.recipes.corpus.published import TokenIds
from hf_grok.recipes.corpus.sentences import Sentences
from hf_grok.recipes.corpus.word_tokens import WordTokens
from hf_grok.sas.batches.keys import ArcCounts
from hf_grok.sas.batches.row import ArcRow, truncated


@dataclass(frozen=True)
class Rows:
    """Packed rows one after another, in the numbering of a batch (`hf_grok.sas.batches.keys`).

    Attributes:
        ids: [tokens], special tokens included.
        word_of: [tokens], place of its word in the row; -1 for special tokens.
        heads: [words], place in the row; -1 for none.
        relations: [words].
        forms: [words], the number of each in `WordTokens.words`.
        tokens: of each row.
        words: of each row.
        source: of each row.
    """

    ids: NDArray[np.int32]
    word_of: NDArray[np.int32]
    heads: NDArray[np.int32]
    relations: NDArray[np.int64]
    forms: NDArray[np.int32]
    tokens: NDArray[np.int64]
    words: NDArray[np.int64]
    source: NDArray[np.int64]


class Packer:
    """Rows of at most `length` tokens: each takes the next sentence of its document while it fits.

    A row never holds two documents. A sentence longer than a row stands alone and is cut, and a
    word that loses a token loses its arcs. A sentence with a word that the tokenizer makes no token
    of is left out. Nothing keeps the model from attending from one sentence to another.

    Args:
        tokens: of words; or of tokens that stand for them.
        length: of a row, special tokens included.

    Attributes:
        counts: of sentences and arcs so far.
        left_out: sentences that are in no row.
        words_cut: words that no row has, since their sentence is longer than one.
    """

    def __init__(self, tokens: WordTokens | TokenIds, length: int) -> None:
        self._tokens, self._length = tokens, length
        self._room = length - len(tokens.before) - len(tokens.after)
        self.counts = ArcCounts()
        self.left_out = self.words_cut = 0

    def pack(self, chunks: Iterable[Sentences]) -> Iterator[Rows]:
        """The rows of all sentences, in order."""
        open_row: _Numbered | None = None
        for chunk in chunks:
            numbered = self._numbered(chunk)
            if open_row is not None:
                numbered = _joined(open_row, numbered)
            groups = self._groups(numbered)
            if groups[:-1]:
                yield self._rows(numbered, groups[:-1])
            if groups:
                open_row = numbered.part(groups[-1])
        if open_row is not None and len(open_row.lengths):
            yield self._rows(open_row, [range(len(open_row.lengths))])

    def _numbered(self, chunk: Sentences) -> _Numbered:
        forms = self._tokens.numbers(chunk.vocabulary)[chunk.forms]
        nothing = np.full(len(forms), NONE, dtype=np.int64)
        given = _Numbered(
            forms,
            nothing if chunk.heads is None else chunk.heads,
            nothing if chunk.relations is None else chunk.relations,
            chunk.lengths(),
            np.array(chunk.documents, dtype=object),
            np.full(len(chunk), chunk.source),
        )
        first = np.zeros(len(forms), dtype=bool)
        first[chunk.starts[:-1]] = True
        without = (self._tokens.lengths(forms, first) == 0) | (
            self._tokens.lengths(forms, np.zeros_like(first)) == 0
        )
        whole = ~np.logical_or.reduceat(without, chunk.starts[:-1])
        self.left_out += int((~whole).sum())
        return given.where(whole)

    def _groups(self, given: _Numbered) -> list[range]:
        """Sentences that share a row, greedily; only its first word begins a text."""
        behind = np.zeros(len(given.forms), dtype=bool)
        starts = given.starts()
        begins = behind.copy()
        begins[starts] = True
        inside = _sums(self._tokens.lengths(given.forms, behind), starts).tolist()
        alone = _sums(self._tokens.lengths(given.forms, begins), starts).tolist()
        groups, start, used = [], 0, 0
        documents = given.documents
        for at, (length, own) in enumerate(zip(inside, alone, strict=True)):
            other = at > start and documents[at] != documents[at - 1]
            if at > start and (other or used + length > self._room):
                groups.append(range(start, at))
                start, used = at, 0
            used += own if at == start else length
        return [*groups, range(start, len(inside))] if inside else []

    def _rows(self, given: _Numbered, groups: list[range]) -> Rows:
        last = groups[-1].stop if groups else 0
        given = given.part(range(last))
        sentences = np.array([len(group) for group in groups], dtype=np.int64)
        row_of_sentence = np.repeat(np.arange(len(groups)), sentences)
        words = np.bincount(row_of_sentence, weights=given.lengths, minlength=len(groups))
        words = words.astype(np.int64)
        starts = np.cumsum(words) - words
        first = np.zeros(len(given.forms), dtype=bool)
        first[starts] = True
        ids, word_at = self._tokens.ids(given.forms, first)
        row_of_word = np.repeat(np.arange(len(groups)), words)
        offset = np.repeat(given.starts() - starts[row_of_sentence], given.lengths)
        heads = np.where(given.heads > ROOT, given.heads - 1 + offset, NONE)
        self.counts.sentences += len(given.lengths)
        self.counts.roots += int((given.heads == ROOT).sum())
        has_arc = _sums((heads != NONE).astype(np.int64), given.starts())
        self.counts.unparsed += int(((has_arc == 0) & (given.lengths > 1)).sum())
        return self._cut(
            Rows(
                *self._with_special(
                    ids, word_at - starts[row_of_word[word_at]], row_of_word[word_at], len(groups)
                ),
                heads.astype(np.int32),
                given.relations,
                given.forms.astype(np.int32),
                np.bincount(row_of_word[word_at], minlength=len(groups))
                + len(self._tokens.before)
                + len(self._tokens.after),
                words,
                given.sources[np.cumsum(sentences) - sentences],
            )
        )

    def _with_special(
        self,
        ids: NDArray[np.int32],
        word_of: NDArray[np.int64],
        row_of: NDArray[np.int64],
        rows: int,
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Tokens and their words with the special tokens of each row around them."""
        before, after = self._tokens.before, self._tokens.after
        around = len(before) + len(after)
        own = np.bincount(row_of, minlength=rows)
        starts = np.cumsum(own + around) - (own + around)
        places = np.arange(len(ids)) + row_of * around + len(before)
        all_ids = np.empty(len(ids) + rows * around, dtype=np.int32)
        all_words = np.full(len(all_ids), NONE, dtype=np.int32)
        all_ids[places], all_words[places] = ids, word_of
        for at, token in enumerate(before):
            all_ids[starts + at] = token
        for at, token in enumerate(after):
            all_ids[starts + len(before) + own + at] = token
        return all_ids, all_words

    def _cut(self, rows: Rows) -> Rows:
        """The rows with those that are too long cut, as `truncated` does."""
        long = np.flatnonzero(rows.tokens > self._length)
        if len(long):
            rows = self._with_cut(rows, set(long.tolist()))
        self.counts.arcs += int((rows.heads != NONE).sum())
        return rows

    def _with_cut(self, rows: Rows, long: set[int]) -> Rows:
        by_token = [
            np.split(part, np.cumsum(rows.tokens)[:-1]) for part in (rows.ids, rows.word_of)
        ]
        by_word = [
            np.split(part, np.cumsum(rows.words)[:-1])
            for part in (rows.heads, rows.relations, rows.forms)
        ]
        for at in long:
            row = ArcRow(by_token[0][at], by_token[1][at], by_word[0][at], by_word[1][at])
            shorter, lost = truncated(row, self._length, "a sentence")
            self.counts.cut += lost
            self.words_cut += len(row.heads) - len(shorter.heads)
            by_token[0][at], by_token[1][at] = shorter.ids, shorter.word_of
            by_word[0][at], by_word[1][at] = shorter.heads, shorter.relations
            by_word[2][at] = by_word[2][at][: len(shorter.heads)]
        ids, word_of = (np.concatenate(parts) for parts in by_token)
        heads, relations, forms = (np.concatenate(parts) for parts in by_word)
        return replace(
            rows,
            ids=ids,
            word_of=word_of.astype(np.int32),
            heads=heads.astype(np.int32),
            relations=relations,
            forms=forms,
            tokens=np.array([len(row) for row in by_token[0]]),
            words=np.array([len(row) for row in by_word[0]]),
        )


@dataclass(frozen=True)
class _Numbered:
    """Sentences whose words are numbered by `WordTokens`: three columns of words, three of them."""

    forms: NDArray[Any]
    heads: NDArray[Any]
    relations: NDArray[Any]
    lengths: NDArray[Any]
    documents: NDArray[Any]
    sources: NDArray[Any]

    def starts(self) -> NDArray[np.int64]:
        return np.cumsum(self.lengths) - self.lengths

    def part(self, sentences: range) -> _Numbered:
        ends = np.append(self.starts(), len(self.forms))
        words = slice(ends[sentences.start], ends[sentences.stop])
        own = slice(sentences.start, sentences.stop)
        return _Numbered(
            *(each[words] for each in (self.forms, self.heads, self.relations)),
            *(each[own] for each in (self.lengths, self.documents, self.sources)),
        )

    def where(self, kept: NDArray[np.bool_]) -> _Numbered:
        words = np.repeat(kept, self.lengths)
        return _Numbered(
            *(each[words] for each in (self.forms, self.heads, self.relations)),
            *(each[kept] for each in (self.lengths, self.documents, self.sources)),
        )


def _joined(first: _Numbered, second: _Numbered) -> _Numbered:
    return _Numbered(
        *(
            np.concatenate([ours, theirs])
            for ours, theirs in zip(vars(first).values(), vars(second).values(), strict=True)
        )
    )


def _sums(values: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sum of the values from each start to the next."""
    if not len(starts):
        return np.zeros(0, dtype=np.int64)
    total = np.append(0, np.cumsum(values))
    return np.diff(np.append(total[starts], total[-1]))
