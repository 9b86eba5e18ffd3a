"""A row ready for a batch: tokens, the word of each, the head of each word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hf_grok.annotation.heads import NONE
from hf_grok.annotation.sham import LEFT_OUT, ShamRow, left_out, sentence_spans, sham_of_row
from hf_grok.errors import UserError
from hf_grok.sas.batches.keys import (
    HEADS,
    RELATIONS,
    SHAM,
    SHAM_HEADS,
    SHAM_RELATIONS,
    WORD_OF,
    ArcCounts,
)

INPUT_IDS = "input_ids"
TOKEN_TYPES = "token_type_ids"


@dataclass(frozen=True)
class ArcRow:
    """One row, unpadded, in the numbering of a batch (`hf_grok.sas.batches.keys`).

    Attributes:
        ids: [tokens], special tokens included.
        word_of: [tokens]; -1 for special tokens.
        heads: [words].
        relations: [words].
        sham: [words], heads; None where no sham tree was asked for.
        sham_relations: [words]; None likewise.
        token_types: [tokens]; None where the data has none.
    """

    ids: np.ndarray
    word_of: np.ndarray
    heads: np.ndarray
    relations: np.ndarray
    sham: np.ndarray | None = None
    sham_relations: np.ndarray | None = None
    token_types: np.ndarray | None = None

    def columns(self) -> dict[str, np.ndarray]:
        """The row as a mapping, which `ArcCollator` takes as it is."""
        named = {
            INPUT_IDS: self.ids,
            WORD_OF: self.word_of,
            HEADS: self.heads,
            RELATIONS: self.relations,
            SHAM_HEADS: self.sham,
            SHAM_RELATIONS: self.sham_relations,
            TOKEN_TYPES: self.token_types,
        }
        return {name: values for name, values in named.items() if values is not None}


def row_from_columns(row: Mapping[str, Any], where: str) -> ArcRow:
    """The row that `ArcRow.columns` gave, from lists, arrays or tensors.

    Raises:
        UserError: a column is missing, or the columns do not fit each other; starts with `where`.
    """
    missing = [name for name in (INPUT_IDS, WORD_OF, HEADS, RELATIONS) if name not in row]
    if missing:
        raise UserError(f"{where}: it has {WORD_OF} but no {', '.join(missing)}: encode it anew")
    ids, word_of, heads, relations = (
        np.asarray(row[name], dtype=np.int64) for name in (INPUT_IDS, WORD_OF, HEADS, RELATIONS)
    )
    sham, sham_relations, types = (
        np.asarray(row[name], dtype=np.int64) if name in row else None
        for name in (*SHAM, TOKEN_TYPES)
    )
    if (sham is None) != (sham_relations is None):
        raise UserError(f"{where}: {SHAM_HEADS} and {SHAM_RELATIONS} go together: encode it anew")
    by_word = [heads, relations]
    if sham is not None and sham_relations is not None:
        by_word += [sham, sham_relations]
    by_token = [ids, word_of] + ([] if types is None else [types])
    for columns, kind in ((by_token, "tokens"), (by_word, "words")):
        if len({len(values) for values in columns}) > 1:
            raise UserError(f"{where}: columns of {kind} have different lengths: encode it anew")
    for values, name, lowest in (
        (word_of, WORD_OF, NONE),
        (heads, HEADS, NONE),
        (sham, SHAM_HEADS, LEFT_OUT),
    ):
        if (
            values is not None
            and len(values)
            and not lowest <= values.min() <= values.max() < len(heads)
        ):
            raise UserError(
                f"{where}: {name} names a word outside the row: expected {lowest} to "
                f"{len(heads) - 1}"
            )
    if (heads == np.arange(len(heads))).any():
        raise UserError(f"{where}: {HEADS} has a word that is its own head: expected another word")
    return ArcRow(ids, word_of, heads, relations, sham, sham_relations, types)


def truncated(row: ArcRow, length: int | None, where: str) -> tuple[ArcRow, int]:
    """The row cut to `length` tokens, special tokens at its ends kept, and the arcs that it lost.

    A word that loses a token loses its arcs: what is left of it is another word. A sentence that
    loses an arc has no sham tree any more, whose offsets would no longer be those of the arcs left.

    Raises:
        UserError: `length` leaves no room for a token beside the special tokens.
    """
    if length is None or len(row.ids) <= length:
        return row, 0
    leading, trailing = special_ends(row.word_of)
    if length <= leading + trailing:
        raise UserError(
            f"{where}: max_length={length} leaves no room beside {leading + trailing} special "
            "tokens: expected more"
        )
    kept = np.r_[0 : length - trailing, len(row.ids) - trailing : len(row.ids)]
    word_of = row.word_of[kept]
    words = int(word_of.max(initial=NONE)) + 1
    whole = (
        _tokens_of_words(word_of, words) == _tokens_of_words(row.word_of, len(row.heads))[:words]
    )
    heads = _within(row.heads, whole)
    shorter = replace(
        row,
        ids=row.ids[kept],
        word_of=word_of,
        heads=heads,
        relations=np.where(heads == NONE, NONE, row.relations[:words]),
        **_sham_within(row, whole),
        token_types=None if row.token_types is None else row.token_types[kept],
    )
    return shorter, int((row.heads != NONE).sum() - (heads != NONE).sum())


def special_ends(word_of: np.ndarray) -> tuple[int, int]:
    """How many tokens before the first word, and after the last."""
    real = np.flatnonzero(word_of != NONE)
    if not len(real):
        return 0, 0
    return int(real[0]), len(word_of) - 1 - int(real[-1])


def _tokens_of_words(word_of: np.ndarray, words: int) -> np.ndarray:
    return np.bincount(word_of[word_of != NONE], minlength=words)


def _within(heads: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """The heads of the words that are whole, where these are whole too."""
    own = np.where(whole, heads[: len(whole)], NONE)
    inside = (own != NONE) & (own < len(whole))
    return np.where(inside & whole[np.where(inside, own, 0)], own, NONE) if len(own) else own


def _sham_within(row: ArcRow, whole: np.ndarray) -> dict[str, np.ndarray]:
    """What is left of a row's sham tree where only the words that are whole are."""
    if row.sham is None or row.sham_relations is None:
        return {}
    sham, relations = row.sham[: len(whole)].copy(), row.sham_relations[: len(whole)].copy()
    kept = np.concatenate([whole, np.zeros(len(row.heads) - len(whole), dtype=bool)])
    for start, end in sentence_spans(row.heads):
        if not kept[start:end].all():
            sham[start:end], relations[start:end] = LEFT_OUT, NONE
    return {"sham": sham, "sham_relations": relations}


