"""`metrics.jsonl`: one JSON object a line, each with the step it was measured at."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError

TRAINING_KEYS = ("loss", "learning_rate", "grad_norm")
# They time the evaluation, so they differ when it is done again after a resume.
TIMING_SUFFIXES = ("_runtime", "_per_second")


@dataclass(frozen=True)
class Line:
    """One parsed line: where it stands (`file:line`) and what it says."""

    place: str
    row: Mapping[str, Any]


@dataclass
class Table:
    """Rows by step. Values that a later line measured again replace the earlier ones.

    A resumed run repeats the steps after its checkpoint with the same values; other values for
    a step that is already there are kept track of in `notes`, and so are values that are no
    finite number, which become NaN.
    """

    rows: dict[int, dict[str, float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, place: str, step: int, values: Mapping[str, float]) -> None:
        """Merge one line's values into the row of its step."""
        row = self.rows.setdefault(step, {})
        for key, value in values.items():
            if not math.isfinite(value):
                self.notes.append(f"{place}: {key} is {value} at step {step} and is left out")
            elif row.get(key, value) != value and not key.endswith(TIMING_SUFFIXES):
                self.notes.append(
                    f"{place}: step {step} is there twice, with {key} {row[key]:g} and then "
                    f"{value:g}; the later one is used"
                )
            row[key] = value if math.isfinite(value) else math.nan


def read_lines(path: Path) -> tuple[list[Line], list[str]]:
    """The parsed lines of a metrics file, and notes on what was left out.

    A last line without its line feed that does not parse was cut while it was written: it is
    left out with a note.

    Raises:
        UserError: for any other line that is no JSON object, with file:line.
    """
    texts = path.read_bytes().split(b"\n")
    tail = texts.pop()
    lines = [_parse(text, f"{path}:{number}") for number, text in _numbered(texts)]
    if not tail.strip():
        return lines, []
    place = f"{path}:{len(texts) + 1}"
    try:
        return [*lines, _parse(tail, place)], []
    except UserError:
        return lines, [f"{place}: the last line was cut while it was written and is left out"]


def split_tables(lines: Iterable[Line]) -> tuple[Table, Table]:
    """The evaluation rows (keys `eval_*`) and the training rows (`TRAINING_KEYS`), by step.

    Rows with neither, such as the closing summary of a Trainer, belong to no table.

    Raises:
        UserError: for a row without a valid step or with a value that is no number.
    """
    evaluations, training = Table(), Table()
    for line in lines:
        step = _step(line)
        measured = {key: line.row[key] for key in line.row if key.startswith("eval_")}
        trained = {key: line.row[key] for key in TRAINING_KEYS if key in line.row}
        if measured:
            evaluations.add(line.place, step, _numbers(line.place, measured))
        if trained:
            training.add(line.place, step, _numbers(line.place, trained))
    return evaluations, training


def _numbered(texts: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    return ((number, text) for number, text in enumerate(texts, start=1) if text.strip())


def _parse(text: bytes, place: str) -> Line:
    try:
        row = json.loads(text.decode("utf-8"))
    except ValueError as error:
        raise UserError(f"{place}: expected one JSON object a line, got {_shown(text)}") from error
    if not isinstance(row, dict):
        raise UserError(f"{place}: expected a JSON object with a step, got {_shown(text)}")
    return Line(place, row)


def _shown(text: bytes) -> str:
    return repr(text[:60].decode("utf-8", errors="replace"))


def _step(line: Line) -> int:
    step = line.row.get("step")
    if isinstance(step, bool) or not isinstance(step, int) or step < 0:
        raise UserError(f'{line.place}: expected "step" to be an integer from 0 on, got {step!r}')
    return step


def _numbers(place: str, values: Mapping[str, Any]) -> dict[str, float]:
    for key, value in values.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise UserError(f"{place}: expected {key} to be a number, got {value!r}")
    return {key: float(value) for key, value in values.items()}
