"""The training lines of a language, encoded once for all runs that read them, and mapped."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from hf_grok.recipes.data.arcs import SHAM_VERSION, arcs_of_rows, sham_column
from hf_grok.recipes.data.batches import FlatTokens
from hf_grok.recipes.data.made_once import cached_folder, made_once
from hf_grok.sas.batches.keys import ANNOTATION, RELATIONS, SHAM_RELATIONS, ArcCounts
from hf_grok.sas.batches.rows import ArcRows, Ragged
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

    tokens: FlatTokens
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
    _save(folder, _TOKENS, sequences, np.int32)
    np.save(folder / f"{_WORDS}.npy", words_of_texts(texts))
    if not with_arcs:
        return {}
    arcs = arcs_of_rows(rows, sequences, sham=sham_column(rows) if with_sham else None)
    for name in (name for name in ANNOTATION if name in arcs[0]):
        _save(folder, name, (row[name] for row in arcs), np.int64 if name in _LARGE else np.int32)
    return {"counts": asdict(arcs.counts)}


def words_of_texts(texts: Sequence[str]) -> NDArray[np.int64]:
    """Words of each text, as blanks part them: the task word is one, special tokens are none."""
    return np.fromiter((len(text.split()) for text in texts), dtype=np.int64, count=len(texts))


def _save(
    folder: Path, name: str, rows: Iterable[Sequence[int] | NDArray[Any]], kind: type
) -> None:
    parts: list[NDArray[Any]] = [np.asarray(row, dtype=kind) for row in rows]
    np.save(folder / f"{name}.npy", np.concatenate(parts))
    np.save(folder / f"{name}.lengths.npy", np.fromiter(map(len, parts), np.int64, len(parts)))


def _read(folder: Path) -> EncodedLines:
    facts = read_object(folder / "facts.json")
    words: NDArray[np.int64] = np.load(folder / f"{_WORDS}.npy")
    columns = {
        name: Ragged.of_flat(*_mapped(folder, name))
        for name in ANNOTATION
        if (folder / f"{name}.npy").exists()
    }
    values, starts, lengths = _mapped(folder, _TOKENS)
    arcs = None
    if columns:
        arcs = ArcRows.of_columns(columns, len(lengths), ArcCounts(**facts["counts"]))
    return EncodedLines(FlatTokens(torch.from_numpy(values), starts, lengths), words, arcs)


def _mapped(
    folder: Path, name: str
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Values of all rows, where each row starts, how long it is."""
    lengths: NDArray[np.int64] = np.load(folder / f"{name}.lengths.npy")
    # Copy on write: torch warns of arrays that may not be written to.
    values: NDArray[np.int64] = np.load(folder / f"{name}.npy", mmap_mode="c")
    return values, np.cumsum(lengths) - lengths, lengths
