"""A run as tables: who ran, what was evaluated, what was logged while training.

Of `hf-grok train`, or of any transformers.Trainer.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_grok._optional import import_optional
from hf_grok.metrics import Metric
from hf_grok.runs.folder import PROBES_FILE, RESULTS_FILE
from hf_grok.runs.metrics_file import Table, split_tables
from hf_grok.runs.probe_files import (
    Pictures,
    ProbeFailure,
    add_later_numbers,
    combine,
    read_declared,
    read_probe_lines,
    read_probe_results,
)
from hf_grok.runs.source import source_of
from hf_grok.text.printable import quoted

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """One training run, as its directory records it.

    Args:
        path: the run directory, or the file of a log.
        info: what `run.json` says: recipe, scale, seed, arguments, versions, model, status, ... Of
            another Trainer's run what is known of that; no recipe.
        evaluations: one row an evaluation, indexed by step (increasing, unique), one column a
            metric (`eval_*`); NaN where an evaluation did not measure it. Numbers of probes that
            were run afterwards (`hf-grok probe`) are there too, if the run lacks them itself.
        training: one row a logging step, likewise: loss, learning_rate, grad_norm, and of a run
            with a regulariser lm_loss, sas_penalty (R), sas_lambda, sas_arcs.
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
        """The recipe that was run; of a run without one, its own name."""
        return str(self.info.get("recipe", self.name))

    @property
    def of_recipe(self) -> bool:
        """Whether `hf-grok train` ran it; otherwise a Trainer of somebody's own did."""
        return "recipe" in self.info

    @property
    def seed(self) -> int | None:
        """The seed of weights and data order; None where the run does not say."""
        seed = self.info.get("seed")
        return None if seed is None else int(seed)

    @property
    def status(self) -> str:
        """One of running, finished, failed; of another Trainer's finished, unfinished, unknown."""
        return str(self.info["status"])

    @property
    def layers(self) -> int | None:
        """Depth of the model; None if the run does not say."""
        layers = self.info.get("model", {}).get("layers")
        return None if layers is None else int(layers)


def load_run(path: str | os.PathLike[str]) -> Run:
    """Read a run: a directory that `hf-grok train` wrote, or the log of any transformers.Trainer.

    Of the first `run.json` and `metrics.jsonl`. Of the second its `output_dir`, whose newest state
    (`trainer_state.json`, there or in the last whole checkpoint) has the log; or a file with a
    `log_history` in it: JSON, JSON lines or CSV. A step that such a log has twice was evaluated by
    hand afterwards: its first value counts, with a note.

    And what probes left in the directory, in training (`probes.jsonl`) or after it
    (`probe_results.json`).

    Raises:
        UserError: if the path is none of these, or a file says what it should not (with
            file:line). Only a last line that was cut while it was written is left out, with a
            note in `Run.notes`.
    """
    place = Path(path)
    source = source_of(place)
    evaluations, training = split_tables(source.rows, first_counts=not source.of_recipe)
    own = read_probe_lines(place / PROBES_FILE)
    later = read_probe_results(place / RESULTS_FILE)
    kept = add_later_numbers(evaluations, later)
    pictures, failures = combine(own, later)
    return Run(
        path=place,
        info=source.info,
        evaluations=_frame(evaluations),
        training=_frame(training),
        notes=(
            *source.notes,
            *(note for part in (evaluations, training, own, later) for note in part.notes),
            *kept,
        ),
        pictures=pictures,
        failures=failures,
        later=_frame(later.numbers),
        later_data=later.data,
        metrics={**later.metrics, **read_declared(place)},
    )


def _frame(table: Table) -> pandas.DataFrame:
    package = import_optional("pandas", extra="report", purpose="tables of a run")
    frame: pandas.DataFrame = package.DataFrame.from_dict(
        table.rows, orient="index", dtype="float64"
    )
    frame = frame.sort_index()
    frame.index.name = "step"
    return frame
