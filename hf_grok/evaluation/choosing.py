"""Which rows of a source are probed: by a column's value, by length, by a draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from hf_grok.annotation.rows import Rows
from hf_grok.errors import UserError
from hf_grok.text.printable import listed


def having(rows: Rows, column: str, value: str) -> Rows:
    """Those whose `column` reads `value`, of classes by their names.

    Raises:
        UserError: there is no such column.
    """
    names = getattr(rows, "column_names", None) or list(rows[0])
    if column not in names:
        raise UserError(
            f"--where {column}={value}: no column {column!r}; the columns are {listed(names)}"
        )
    label = getattr(getattr(rows, "features", {}).get(column), "int2str", str)
    kept = [index for index, row in enumerate(rows) if str(label(row[column])) == value]
    return _select(rows, kept)


def short_enough(rows: Rows, most: int) -> tuple[Rows, int]:
    """Rows of at most so many words, and how many were longer.

    Raises:
        UserError: less than one word, or rows without a column of words.
    """
    if most < 1:
        raise UserError(f"--max-words {most}: expected at least 1 word")
    kept = [index for index, row in enumerate(rows) if _words_of(row) <= most]
    return _select(rows, kept), len(rows) - len(kept)


def _words_of(row: Mapping[str, Any]) -> int:
    """Words of the longest sentence of a row."""
    sentences = [row[name] for name in ("sentence_good", "sentence_bad") if name in row]
    sentences = sentences or [row[name] for name in ("words", "text") if name in row][:1]
    if not sentences:
        raise UserError(
            f"--max-words: a row has the columns {listed(row)}: expected words, text, or "
            "sentence_good and sentence_bad to count words in"
        )
    return max(len(one.split() if isinstance(one, str) else one) for one in sentences)


def told_of_longer(longer: int, most: int, source: str) -> str:
    """How many rows of a source were too long, in words; nothing where none was."""
    if not longer:
        return ""
    rows = "1 row" if longer == 1 else f"{longer:,} rows"
    return f"{source}: {rows} of more than {most} words left out (--max-words {most})"


def sampled(rows: Rows, count: int, seed: int) -> Rows:
    """`count` rows in the order of the data, drawn without replacement; all if there are fewer.

    Raises:
        UserError: less than one row is asked for.
    """
    if count < 1:
        raise UserError(f"--sample {count}: expected at least 1 row")
    if count >= len(rows):
        return rows
    chosen = np.random.default_rng(seed).choice(len(rows), size=count, replace=False)
    return _select(rows, sorted(chosen.tolist()))


def _select(rows: Rows, indices: Iterable[int]) -> Rows:
    chosen = list(indices)
    return rows.select(chosen) if hasattr(rows, "select") else [rows[index] for index in chosen]
