"""Evaluation tables and run directories made by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas

INFO: dict[str, Any] = {
    "hf_grok_version": "0.1.0",
    "recipe": "question-formation",
    "scale": "quick",
    "seed": 0,
    "arguments": {"learning_rate": 3e-4, "output_dir": "runs/somewhere"},
    "versions": {"python": "3.11.2", "torch": "2.13.0"},
    "machine": {"processor": "a processor", "cores": 2},
    "model": {"name": "vanilla_transformer", "parameters": 1_200_000, "layers": 6},
    "status": "finished",
    "started": "2026-01-01T00:00:00+00:00",
    "finished": "2026-01-01T00:04:00+00:00",
    "seconds": 240.0,
}


def table(steps: Sequence[int], **columns: Sequence[float]) -> pandas.DataFrame:
    """Evaluations indexed by step; short names stand for the accuracies' columns."""
    names = {
        "seen": "eval_in_distribution_accuracy",
        "unseen": "eval_generalization_accuracy",
        "intransitive": "eval_generalization_accuracy_rc_subject_intransitive",
        "transitive": "eval_generalization_accuracy_rc_subject_transitive",
        "objects": "eval_generalization_accuracy_rc_object",
        "loss": "eval_loss",
    }
    data = {names.get(name, name): list(values) for name, values in columns.items()}
    return pandas.DataFrame(data, index=pandas.Index(steps, name="step"), dtype="float64")


def write_run(folder: Path, rows: Sequence[Mapping[str, Any]], **changes: Any) -> Path:
    """A run directory with these rows of metrics and `INFO` with changes."""
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({**INFO, **changes}))
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder
