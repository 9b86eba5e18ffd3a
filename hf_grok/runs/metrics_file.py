"""`metrics.jsonl`: one JSON object a line, each with the step it was measured at."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError
from hf_grok.metrics import TRAINING
from hf_grok.runs.json_lines import Row, read_rows
from hf_grok.text.printable import quoted

# They time the evaluation, so they differ when it is done again after a resume.
TIMING_SUFFIXES = ("_runtime", "_per_second")


@dataclass
class Table:
    """Rows by step. Values that a later line measured again replace the earlier ones.

    A resumed run repeats the steps after its checkpoint with the same values; other values for
    a step that is already there are kept track of in `notes`, and so are values that are no
    finite number, which become NaN.

    Args:
        first_counts: a value that is there stays instead. Trainer's own history repeats no step on
            resume: what it has twice was evaluated by hand afterwards, often on the best model.
    """

    first_counts: bool = False
    rows: dict[int, dict[str, float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, place: str, step: int, values: Mapping[str, float]) -> None:
        """Merge one line's values into the row of its step."""
        row = self.rows.setdefault(step, {})
        for key, value in values.items():
            if not math.isfinite(value):
                self.notes.append(f"{place}: {key} is {value} at step {step} and is left out")
            elif row.get(key, value) != value and not key.endswith(TIMING_SUFFIXES):
                used = "first" if self.first_counts else "later"
                self.notes.append(
                    f"{place}: step {step} is there twice, with {key} {row[key]:g} and then "
                    f"{value:g}; the {used} one is used"
                )
            if self.first_counts and key in row:
                continue
            row[key] = value if math.isfinite(value) else math.nan


def read_lines(path: Path) -> tuple[list[Row], list[str]]:
    """The rows of a metrics file, and notes on what was left out.

    A last line without its line feed that does not parse was cut while it was written: it is
    left out with a note.

    Raises:
        UserError: for any other line that is no JSON object, with file:line.
    """
    rows, cut = read_rows(path)
    notes = [f"{cut}: the last line was cut while it was written and is left out"]
    return rows, notes if cut else []


def split_tables(lines: Iterable[Row], *, first_counts: bool = False) -> tuple[Table, Table]:
    """The evaluation rows (keys `eval_*`) and the training rows (`TRAINING`), by step.

    Rows with neither, such as the closing summary of a Trainer, belong to no table.

    Raises:
        UserError: for a row without a valid step or with a value that is no number.
    """
    evaluations, training = Table(first_counts), Table(first_counts)
    for line in lines:
        step = line.step
        measured = {key: line.values[key] for key in line.values if key.startswith("eval_")}
        trained = {key: line.values[key] for key in TRAINING if key in line.values}
        if measured:
            evaluations.add(line.place, step, _numbers(line.place, measured))
        if trained:
            training.add(line.place, step, _numbers(line.place, trained))
    return evaluations, training


def _numbers(place: str, values: Mapping[str, Any]) -> dict[str, float]:
    for key, value in values.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise UserError(f"{place}: expected {key} to be a number, got {quoted(value)}")
    return {key: float(value) for key, value in values.items()}
