"""Packed rows in files that are mapped, not read into memory: 100 million words need none."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from tqdm.auto import tqdm

from hf_grok.annotation.sham import ShamRow, sham_of_row, word_keys
from hf_grok.recipes.corpus.packing import Rows
from hf_grok.runs.folder import replace
from hf_grok.sas.batches.ragged import Ragged
from hf_grok.sas.batches.row import ArcRow, lent_sham

BY_TOKEN = {"ids": np.int32, "word_of": np.int32}
BY_WORD = {"heads": np.int32, "relations": np.int64, "forms": np.int32}
BY_ROW = ("tokens", "words", "source")
SHAM = {"sham_heads": np.int32, "sham_relations": np.int64}
VERSION = 3
"""Raised when the same corpus would give other rows."""


@dataclass(frozen=True)
class Stored:
    """The rows of one part of a corpus, mapped from their files.

    Attributes:
        folder: where they are.
        tokens: of each row.
        words: of each row.
        source: of each row.
    """

    folder: Path
    tokens: NDArray[np.int64]
    words: NDArray[np.int64]
    source: NDArray[np.int64]

    @classmethod
    def at(cls, folder: Path) -> Stored:
        """Those that `write_rows` wrote."""
        return cls(folder, *(np.load(folder / f"{name}.npy") for name in BY_ROW))

    def __len__(self) -> int:
        return len(self.tokens)

    def column(self, name: str) -> NDArray[np.int64]:
        """A column of tokens or words, row after row, mapped; not to be written to.

        Its type is the file's, int32 or int64.
        """
        kind = {**BY_TOKEN, **BY_WORD, **SHAM}[name]
        path = self.folder / f"{name}.bin"
        # Copy on write: torch warns of arrays that may not be written to.
        return np.memmap(path, dtype=kind, mode="c") if path.stat().st_size else np.zeros(0, kind)

    def rows(self, name: str) -> Ragged:
        """The same column, row by row."""
        lengths = self.tokens if name in BY_TOKEN else self.words
        return Ragged.one_after_another(self.column(name), lengths)

    def row_forms(self, row: int) -> NDArray[np.int64]:
        """The numbers of the words of one row."""
        start = int(self.words[:row].sum())
        return self.column("forms")[start : start + int(self.words[row])]


def write_rows(folder: Path, rows: Iterable[Rows]) -> Stored:
    """Write rows as they come."""
    folder.mkdir(parents=True)
    columns = {**BY_TOKEN, **BY_WORD}
    files = {name: (folder / f"{name}.bin").open("wb") for name in columns}
    by_row: dict[str, list[NDArray[np.int64]]] = {name: [] for name in BY_ROW}
    try:
        for part in rows:
            for name, kind in columns.items():
                files[name].write(np.ascontiguousarray(vars(part)[name], dtype=kind).tobytes())
            for name, parts in by_row.items():
                parts.append(vars(part)[name])
    finally:
        for file in files.values():
            file.close()
    for name, parts in by_row.items():
        np.save(folder / f"{name}.npy", np.concatenate([*parts, np.zeros(0, dtype=np.int64)]))
    return Stored.at(folder)


def add_sham(stored: Stored, vocabulary: Sequence[str], seed: int) -> None:
    """Draw the sham tree of each sentence of each row, once for all runs, beside the rows."""
    last = stored.folder / "sham_relations.bin"
    with FileLock(stored.folder / "sham.lock"):
        if last.exists():
            return
        keys = word_keys(vocabulary)
        bounds = np.append(0, np.cumsum(stored.words))
        heads, relations, forms = (stored.column(name) for name in BY_WORD)
        parts = {name: (stored.folder / f"{name}.part").open("wb") for name in SHAM}
        spans = itertools.pairwise(bounds.tolist())
        # None: no bar where nobody watches, as in the log of a sweep.
        bar = tqdm(spans, "drawing sham trees", len(stored), leave=False, unit="row", disable=None)
        for start, end in bar:
            drawn = _sham(heads[start:end], relations[start:end], keys[forms[start:end]], seed)
            for (name, kind), values in zip(SHAM.items(), drawn, strict=True):
                parts[name].write(values.astype(kind).tobytes())
        for name, file in parts.items():
            file.close()
            replace(stored.folder / f"{name}.part", stored.folder / f"{name}.bin")


def _sham(
    heads: NDArray[np.int64], relations: NDArray[np.int64], keys: NDArray[np.int64], seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    heads = heads.astype(np.int64)
    drawn: ShamRow = sham_of_row(heads, keys, seed)
    nothing = np.zeros(0, dtype=np.int64)
    row = lent_sham(ArcRow(nothing, nothing, heads, np.asarray(relations)), drawn)
    columns = row.columns()
    return columns["arc_sham_heads"], columns["arc_sham_relations"]
