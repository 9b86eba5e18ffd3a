"""Minimal pairs in BLiMP's layout: one JSON object a line, as it is distributed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from hf_grok.datasets_scripts.readers.bad_lines import BadLines
from hf_grok.errors import UserError
from hf_grok.text.files import Line, read_lines
from hf_grok.text.json_reading import parse_object
from hf_grok.text.printable import listed, quoted

Row: TypeAlias = dict[str, Any]
Location: TypeAlias = str | os.PathLike[str]

FIELDS = ("sentence_good", "sentence_bad", "field", "linguistics_term", "UID", "pairID")


def read_minimal_pairs(
    paths: Location | Sequence[Location],
    *,
    skip_bad_lines: bool = False,
    bad: BadLines | None = None,
) -> list[Row]:
    """The pairs of one file, of several, or of every *.jsonl of a folder; one row each, in order.

    Rows hold whatever the file holds. Six fields must be there, as strings: sentence_good,
    sentence_bad, field ("morphology"), linguistics_term (the phenomenon), UID (the paradigm) and
    pairID. Files of a folder come in the order of their names. Empty lines are passed over.

    Args:
        paths: files and folders.
        skip_bad_lines: leave out lines that are no pair, instead of ending at the first.
        bad: counts what was left out; decides in the place of `skip_bad_lines`.

    Raises:
        UserError: a path that is not there, a folder without *.jsonl, no pair at all; with
            file:line, a line that is no JSON object, or a field that is missing, empty or no text.

    Source: Warstadt et al. 2020, BLiMP (arXiv 1912.00582).
    """
    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    files = [file for path in given for file in _files(path)]
    bad = bad or BadLines(skip_bad_lines)
    rows = list(good_rows(files, _pair, bad))
    if not rows:
        names = listed(os.fspath(path) for path in given)
        told = f" ({bad.told()})" if bad.count else ""
        raise UserError(f"no minimal pair in {names or 'no file'}{told}")
    return rows


def good_rows(
    files: Iterable[Location], read: Callable[[Line], Row], bad: BadLines
) -> Iterator[Row]:
    """What `read` makes of every line that is not empty; lines that it refuses go to `bad`."""
    for file in files:
        for line in read_lines(file, flawed=True):
            try:
                if line.flaw is not None:
                    raise line.flaw
                if line.text.strip():
                    yield read(line)
            except UserError as error:
                bad.meet(error)


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
    row = parse_object(line.text, line.place)
    for name in FIELDS:
        if name not in row:
            raise line.error(
                f"no field {name!r}: expected {', '.join(FIELDS)}; there are {listed(row)}"
            )
        if not isinstance(row[name], str) or not row[name].strip():
            raise line.error(f"field {name!r} is {quoted(row[name])}: expected text")
    return row
