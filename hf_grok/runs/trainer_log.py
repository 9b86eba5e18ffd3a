"""The log of any transformers.Trainer: its trainer_state.json, or `log_history` saved by itself."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError
from hf_grok.runs.folder import STATE_FILE, checkpoints
from hf_grok.runs.json_lines import Row, read_rows
from hf_grok.runs.manifest import is_incomplete
from hf_grok.text.json_reading import read_json
from hf_grok.text.printable import quoted

HISTORY = "log_history"
ENDINGS = (".json", ".jsonl", ".csv")
_EXPECTED = (
    f"expected a Trainer's log: {STATE_FILE}, or its {HISTORY} as a JSON list of rows, JSON lines, "
    "or CSV with a column step"
)


@dataclass(frozen=True)
class TrainerLog:
    """What one file says.

    Attributes:
        path: the file.
        rows: the logged rows; of their values those that are numbers.
        state: Trainer's state beside them, without the history; empty where there is none.
    """

    path: Path
    rows: list[Row]
    state: Mapping[str, Any]

    @property
    def step(self) -> int:
        """The last step that it knows of."""
        last = max((row.step for row in self.rows), default=0)
        return max(last, int(self.state.get("global_step") or 0))

    @property
    def planned(self) -> int | None:
        """The last step that was planned; None where it does not say."""
        steps = self.state.get("max_steps")
        return steps if isinstance(steps, int) and steps > 0 else None

    @property
    def has_ended(self) -> bool:
        """Whether training came to its end: Trainer logs its totals then."""
        planned = self.planned is not None and self.step >= self.planned
        return planned or any("train_runtime" in row.values for row in self.rows)


def read_log(file: Path) -> TrainerLog:
    """Read a trainer_state.json, or a `log_history` in JSON, JSON lines or CSV (by its ending).

    Raises:
        UserError: it cannot be read, holds no rows, or a row has no step; with its place.
    """
    if file.suffix == ".csv":
        return TrainerLog(file, _numbers(_csv_rows(file)), {})
    if file.suffix == ".jsonl":
        return TrainerLog(file, _numbers(read_rows(file)[0]), {})
    content = read_json(file, nonfinite=True)
    state = content if isinstance(content, dict) else {}
    rows = state.get(HISTORY) if isinstance(content, dict) else content
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UserError(f"{file}: {_EXPECTED}; got {quoted(content)}")
    found = _numbers(_placed(file, rows))
    return TrainerLog(file, found, {key: state[key] for key in state if key != HISTORY})


def newest_log(run: Path) -> TrainerLog | None:
    """The state that knows most of a run: beside its checkpoints, or in the last whole one.

    None where there is none. What is being written, or was cut, is passed over.
    """
    whole = [folder for folder in checkpoints(run) if not is_incomplete(folder)]
    newest = next(filter(None, map(_log_in, reversed(whole))), None)
    if not (run / STATE_FILE).is_file():
        return newest
    own = read_log(run / STATE_FILE)
    return own if newest is None or own.step >= newest.step else newest


def _log_in(checkpoint: Path) -> TrainerLog | None:
    if not (checkpoint / STATE_FILE).is_file():
        return None
    try:
        return read_log(checkpoint / STATE_FILE)
    except UserError:
        return None  # it is being written, or was cut


def _placed(file: Path, rows: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    return (Row(f"{file}:row {number}", "", row) for number, row in enumerate(rows, start=1))


def _numbers(rows: Iterable[Row]) -> list[Row]:
    """The same rows without what is no number, as a Trainer may log."""
    return [
        Row(row.place, row.text, {k: v for k, v in row.values.items() if _is_number(v)})
        for row in rows
    ]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _csv_rows(file: Path) -> Iterator[Row]:
    """The rows of a table; an empty cell is a value that was not logged there."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            table = csv.DictReader(text, strict=True)
            if "step" not in (table.fieldnames or ()):
                seen = quoted(",".join(table.fieldnames or ()), 120)
                raise UserError(f"{file}:1: the header is {seen}: {_EXPECTED}")
            for cells in table:
                yield Row(f"{file}:{table.line_num}", "", dict(_cells(cells)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{file} cannot be read as CSV in UTF-8: {error}") from error


def _cells(cells: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    for name, cell in cells.items():
        if not name or not isinstance(cell, str) or not cell.strip():
            continue  # pandas' own index, or nothing
        try:
            number = float(cell)
        except ValueError:
            yield name, cell
        else:
            yield name, int(number) if name == "step" and number.is_integer() else number
