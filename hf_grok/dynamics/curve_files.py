"""Curves from CSV files, and from the evaluations of runs."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hf_grok.dynamics.curve_json import json_line_points, json_points
from hf_grok.dynamics.curve_layouts import EXPECTED, LARGEST, PLAIN_METRIC, Point, layout_of
from hf_grok.dynamics.curves import Values
from hf_grok.dynamics.onsets.acceleration import Positions
from hf_grok.dynamics.onsets.axes import progress_axis
from hf_grok.dynamics.onsets.existence import differing, shown
from hf_grok.errors import UserError
from hf_grok.runs.metrics_file import TIMING_SUFFIXES
from hf_grok.runs.read import Run
from hf_grok.runs.sweep_files import is_table
from hf_grok.text.printable import listed, printable, quoted, shortened


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
    """The points of one curve as they are read: step -> value, and where it stood."""

    values: dict[float, float] = field(default_factory=dict)
    places: dict[float, str] = field(default_factory=dict)

    def add(self, place: str, names: tuple[str, str], step: float, value: float) -> None:
        """Take one point in; the same once more changes nothing.

        Raises:
            UserError: the step is there with another value.
        """
        earlier = self.values.setdefault(step, value)
        first = self.places.setdefault(step, place)
        if earlier != value:
            metric, owner = names
            there, here = differing(earlier, value)
            raise UserError(
                f"{place}: step {shown(step)} of {shortened(f'{metric} ({owner})', 80)} is there "
                f"already, at {first.rpartition(':')[2]}, as {there} and not {here}: expected "
                "every step once; name several seeds in a column `model`"
            )


def read_curves(path: str | os.PathLike[str], model: str | None = None) -> list[MetricCurve]:
    """The curves of a file, in the order in which they appear; rows may be in any order.

    CSV of these layouts: `step,value`; long, with `metric` or `model` or both beside them; wide,
    with `step` and one column for each metric (an empty cell was not measured), such as a Trainer's
    log_history; TensorBoard's export (`Wall time,Step,Value`) and W&B's ("Step", "RUN - METRIC"
    and its bounds). JSON: a `trainer_state.json`, a log_history, TensorBoard's export. JSON lines:
    a `metrics.jsonl`.

    Epochs, wall times and run times are other clocks, not curves. A step that stands twice with
    one value is one evaluation.

    Args:
        path: the file, UTF-8; CSV has a header.
        model: name for curves without one; by default the file's, without its ending.

    Raises:
        UserError: for a file that cannot be read, another header, a number that is none or not
            finite, a step twice in one curve with different values; with file:line.
    """
    file = Path(path)
    if is_table(file):
        raise UserError(
            f"{file}: of a sweep's table hf-grok onsets reads the runs of an arm, and "
            "hf_grok.runs.results.load_results all of it; expected CSV, JSON or JSON lines"
        )
    named = model or file.stem
    read = {".json": json_points, ".jsonl": json_line_points}.get(file.suffix, _points)
    curves: dict[tuple[str, str], _Points] = {}
    for place, metric, owner, step, value in read(file, named):
        curves.setdefault((metric, owner), _Points()).add(place, (metric, owner), step, value)
    if not curves:
        raise UserError(f"{file}: no row of a curve in it")
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
            curves.append(MetricCurve(printable(name), model, at[last], values[there][last]))
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
    every = np.array([values[step] for step in steps])
    return MetricCurve(printable(metric), printable(model), steps, every)


def _points(file: Path, model: str) -> Iterator[Point]:
    """(place, metric, model, step, value) of every measured cell."""
    rows = _rows(file)
    header = [name.strip() for name in next(rows, (1, []))[1]]
    layout = layout_of(header, file.stem)
    if layout is None:
        raise UserError(f"{file}:1: the header is {quoted(','.join(header), 120)}: {EXPECTED}")
    for line, cells in rows:
        place = f"{file}:{line}"
        if len(cells) != len(header):
            raise UserError(
                f"{place}: {len(cells)} cells, expected {len(header)}: {listed(header)}"
            )
        row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
        step = finite_number(row[layout.step], f"{place}: {layout.step}")
        for column, (metric, owner) in layout.curves.items():
            if row[column] or not layout.may_be_empty:
                value = finite_number(row[column], f"{place}: {shortened(column, 80)}")
                metric = row[layout.metric] if layout.metric else metric or PLAIN_METRIC
                owner = row[layout.model] if layout.model else owner or model
                yield place, metric, owner, step, value


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


def finite_number(text: str, place: str) -> float:
    """The number that a text is.

    Raises:
        UserError: it is none, or not finite, or beyond 1e100.
    """
    try:
        number = float(text)
    except ValueError:
        raise UserError(f"{place} is {quoted(text)}: expected a number") from None
    if not math.isfinite(number):
        raise UserError(
            f"{place} is {quoted(text)}: expected a finite number; leave such a row out"
        )
    if abs(number) > LARGEST:
        raise UserError(f"{place} is {quoted(text)}: expected a number up to {LARGEST:g}")
    return number
