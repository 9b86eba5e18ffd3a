"""The training lines of a language, encoded once for all runs that read them, and mapped."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from hf_grok.recipes.data.arcs import SHAM_VERSION, arcs_of_rows, sham_column
from hf_grok.recipes.data.made_once import cached_folder, made_once
from hf_grok.sas.batches.keys import ANNOTATION, RELATIONS, SHAM_RELATIONS, ArcCounts
from hf_grok.sas.batches.ragged import Ragged
from hf_grok.sas.batches.rows import ArcRows
from hf_grok.text.json_reading import read_object

if TYPE_CHECKING:
    from datasets import Dataset

VERSION = 1
"""Raised when the same lines would give other files."""
_TOKENS, _WORDS = "tokens", "words_of_line"
_LARGE = (RELATIONS, SHAM_RELATIONS)  # 62-bit numbers of relations' names


@dataclass(frozen=True)
class EncodedLines:
    """Lines as a run reads them.

    Attributes:
        tokens: of each line, mapped from a file.
        words: how many each line has, as blanks part them: the task word is one, special tokens
            are none.
        arcs: of each line, mapped too; None where they were not asked for.
    """

    tokens: Ragged
    words: NDArray[np.int64]
    arcs: ArcRows | None


def encoded_lines(
    rows: Dataset,
    tokenizer: PreTrainedTokenizerBase,
    *,
    with_arcs: bool = False,
    with_sham: bool = False,
) -> EncodedLines:
    """The lines, found in the cache or encoded: ten runs of a sweep hold them in memory once.

    Args:
        rows: with a column text; with arcs, words, heads and deprels too.
        tokenizer: which cuts them.
        with_arcs: whether their arcs are wanted.
        with_sham: and those of a sham tree of each line.

    Raises:
        UserError: as `arcs_of_rows`.
    """
    with_sham = with_sham and with_arcs
    depends = {
        "version": VERSION,
        "rows": rows._fingerprint,
        "tokenizer": hashlib.sha256(tokenizer.backend_tokenizer.to_str().encode()).hexdigest(),
        "arcs": with_arcs,
        "sham": SHAM_VERSION if with_sham else None,
    }

    def make(folder: Path) -> dict[str, object]:
        return _encode(folder, rows, tokenizer, with_arcs=with_arcs, with_sham=with_sham)

    return _read(made_once(cached_folder("lines", depends), make))


def _encode(
    folder: Path,
    rows: Dataset,
    tokenizer: PreTrainedTokenizerBase,
    *,
    with_arcs: bool,
    with_sham: bool,
) -> dict[str, object]:
    texts = rows["text"][:]
    sequences = tokenizer(texts, return_attention_mask=False)["input_ids"]
    Ragged.of_rows(sequences).save(folder, _TOKENS, np.int32)
    np.save(folder / f"{_WORDS}.npy", words_of_texts(texts))
    if not with_arcs:
        return {}
    arcs = arcs_of_rows(rows, sequences, sham=sham_column(rows) if with_sham else None)
    for name in arcs.columns.keys() & ANNOTATION:
        arcs.columns[name].save(folder, name, np.int64 if name in _LARGE else np.int32)
    return {"counts": asdict(arcs.counts)}


def words_of_texts(texts: Sequence[str]) -> NDArray[np.int64]:
    """Words of each text, as blanks part them: the task word is one, special tokens are none."""
    return np.fromiter((len(text.split()) for text in texts), dtype=np.int64, count=len(texts))


def _read(folder: Path) -> EncodedLines:
    facts = read_object(folder / "facts.json")
    words: NDArray[np.int64] = np.load(folder / f"{_WORDS}.npy")
    columns = {
        name: Ragged.mapped(folder, name)
        for name in ANNOTATION
        if (folder / f"{name}.npy").exists()
    }
    tokens, arcs = Ragged.mapped(folder, _TOKENS), None
    if columns:
        arcs = ArcRows.of_columns(columns, len(tokens), ArcCounts(**facts["counts"]))
    return EncodedLines(tokens, words, arcs)
