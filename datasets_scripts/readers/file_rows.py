"""Rows that were read of one file, as a sequence: what the treebanks share."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias, overload

from hf_grok.datasets_scripts.readers.bad_lines import BadLines

Row: TypeAlias = dict[str, Any]


class FileRows(Sequence[Row]):
    """The rows of a file, in its order.

    Args:
        path: the file.
        rows: what was read of it.
        bad: what was left out.
    """

    def __init__(self, path: str | os.PathLike[str], rows: list[Row], bad: BadLines) -> None:
        self.path = os.fspath(path)
        self.bad = bad
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        return self._rows[index]

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def __repr__(self) -> str:
        left_out = f"; {self.bad.told()}" if self.bad.count else ""
        counts = ", ".join([f"{len(self):,} sentences", *self._counts()])
        return f"{type(self).__name__}({self.path!r}: {counts}{left_out})"

    def _counts(self) -> list[str]:
        """What is counted beside the sentences."""
        return [f"{sum(len(row['words']) for row in self):,} words"]
