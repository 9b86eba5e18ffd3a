"""Rows of unequal length in one flat array, in memory or mapped from a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_grok.annotation.heads import NONE


@dataclass(frozen=True)
class Ragged:
    """Row i is values[starts[i] : starts[i] + lengths[i]]: a padded batch is cut out, not joined.

    Attributes:
        values: of all rows, of any whole type.
        starts: where each row begins; two rows may be the same values.
        lengths: of each row; 0 or more.
    """

    values: NDArray[Any]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]

    @classmethod
    def of_rows(cls, rows: Sequence[Sequence[int] | NDArray[Any]]) -> Ragged:
        """Rows in memory, at least one of them, as int64."""
        lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
        values = np.concatenate([np.asarray(row, dtype=np.int64) for row in rows])
        return cls.one_after_another(values, lengths)

    @classmethod
    def one_after_another(cls, values: NDArray[Any], lengths: NDArray[np.int64]) -> Ragged:
        """Rows that lie in `values` in their order, with nothing between them."""
        return cls(values, np.cumsum(lengths) - lengths, lengths)

    @classmethod
    def mapped(cls, folder: Path, name: str) -> Ragged:
        """The rows that `save` wrote: read from the disk where they are looked at."""
        # Copy on write: torch warns of arrays that may not be written to.
        values = np.load(folder / f"{name}.npy", mmap_mode="c")
        return cls.one_after_another(values, np.load(folder / f"{name}.lengths.npy"))

    def save(self, folder: Path, name: str, kind: type[np.signedinteger[Any]]) -> None:
        """Write the rows one after another, their values as `kind`, which must hold them."""
        rows = [self[at] for at in range(len(self))]
        np.save(folder / f"{name}.npy", np.concatenate(rows).astype(kind))
        np.save(folder / f"{name}.lengths.npy", self.lengths)

    def at(self, rows: NDArray[np.int64]) -> Ragged:
        """The rows of those numbers, in that order, again and again if they are named so."""
        return Ragged(self.values, self.starts[rows], self.lengths[rows])

    def padded(self, rows: NDArray[np.int64], width: int | None = None) -> NDArray[np.int64]:
        """The rows of those numbers, [row, longest], padded with -1; `width` wide if given."""
        lengths = self.lengths[rows][:, None]
        columns = np.arange(lengths.max() if width is None else width)
        if not len(self.values):
            return np.full((len(rows), len(columns)), NONE, dtype=np.int64)
        places = np.minimum(self.starts[rows][:, None] + columns, len(self.values) - 1)
        padded = np.where(columns < lengths, self.values[places], NONE)
        return padded.astype(np.int64, copy=False)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, row: int) -> NDArray[Any]:
        start = self.starts[row]
        return self.values[start : start + self.lengths[row]]
