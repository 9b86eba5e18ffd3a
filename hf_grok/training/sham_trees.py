"""The random tree of each training sentence, drawn once and kept in the cache of `datasets`."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hf_grok.sas.annotation import NONE
from hf_grok.sas.sham import sham_heads
from hf_grok.training.arcs import filled

if TYPE_CHECKING:
    from datasets import Dataset

SHAM_SEED = 0
# Raised when the trees would be others: part of what the cache goes by.
VERSION = 1


def sham_column(rows: Dataset) -> list[NDArray[np.int64]]:
    """For each line the 0-based heads of its sham tree, -1 where there is none.

    A tree is a function of its sentence alone, so it is that of every run and every epoch. Drawing
    200,000 takes two minutes of a core, once: `datasets` keeps them beside the sentences.

    Args:
        rows: with columns text, words and heads (1-based, 0 the root); words of the text behind
            the sentence have no heads.
    """
    trees = rows.map(
        _draw,
        batched=True,
        remove_columns=[name for name in rows.column_names if name not in ("text", "words")],
        fn_kwargs={"seed": SHAM_SEED, "version": VERSION},
        desc="drawing sham trees",
    )
    lengths = [len(text.split()) for text in trees["text"][:]]
    return [
        filled(np.maximum(np.asarray(heads, dtype=np.int64) - 1, NONE), length, NONE)
        for heads, length in zip(trees["sham_heads"][:], lengths, strict=True)
    ]


def _draw(
    batch: Mapping[str, Sequence[Sequence[int]]], seed: int, version: int
) -> dict[str, list[list[int]]]:
    pairs = zip(batch["words"], batch["heads"], strict=True)
    return {"sham_heads": [sham_heads(heads, _seed(words, seed)) for words, heads in pairs]}


def _seed(words: Sequence[object], seed: int) -> int:
    return (seed << 32) + zlib.crc32(" ".join(map(str, words)).encode())
