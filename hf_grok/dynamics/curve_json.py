"""Points of curves in JSON: a Trainer's log, rows of a metrics file, TensorBoard's export."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hf_grok.dynamics.curve_layouts import (
    LARGEST,
    PLAIN_METRIC,
    Point,
    is_beside,
    layout_of,
    plain_name,
    step_column,
)
from hf_grok.errors import UserError
from hf_grok.runs.json_lines import read_rows
from hf_grok.text.json_reading import read_json
from hf_grok.text.printable import quoted

HISTORY = "log_history"
_EXPECTED = (
    "expected a trainer_state.json with its log_history, a list of rows such as "
    '{"step": 10, "eval_loss": 2.5}, or of TensorBoard\'s [wall time, step, value]'
)


def json_points(file: Path, model: str) -> Iterator[Point]:
    """(place, metric, model, step, value) of a JSON file; values that are no finite number are not.

    Raises:
        UserError: it cannot be read, or holds neither rows nor points.
    """
    content = read_json(file, nonfinite=True)
    rows = content.get(HISTORY) if isinstance(content, dict) else content
    if not isinstance(rows, list) or not rows:
        raise UserError(f"{file}: {_EXPECTED}, got {quoted(content)}")
    places = ((f"{file}:row {number}", row) for number, row in enumerate(rows, start=1))
    if all(isinstance(row, list) for row in rows):
        return _tensorboard(places, file, model)
    return _logged(places, model)


def json_line_points(file: Path, model: str) -> Iterator[Point]:
    """The same of a file of one row a line; a last line that was cut is none.

    Raises:
        UserError: as `json_points`.
    """
    rows, _ = read_rows(file)
    return _logged(((row.place, row.values) for row in rows), model)


def _logged(rows: Iterable[tuple[str, Any]], model: str) -> Iterator[Point]:
    for place, row in rows:
        column = step_column(list(row)) if isinstance(row, Mapping) else None
        if column is None or not _is_number(row[column]):
            raise UserError(f"{place}: expected an object with a step, got {quoted(row)}")
        for name, value in row.items():
            if not is_beside(name) and _is_number(value):
                yield place, plain_name(name), model, float(row[column]), float(value)


def _tensorboard(rows: Iterable[tuple[str, Any]], file: Path, model: str) -> Iterator[Point]:
    layout = layout_of(("Wall time", "Step", "Value"), file.stem)
    named, owner = layout.curves["Value"] if layout else (None, None)
    for place, row in rows:
        if len(row) != 3 or not all(map(_is_number, row)):
            raise UserError(f"{place}: expected [wall time, step, value], got {quoted(row)}")
        yield place, named or PLAIN_METRIC, owner or model, float(row[1]), float(row[2])


def _is_number(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and abs(value) <= LARGEST
