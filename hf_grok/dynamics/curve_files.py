"""Curves from CSV files, and from the evaluations of runs."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hf_grok.dynamics.acceleration import Positions
from hf_grok.dynamics.curves import Values
from hf_grok.dynamics.existence import shown
from hf_grok.dynamics.metrics_file import TIMING_SUFFIXES
from hf_grok.dynamics.progress_axes import progress_axis
from hf_grok.dynamics.runs import Run
from hf_grok.errors import UserError

LONG_COLUMNS = ("metric", "model", "step", "value")
PLAIN_METRIC = "value"
_EXPECTED = (
    "expected a header `step,value`; or `metric,model,step,value` (metric or model may be left "
    "out); or `step` and one column for each metric"
)


@dataclass(frozen=True, eq=False)
class MetricCurve:
    """One metric of one model.

    Args:
        metric: its name.
        model: whose: a seed, a run, a file.
        steps: strictly increasing [evaluations].
        values: finite [evaluations].
    """

    metric: str
    model: str
    steps: Positions
    values: Values


@dataclass
class _Points:
    """The points of one curve as they are read: step -> value, and the line it stood on."""

    values: dict[float, float] = field(default_factory=dict)
    lines: dict[float, int] = field(default_factory=dict)


def read_curves(path: str | os.PathLike[str], model: str | None = None) -> list[MetricCurve]:
    """The curves of a CSV file, in the order in which they appear; rows may be in any order.

    Three layouts: `step,value`; long, with `metric` or `model` or both beside them; wide, with
    `step` and one column for each metric (an empty cell was not measured).

    Args:
        path: the file, UTF-8, with a header.
        model: name for curves without one; by default the file's, without its ending.

    Raises:
        UserError: for a file that cannot be read, another header, a number that is none or not
            finite, a step twice in one curve; with file:line.
    """
    file = Path(path)
    named = model or file.stem
    curves: dict[tuple[str, str], _Points] = {}
    for line, metric, owner, step, value in _points(file, named):
        points = curves.setdefault((metric, owner), _Points())
        if step in points.values:
            raise UserError(
                f"{file}:{line}: step {shown(step)} of {metric} ({owner}) is there already, at "
                f"line {points.lines[step]}: expected every step once; name several seeds in a "
                "column `model`"
            )
        points.values[step], points.lines[step] = value, line
    if not curves:
        raise UserError(f"{file}: no row below the header")
    return [_sorted(metric, owner, points.values) for (metric, owner), points in curves.items()]


def run_curves(run: Run, model: str, axis: str = "steps") -> list[MetricCurve]:
    """Every column of a run's evaluations that has values, along a progress axis.

    Of evaluations at the same position the last is kept (a step of learning rate 0 moves
    nothing).

    Args:
        run: of which.
        model: its name in the curves.
        axis: as `progress_axis`.

    Raises:
        UserError: if the run lacks the axis, or the axis goes back.
    """
    positions = progress_axis(run, axis)
    names = [str(name) for name in run.evaluations.columns]
    curves = []
    for name in (name for name in names if not name.endswith(TIMING_SUFFIXES)):
        values = run.evaluations[name].to_numpy(dtype=np.float64)
        there = np.isfinite(values) & np.isfinite(positions)
        if there.any():
            at = positions[there]
            _require_progress(run, axis, at)
            last = np.append(np.diff(at) > 0, True)
            curves.append(MetricCurve(name, model, at[last], values[there][last]))
    return curves


def _require_progress(run: Run, axis: str, at: Positions) -> None:
    back = np.flatnonzero(np.diff(at) < 0)
    if back.size:
        seen = f"{shown(float(at[back[0]]))} to {shown(float(at[back[0] + 1]))}"
        raise UserError(
            f"{run.path}: {axis} goes back from {seen}: an onset needs an axis that increases"
        )


def _sorted(metric: str, model: str, values: Mapping[float, float]) -> MetricCurve:
    steps = np.array(sorted(values), dtype=np.float64)
    return MetricCurve(metric, model, steps, np.array([values[step] for step in steps]))


def _points(file: Path, model: str) -> Iterator[tuple[int, str, str, float, float]]:
    """(line, metric, model, step, value) of every measured cell."""
    rows = _rows(file)
    header = [name.strip() for name in next(rows, (1, []))[1]]
    metrics = _metric_columns(file, header)
    for line, cells in rows:
        if len(cells) != len(header):
            raise UserError(
                f"{file}:{line}: {len(cells)} cells, expected {len(header)}: {','.join(header)}"
            )
        row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
        step = _number(row["step"], f"{file}:{line}: step")
        owner = row.get("model", model)
        for column in metrics:
            if row[column] or column == "value":
                metric = row.get("metric", column)
                yield line, metric, owner, step, _number(row[column], f"{file}:{line}: {column}")


def _metric_columns(file: Path, header: Sequence[str]) -> list[str]:
    """The columns that hold values: `value`, or in a wide table all but `step` and `model`."""
    seen = f"{file}:1: the header is {','.join(header)!r}"
    if "step" not in header or len(set(header)) != len(header):
        raise UserError(f"{seen}: {_EXPECTED}")
    if "value" in header:
        if not set(header) <= set(LONG_COLUMNS):
            raise UserError(f"{seen}: {_EXPECTED}")
        return ["value"]
    metrics = [name for name in header if name not in ("step", "model")]
    if not metrics or "metric" in metrics or "" in metrics:
        raise UserError(f"{seen}: {_EXPECTED}")
    return metrics


def _rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of every row that is not empty; line is where the row ends."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            yield from _parsed(file, text)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file} cannot be read as CSV in UTF-8: {error}") from error


def _parsed(file: Path, text: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(text, strict=True)
    try:
        for cells in reader:
            if cells:
                yield reader.line_num, cells
    except csv.Error as error:
        raise UserError(f"{file}:{reader.line_num}: {error}") from error


def _number(text: str, place: str) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise UserError(f"{place} is {text!r}: expected a number") from error
    if not math.isfinite(number):
        raise UserError(f"{place} is {text!r}: expected a finite number; leave such a row out")
    return number
