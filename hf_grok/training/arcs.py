"""Gold heads of the training sequences, carried beside their tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from hf_grok.annotation.heads import NONE, relation_id
from hf_grok.annotation.sham import ShamRow, left_out
from hf_grok.errors import UserError
from hf_grok.sas.annotation import HEADS, RELATIONS, SHAM_HEADS, SHAM_RELATIONS, WORD_OF

Integers: TypeAlias = NDArray[np.int64]


class Ragged:
    """Rows of unequal length in one flat array: a padded batch is cut out of it.

    Args:
        rows: at least one.
    """

    def __init__(self, rows: Sequence[Integers]) -> None:
        self._lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
        self._starts = np.concatenate([[0], np.cumsum(self._lengths)[:-1]])
        # One more value, so that a place behind the last row is a place.
        self._values = np.concatenate([*rows, np.array([NONE])]).astype(np.int64)

    def __len__(self) -> int:
        return len(self._lengths)

    def padded(self, indices: Integers, width: int | None = None) -> Integers:
        """The rows at `indices`, [row, longest of them], filled with -1; `width` wide if given."""
        lengths = self._lengths[indices][:, None]
        columns = np.arange(lengths.max() if width is None else width)
        places = np.minimum(self._starts[indices][:, None] + columns, len(self._values) - 1)
        return np.where(columns < lengths, self._values[places], NONE)


class Arcs:
    """The words of each sequence, their heads and relations, and those of a sham tree if asked for.

    A head is the 0-based place of a word in the same sequence; -1 where there is none to count
    (the root, a word without a tree).

    Args:
        word_of: for each token its word, -1 for special tokens.
        heads: for each word its head.
        deprels: for each word its relation; not looked at where the head is -1.
        sham: the sham tree of each row; None for none.

    Attributes:
        without_sham: how many sentences have no sham tree, and how many arcs these have.

    Raises:
        UserError: a head beside its sequence or of itself, or columns of different lengths; names
            the row.
    """

    def __init__(
        self,
        word_of: Sequence[Integers],
        heads: Sequence[Integers],
        deprels: Iterable[Sequence[str]],
        *,
        sham: Sequence[ShamRow] | None = None,
    ) -> None:
        self._word_of, self._heads = Ragged(word_of), Ragged(heads)
        relations = [
            _relations(row, one, names)
            for row, (one, names) in enumerate(zip(heads, deprels, strict=True))
        ]
        self._relations = Ragged(relations)
        self._sham: dict[str, Ragged] = {}
        self.without_sham = (0, 0)
        if sham is not None:
            counts = [left_out(tree.heads, one) for tree, one in zip(sham, heads, strict=True)]
            self.without_sham = (sum(n for n, _ in counts), sum(n for _, n in counts))
            lent = [
                np.where(tree.arcs_of == NONE, NONE, own[tree.arcs_of])
                for tree, own in zip(sham, relations, strict=True)
            ]
            self._sham = {
                SHAM_HEADS: Ragged([tree.heads for tree in sham]),
                SHAM_RELATIONS: Ragged(lent),
            }

    def batch(self, indices: Integers, length: int) -> dict[str, torch.Tensor]:
        """arc_word_of [batch, length] and arc_heads, arc_relations [batch, most words], int64."""
        keys = {
            WORD_OF: self._word_of.padded(indices, length),
            HEADS: self._heads.padded(indices),
            RELATIONS: self._relations.padded(indices),
        }
        keys |= {name: rows.padded(indices) for name, rows in self._sham.items()}
        return {key: torch.from_numpy(values) for key, values in keys.items()}


def _relations(row: int, heads: Integers, deprels: Sequence[str]) -> Integers:
    words = np.arange(len(heads))
    if len(deprels) != len(heads):
        raise UserError(f"row {row} has {len(heads)} heads and {len(deprels)} relations")
    wrong = (heads < NONE) | (heads >= len(heads)) | (heads == words)
    if wrong.any():
        word = int(wrong.argmax())
        raise UserError(
            f"row {row}, word {word + 1}: its head is word {int(heads[word]) + 1} of {len(heads)} "
            "words: expected another word of the sentence, or 0 for the root"
        )
    ids = [
        relation_id(name) if head != NONE else NONE
        for head, name in zip(heads.tolist(), deprels, strict=True)
    ]
    return np.array(ids, dtype=np.int64)


def arcs_of_rows(
    rows: Any, sequences: Sequence[Sequence[int]], *, sham: Sequence[ShamRow] | None = None
) -> Arcs:
    """The arcs of sentences whose words are the first of their line, one token each.

    The words of a line behind the sentence (a task word, a question) have no heads.

    Args:
        rows: with columns words, heads (1-based, 0 the root) and deprels.
        sequences: the tokens of each line: a start token, its words, and an end token or none.
        sham: the sham tree of each row.

    Raises:
        UserError: a column is missing, or heads that are no heads; names the row.
    """
    missing = [name for name in ("words", "heads", "deprels") if name not in rows.column_names]
    if missing:
        raise UserError(
            f"rows have no column {', '.join(missing)} (they have {', '.join(rows.column_names)}): "
            "arcs need words, heads and deprels"
        )
    sentences = rows["heads"][:]
    counts = [len(text.split()) for text in rows["text"][:]]
    word_of = [
        _word_of(words, len(sequence)) for words, sequence in zip(counts, sequences, strict=True)
    ]
    heads = [
        filled(np.asarray(one, dtype=np.int64) - 1, words, NONE)
        for one, words in zip(sentences, counts, strict=True)
    ]
    deprels = (
        [*names, *[""] * (words - len(names))]
        for names, words in zip(rows["deprels"][:], counts, strict=True)
    )
    return Arcs(word_of, heads, deprels, sham=sham)


def _word_of(words: int, tokens: int) -> Integers:
    return filled(np.concatenate([[NONE], np.arange(words)]), tokens, NONE)


def filled(values: Integers, length: int, filling: int) -> Integers:
    """`values` and, up to `length`, `filling` behind them."""
    return np.concatenate([values, np.full(length - len(values), filling, dtype=np.int64)])
