"""The random tree of each training sentence, drawn once and kept in the cache of `datasets`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hf_grok.annotation.heads import NONE
from hf_grok.annotation.sham import ShamRow, sham_of_row, word_keys
from hf_grok.training.arcs import filled

if TYPE_CHECKING:
    from datasets import Dataset

SHAM_SEED = 0
# Raised when the trees would be others: part of what the cache goes by.
VERSION = 2


def sham_column(rows: Dataset) -> list[ShamRow]:
    """For each line its sham tree, that of `encode_rows(..., sham=True)` over the same words.

    A tree is a function of its sentence alone, so it is that of every run and every epoch. Drawing
    200,000 takes minutes of a core, once: `datasets` keeps them beside the sentences.

    Args:
        rows: with columns text, words and heads (1-based, 0 the root); words of the text behind
            the sentence have no heads.
    """
    trees = rows.map(
        _draw,
        batched=True,
        remove_columns=[name for name in rows.column_names if name != "text"],
        fn_kwargs={"seed": SHAM_SEED, "version": VERSION},
        desc="drawing sham trees",
    )
    lengths = [len(text.split()) for text in trees["text"][:]]
    return [
        ShamRow(
            *(filled(np.asarray(one, dtype=np.int64), length, NONE) for one in (heads, origins))
        )
        for heads, origins, length in zip(
            trees["heads"][:], trees["arcs_of"][:], lengths, strict=True
        )
    ]


def _draw(
    batch: Mapping[str, Sequence[Sequence[int]]], seed: int, version: int
) -> dict[str, list[NDArray[np.int64]]]:
    drawn = [
        sham_of_row(
            np.maximum(np.asarray(heads, dtype=np.int64) - 1, NONE),
            word_keys([str(word) for word in words]),
            seed,
        )
        for words, heads in zip(batch["words"], batch["heads"], strict=True)
    ]
    return {
        "heads": [row.heads for row in drawn],
        "arcs_of": [row.arcs_of for row in drawn],
    }
