"""Gold heads and sham trees of the training sequences, in the store that `ArcCollator` reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hf_grok.annotation.heads import NONE, head_places, word_heads
from hf_grok.annotation.sham import ShamRow, sham_of_row, word_keys
from hf_grok.errors import UserError
from hf_grok.sas.batches.encoding import WORD_LAYOUT, word_arcs
from hf_grok.sas.batches.keys import ArcCounts
from hf_grok.sas.batches.row import ArcRow, add_arcs, is_unparsed, lent_sham
from hf_grok.sas.batches.rows import ArcRows

if TYPE_CHECKING:
    from datasets import Dataset

SHAM_SEED = 0
# Raised when the trees would be others: part of what the cache goes by.
SHAM_VERSION = 2


def arcs_of_rows(
    rows: Dataset, sequences: Sequence[Sequence[int]], *, sham: Sequence[ShamRow] | None = None
) -> ArcRows:
    """The arcs of sentences whose words are the first of their line, one token each.

    The words of a line behind the sentence (a task word, a question) have no heads.

    Args:
        rows: with columns text, and words, heads and deprels of the sentence that it begins with.
        sequences: the tokens of each line: a start token, its words, and an end token or none.
        sham: the sham tree of each row, see `sham_column`.

    Raises:
        UserError: a column is missing, or what `hf_grok.annotation.heads` refuses; names the row.
    """
    missing = [name for name in WORD_LAYOUT if name not in rows.column_names]
    if missing:
        raise UserError(
            f"rows have no column {', '.join(missing)} (they have {', '.join(rows.column_names)}): "
            f"arcs need {', '.join(WORD_LAYOUT)}"
        )
    counts = ArcCounts(sentences=len(sequences))
    texts, *columns = (rows[name][:] for name in ("text", *WORD_LAYOUT))
    made = []
    for number, (ids, text, *values) in enumerate(zip(sequences, texts, *columns, strict=True)):
        row = _arc_row(ids, text, dict(zip(WORD_LAYOUT, values, strict=True)), number, counts)
        made.append(row if sham is None else lent_sham(row, _filled_sham(sham[number], row)))
        add_arcs(counts, made[-1], sham=sham is not None)
    return ArcRows(made, counts)


def told_of_arcs(arcs: ArcRows | None, kind: str) -> list[str]:
    """What a run says of sentences whose arcs take no part, `kind` being its `sas_arcs`."""
    counts, told = ArcCounts() if arcs is None else arcs.counts, list[str]()
    if counts.unparsed:
        told.append(
            f"{counts.unparsed:,} of {counts.sentences:,} sentences are unparsed: no arc of theirs "
            "is counted"
        )
    if counts.without_sham:
        told.append(
            f"{counts.without_sham:,} of {counts.sentences:,} sentences have no other tree with "
            f"the same offsets: their {counts.arcs_without_sham:,} arcs take no part in {kind} arcs"
        )
    return told


def _arc_row(
    ids: Sequence[int], text: str, row: Mapping[str, Any], number: int, counts: ArcCounts
) -> ArcRow:
    heads, relations = word_arcs(row, f"row {number}", counts)
    words = len(text.split())
    made = ArcRow(
        ids=np.asarray(ids, dtype=np.int64),
        word_of=filled(np.arange(NONE, words), len(ids)),
        heads=filled(heads, words),
        relations=filled(relations, words),
    )
    counts.unparsed += is_unparsed(made)
    return made


def _filled_sham(tree: ShamRow, row: ArcRow) -> ShamRow:
    return ShamRow(*(filled(values, len(row.heads)) for values in tree))


def filled(values: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """`values` and, up to `length`, -1 behind them."""
    row = np.full(length, NONE, dtype=np.int64)
    row[: len(values)] = values
    return row


def sham_column(rows: Dataset) -> list[ShamRow]:
    """For each line its sham tree, that of `encode_rows(..., sham=True)` over the same words.

    A tree is a function of its sentence alone, so it is that of every run and every epoch. Drawing
    200,000 takes minutes of a core, once: `datasets` keeps them beside the sentences.

    Args:
        rows: with columns words and heads (1-based, 0 the root).
    """
    trees = rows.map(
        _draw,
        batched=True,
        remove_columns=rows.column_names,
        fn_kwargs={"seed": SHAM_SEED, "version": SHAM_VERSION},
        desc="drawing sham trees",
    )
    return [
        ShamRow(np.asarray(heads, dtype=np.int64), np.asarray(arcs_of, dtype=np.int64))
        for heads, arcs_of in zip(trees["heads"][:], trees["arcs_of"][:], strict=True)
    ]


def _draw(
    batch: Mapping[str, Sequence[Any]], seed: int, version: int
) -> dict[str, list[NDArray[np.int64]]]:
    drawn = []
    for words, given in zip(batch["words"], batch["heads"], strict=True):
        heads = word_heads(given, words, f"the sentence {' '.join(words)!r}")
        places = [NONE] * len(words) if heads is None else head_places(heads)
        drawn.append(sham_of_row(np.array(places, dtype=np.int64), word_keys(words), seed))
    return {"heads": [row.heads for row in drawn], "arcs_of": [row.arcs_of for row in drawn]}
