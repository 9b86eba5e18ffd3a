"""Files of one JSON object a line, each with a step: written as a run goes, rewound on resume."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError
from hf_grok.runs.folder import replace
from hf_grok.text.files import read_lines
from hf_grok.text.json_reading import parse_object
from hf_grok.text.printable import quoted


@dataclass(frozen=True)
class Row:
    """One line of a file of rows.

    Attributes:
        place: file:line.
        text: as it stands there.
        values: what it says.
    """

    place: str
    text: str
    values: Mapping[str, Any]

    @property
    def step(self) -> int:
        """The step that it was logged at.

        Raises:
            UserError: it has none, or one that is no whole number from 0 on.
        """
        step = self.values.get("step")
        if isinstance(step, bool) or not isinstance(step, int) or step < 0:
            raise UserError(
                f'{self.place}: expected "step" to be an integer from 0 on, got {quoted(step)}: '
                "fix the line, or take it out"
            )
        return step


def append_row(path: Path, row: Mapping[str, Any]) -> None:
    """Add one row to the end of the file, which is made if it is not there.

    Raises:
        UserError: it cannot be written, as on a full disk. What stands in the file stays.
    """
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
    except OSError as error:
        raise UserError(
            f"could not write to {path}: {error}. Make room and go on with --resume: a resumed run "
            "repeats what was not written."
        ) from error


def read_rows(path: Path, error: type[UserError] = UserError) -> tuple[list[Row], str | None]:
    """Every whole row of a file, and the place of a last line that was cut; None where none was.

    A last line without its line feed that is no JSON was being written when a process was killed,
    or is being written now. Empty lines are passed over; NaN and Infinity are read.

    Raises:
        UserError: any other line that is no JSON object, with file:line.
    """
    rows: list[Row] = []
    cut = not _ends_whole(path)
    lines = [line for line in read_lines(path, flawed=True) if line.text.strip() or line.flaw]
    for line in lines:
        try:
            if line.flaw is not None:
                raise error(str(line.flaw))
            values = parse_object(line.text, line.place, nonfinite=True, error=error)
        except UserError:
            if cut and line is lines[-1]:
                return rows, line.place
            raise
        rows.append(Row(line.place, line.text, values))
    return rows, None


def rewind(path: Path, step: int) -> None:
    """Drop the rows after `step` and a last line that was cut: a resumed run writes them again.

    Raises:
        UserError: a line that is no row with a step, with file:line. The file stays as it was.
    """
    _rewrite(path, lambda row: row.step <= step)


def keep_rows(path: Path, keep: Callable[[Mapping[str, Any]], bool]) -> None:
    """Drop the rows that are not to be kept, and a last line that was cut.

    Raises:
        UserError: a line that is no JSON object, with file:line. The file stays as it was.
    """
    _rewrite(path, lambda row: keep(row.values))


def _rewrite(path: Path, keep: Callable[[Row], bool]) -> None:
    if not path.is_file():
        return
    rows, _ = read_rows(path)
    _write(path, [f"{row.text}\n" for row in rows if keep(row)])


def restore(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Make the file hold exactly `rows`, its own lines where they say the same.

    Whatever was written after them, twice or in part is gone.
    """
    lines = path.read_bytes().split(b"\n") if path.is_file() else []
    kept = []
    for number, row in enumerate(rows):
        line = lines[number].decode(errors="replace") if number < len(lines) else ""
        same = _sorted(line) == json.dumps(row, sort_keys=True)
        kept.append((line if same else json.dumps(row)) + "\n")
    if path.is_file() or rows:
        _write(path, kept)


def _sorted(line: str) -> str | None:
    """The line with its keys in order; None for what is no JSON."""
    try:
        return json.dumps(parse_object(line, "", nonfinite=True), sort_keys=True)
    except UserError:
        return None


def _write(path: Path, lines: Sequence[str]) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text("".join(lines), encoding="utf-8")
    replace(temporary, path)


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(0, 2)
        if not file.tell():
            return True
        file.seek(-1, 2)
        return file.read(1) == b"\n"
