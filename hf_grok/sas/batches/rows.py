"""Many rows ready for batches, in a few flat arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from hf_grok._optional import import_optional
from hf_grok.errors import UserError
from hf_grok.sas.batches.keys import ANNOTATION, WORD_OF, ArcCounts
from hf_grok.sas.batches.ragged import Ragged
from hf_grok.sas.batches.row import ArcRow


class ArcRows(Sequence[dict[str, np.ndarray]]):
    """Encoded rows in a few flat arrays: a data set for `ArcCollator`, or a recipe's arcs.

    Args:
        rows: at least one; all with the same columns.
        counts: what became of the sentences that they were made of.
        scheme: annotation scheme of their heads; None where nothing says.

    Attributes:
        columns: the flat arrays, named as `ArcRow.columns` names them.
    """

    scheme: str | None = None
    columns: Mapping[str, Ragged]

    def __init__(
        self, rows: Sequence[ArcRow], counts: ArcCounts, scheme: str | None = None
    ) -> None:
        self.counts = counts
        self.scheme = scheme
        self._length = len(rows)
        columns = [row.columns() for row in rows]
        if len({tuple(each) for each in columns}) != 1:
            raise UserError(
                "rows have different columns, or there are none: expected token_type_ids in all "
                "rows or in no row, and at least one row"
            )
        self.columns = {
            name: Ragged.of_rows([each[name] for each in columns]) for name in columns[0]
        }

    @classmethod
    def of_columns(cls, columns: Mapping[str, Ragged], rows: int, counts: ArcCounts) -> ArcRows:
        """Rows whose columns are there already, named as `ArcRow.columns` names them."""
        made = cls.__new__(cls)
        made.counts, made._length, made.columns = counts, rows, dict(columns)
        return made

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: Any) -> Any:
        """The columns of one row; a list of them for a slice."""
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(self._length))]
        at = range(self._length)[index]
        return {name: rows[at] for name, rows in self.columns.items()}

    def __iter__(self) -> Iterator[dict[str, np.ndarray]]:
        return (self[at] for at in range(self._length))

    def batch(self, indices: np.ndarray, length: int) -> dict[str, torch.Tensor]:
        """The annotation of the rows at `indices`, padded on the right with -1, int64.

        Args:
            indices: [batch].
            length: tokens of the batch's longest row.

        Returns:
            arc_word_of [batch, length]; arc_heads, arc_relations, and those of the sham trees where
            the rows have them, [batch, most words].
        """
        return {
            name: torch.from_numpy(rows.padded(indices, length if name == WORD_OF else None))
            for name, rows in self.columns.items()
            if name in ANNOTATION
        }

    def to_dataset(self) -> Any:
        """The same rows as a `datasets.Dataset`, for a Trainer that takes nothing else (TRL's)."""
        datasets = import_optional("datasets", extra="trl", purpose="rows for TRL's trainers")
        return datasets.Dataset.from_dict(
            {name: [row[name] for row in self] for name in self.columns}
        )

    def __repr__(self) -> str:
        tokens = int(self.columns[WORD_OF].lengths.sum())
        return f"ArcRows({self._length:,} rows, {tokens:,} tokens; {self.counts})"
