"""A run directory as tables: who ran, what was evaluated, what was logged while training."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_grok._optional import import_optional
from hf_grok.errors import UserError
from hf_grok.json_reading import read_object
from hf_grok.metrics import Metric
from hf_grok.printable import listed, quoted
from hf_grok.runs.folder import METRICS_FILE, PROBES_FILE, RESULTS_FILE, RUN_FILE
from hf_grok.runs.metrics_file import Table, read_lines, split_tables
from hf_grok.runs.probe_files import (
    Pictures,
    ProbeFailure,
    add_later_numbers,
    combine,
    read_declared,
    read_probe_lines,
    read_probe_results,
)

if TYPE_CHECKING:
    import pandas

REQUIRED = ("recipe", "seed", "status")
OBJECTS = ("arguments", "versions", "machine", "model")
STATUSES = ("running", "finished", "failed")


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """One training run, as its directory records it.

    Args:
        path: the run directory.
        info: what `run.json` says: recipe, scale, seed, arguments, versions, model, status, ...
        evaluations: one row an evaluation, indexed by step (increasing, unique), one column a
            metric (`eval_*`); NaN where an evaluation did not measure it. Numbers of probes that
            were run afterwards (`hf-grok probe`) are there too, if the run lacks them itself.
        training: one row a logging step, likewise: loss, learning_rate, grad_norm.
        notes: what a reader should know about the files (a cut last line, a repeated step).
        pictures: what probes left to be drawn, by probe and step.
        failures: probes that failed, by name and then step.
        later: every number of probes that were run afterwards, laid out as `evaluations`.
        later_data: probe that was run afterwards -> what it looked at, in words.
        metrics: number of a probe of another package -> what the probe declares of it.
    """

    path: Path
    info: Mapping[str, Any]
    evaluations: pandas.DataFrame
    training: pandas.DataFrame
    notes: tuple[str, ...] = ()
    pictures: Pictures = field(default_factory=dict)
    failures: tuple[ProbeFailure, ...] = ()
    later: pandas.DataFrame | None = None
    later_data: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Metric] = field(default_factory=dict)

    def __repr__(self) -> str:
        rows, columns = self.evaluations.shape
        last = f" to step {int(self.evaluations.index[-1]):,}" if rows else ""
        seen = f"{rows:,} evaluations{last} of {columns} metrics"
        beside = [
            f"{count} {what}"
            for count, what in ((len(self.notes), "notes"), (len(self.failures), "failed probes"))
            if count
        ]
        recipe, status = quoted(self.recipe, 60), quoted(self.status, 20)
        about = f"recipe {recipe}, seed {quoted(self.seed, 40)}, {status}"
        return f"Run({quoted(str(self.path), 120)}: {about}: {', '.join([seen, *beside])})"

    @property
    def name(self) -> str:
        """The directory's own name."""
        return self.path.resolve().name

    @property
    def recipe(self) -> str:
        """The recipe that was run."""
        return str(self.info["recipe"])

    @property
    def seed(self) -> int:
        """The seed of weights and data order."""
        return int(self.info["seed"])

    @property
    def status(self) -> str:
        """One of running, finished, failed."""
        return str(self.info["status"])

    @property
    def layers(self) -> int | None:
        """Depth of the model; None if the run does not say."""
        layers = self.info.get("model", {}).get("layers")
        return None if layers is None else int(layers)


def load_run(path: str | os.PathLike[str]) -> Run:
    """Read a run directory: `run.json` and `metrics.jsonl`, as `hf-grok train` writes them.

    And what probes left there, in training (`probes.jsonl`) or after it (`probe_results.json`).

    Raises:
        UserError: if the path is no run directory, or a file says what it should not (with
            file:line). Only a last line that was cut while it was written is left out, with a
            note in `Run.notes`.
    """
    directory = Path(path)
    _require_run_directory(directory)
    lines, cut = read_lines(directory / METRICS_FILE)
    evaluations, training = split_tables(lines)
    own = read_probe_lines(directory / PROBES_FILE)
    later = read_probe_results(directory / RESULTS_FILE)
    kept = add_later_numbers(evaluations, later)
    pictures, failures = combine(own, later)
    return Run(
        path=directory,
        info=_read_info(directory / RUN_FILE),
        evaluations=_frame(evaluations),
        training=_frame(training),
        notes=(*cut, *evaluations.notes, *training.notes, *own.notes, *later.notes, *kept),
        pictures=pictures,
        failures=failures,
        later=_frame(later.numbers),
        later_data=later.data,
        metrics={**later.metrics, **read_declared(directory)},
    )


def _require_run_directory(directory: Path) -> None:
    expected = f"expected a directory with {RUN_FILE} and {METRICS_FILE}, as `hf-grok train` writes"
    if not directory.is_dir():
        seen = "is a file" if directory.exists() else "does not exist"
        raise UserError(f"{directory} {seen}: {expected}")
    if all((directory / name).is_file() for name in (RUN_FILE, METRICS_FILE)):
        return
    names = sorted(entry.name for entry in directory.iterdir())
    found = listed(names) or "nothing"
    raise UserError(f"{directory} is not a run directory: {expected}; found {found}")


def _read_info(path: Path) -> Mapping[str, Any]:
    info = read_object(path, nonfinite=True)
    missing = [key for key in REQUIRED if key not in info]
    if missing:
        raise UserError(f"{path} lacks {', '.join(missing)}: every run says {', '.join(REQUIRED)}")
    if info["status"] not in STATUSES:
        raise UserError(
            f"{path}: status is {quoted(info['status'])}, expected one of {', '.join(STATUSES)}"
        )
    for key in OBJECTS:
        if not isinstance(info.get(key, {}), dict):
            raise UserError(f"{path}: expected {key} to be an object, got {quoted(info[key])}")
    if isinstance(info["seed"], bool) or not isinstance(info["seed"], int):
        raise UserError(f"{path}: expected seed to be an integer, got {quoted(info['seed'])}")
    return info


def _frame(table: Table) -> pandas.DataFrame:
    package = import_optional("pandas", extra="report", purpose="tables of a run")
    frame: pandas.DataFrame = package.DataFrame.from_dict(
        table.rows, orient="index", dtype="float64"
    )
    frame = frame.sort_index()
    frame.index.name = "step"
    return frame