def is_unparsed(row: ArcRow) -> bool:
    """Whether a row of two words or more has no arc."""
    if (row.heads != NONE).any():
        return False
    return len(np.unique(row.word_of[row.word_of != NONE])) > 1


def add_arcs(counts: ArcCounts, row: ArcRow, *, sham: bool) -> None:
    """Count the arcs of a row; with `sham`, also its sentences that have arcs but no sham tree."""
    counts.arcs += int((row.heads != NONE).sum())
    if sham and row.sham is not None:
        sentences, arcs = left_out(row.sham, row.heads)
        counts.without_sham += sentences
        counts.arcs_without_sham += arcs


def with_sham(row: ArcRow, keys: np.ndarray, seed: int) -> ArcRow:
    """The row with its sham tree, whose arcs have the offsets and relations of those that it has.

    Args:
        row: cut already: the tree is drawn over the arcs that are left.
        keys: a number for the form of each word, at least as many as the row has.
        seed: of the draw.
    """
    return lent_sham(row, sham_of_row(row.heads, keys[: len(row.heads)], seed))


def lent_sham(row: ArcRow, drawn: ShamRow) -> ArcRow:
    """The row with a sham tree that was drawn for it: each arc lends it its relation."""
    relations = np.where(drawn.arcs_of == NONE, NONE, row.relations[drawn.arcs_of])
    return replace(row, sham=drawn.heads, sham_relations=relations)
