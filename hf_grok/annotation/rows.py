"""Rows of a data set, read column by column whether they are dicts or a `datasets.Dataset`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from hf_grok.errors import UserError

# A list of dicts or a `datasets.Dataset`, which this package does not import.
Rows: TypeAlias = Any
TOKEN_COLUMNS = ("tokens", "head", "deprel")
"""Of a treebank of the Hub, in the place of words, heads and deprels."""


def column(rows: Rows, name: str) -> list[Any]:
    """One column of the rows as a plain list, in the rows' order.

    Raises:
        UserError: the rows have no such column.
    """
    if hasattr(rows, "column_names"):
        _check_column(name, rows.column_names, "the data")
        return list(rows.with_format(None)[name][:])
    for number, row in enumerate(rows):
        _check_column(name, row, f"row {number}")
    return [row[name] for row in rows]


def with_words(rows: Rows) -> Rows:
    """Rows with a column words: Dyck's strings have none."""
    if "words" in rows.column_names:
        return rows
    return rows.add_column("words", [text.split() for text in rows["text"][:]])


def label_column(rows: Rows, name: str, labels: Sequence[str]) -> list[str]:
    """A column of class labels as names, whether it holds names or numbers.

    The numbers are those of the data set's own ClassLabel where there is one, else of `labels`.

    Raises:
        UserError: a value is no label.
    """
    features = getattr(rows, "features", None)
    own = getattr(features[name], "names", None) if features and name in features else None
    return [
        _label(value, own or labels, f"row {number}, column {name!r}")
        for number, value in enumerate(column(rows, name))
    ]


def _check_column(name: str, present: Any, where: str) -> None:
    if name not in present:
        known = set(TOKEN_COLUMNS) <= set(present)
        told = "; hf_grok.datasets_scripts.treebank_rows makes words of such rows" if known else ""
        raise UserError(
            f"{where} has no column {name!r}: the columns are {', '.join(present)}{told}"
        )


def _label(value: Any, labels: Sequence[str], where: str) -> str:
    if isinstance(value, str) and value in labels:
        return value
    if isinstance(value, int) and 0 <= value < len(labels):
        return labels[value]
    raise UserError(
        f"{where}: {value!r} is no label: expected one of {', '.join(labels)},"
        f" or its number from 0 to {len(labels) - 1}"
    )
