"""Files of one JSON object a line, each with a step: written as a run goes, rewound on resume."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError


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


def rewind(path: Path, step: int) -> None:
    """Drop the rows after `step` and a last line that was cut: a resumed run writes them again."""
    keep_rows(path, lambda row: row["step"] <= step)


def keep_rows(path: Path, keep: Callable[[Mapping[str, Any]], bool]) -> None:
    """Drop the rows that are not to be kept, and a last line that was cut."""
    if not path.is_file():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            break  # the line that was being written when the run was killed
        if keep(row):
            kept.append(line + "\n")
    temporary = path.with_suffix(".tmp")
    temporary.write_text("".join(kept), encoding="utf-8")
    temporary.replace(path)
