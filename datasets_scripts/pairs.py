"""Minimal pairs in BLiMP's layout: one JSON object a line, as it is distributed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from hf_grok.datasets_scripts.text_lines import Line, read_lines
from hf_grok.errors import UserError

Row: TypeAlias = dict[str, Any]
Location: TypeAlias = str | os.PathLike[str]

FIELDS = ("sentence_good", "sentence_bad", "field", "linguistics_term", "UID", "pairID")


def read_minimal_pairs(paths: Location | Sequence[Location]) -> list[Row]:
    """The pairs of one file, of several, or of every *.jsonl of a folder; one row each, in order.

    Rows hold whatever the file holds. Six fields must be there, as strings: sentence_good,
    sentence_bad, field ("morphology"), linguistics_term (the phenomenon), UID (the paradigm) and
    pairID. Files of a folder come in the order of their names. Empty lines are passed over.

    Raises:
        UserError: a path that is not there, a folder without *.jsonl, no pair at all; with
            file:line, a line that is no JSON object, or a field that is missing, empty or no text.

    Source: Warstadt et al. 2020, BLiMP (arXiv 1912.00582).
    """
    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    files = [file for path in given for file in _files(path)]
    rows = [_pair(line) for file in files for line in read_lines(file) if line.text.strip()]
    if not rows:
        names = ", ".join(os.fspath(path) for path in given)
        raise UserError(f"no minimal pair in {names or 'no file'}")
    return rows


def _files(path: Location) -> Iterator[Location]:
    folder = Path(path)
    if not folder.is_dir():
        yield path
        return
    files = sorted(folder.glob("*.jsonl"))
    if not files:
        raise UserError(f"the folder {os.fspath(path)!r} holds no *.jsonl: expected BLiMP's files")
    yield from files


def _pair(line: Line) -> Row:
    try:
        row = json.loads(line.text)
    except json.JSONDecodeError as error:
        raise line.error(f"expected a JSON object; {error}") from None
    if not isinstance(row, dict):
        raise line.error(f"expected a JSON object, got {line.text[:80]!r}")
    for name in FIELDS:
        if name not in row:
            raise line.error(
                f"no field {name!r}: expected {', '.join(FIELDS)}; there are {', '.join(row)}"
            )
        if not isinstance(row[name], str) or not row[name].strip():
            raise line.error(f"field {name!r} is {row[name]!r}: expected text")
    return row
