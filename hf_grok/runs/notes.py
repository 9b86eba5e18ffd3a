"""What a run's folder says of the run: its record, its table, its state, its model's config.

Nothing is read but JSON: no weights, no pickles, no network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError
from hf_grok.json_reading import read_object
from hf_grok.metrics import Metric
from hf_grok.runs.folder import (
    ABOUT_FILE,
    CONFIG_FILE,
    METRICS_FILE,
    RUN_FILE,
    STATE_FILE,
    checkpoints,
)
from hf_grok.runs.json_lines import read_rows
from hf_grok.runs.probe_files import read_declared


@dataclass(frozen=True)
class RunNotes:
    """What a run's folder says, unread as yet.

    Attributes:
        name: of the folder.
        about: as in run.json; empty where there is none.
        history: every logged row, each with its step.
        state: trainer_state.json of the folder or of its last checkpoint, without the history.
        config: the model's config.json.
        metrics: number of a probe of another package -> what the probe declares of it.
    """

    name: str
    about: Mapping[str, Any]
    history: Sequence[Mapping[str, Any]]
    state: Mapping[str, Any]
    config: Mapping[str, Any]
    metrics: Mapping[str, Metric] = field(default_factory=dict)


def read_notes(run: Path | None) -> RunNotes:
    """Read what a run's folder says of the run; no weights, no pickles, no network.

    Args:
        run: a run's output directory; None where there is none at hand: nothing is known then.

    Raises:
        UserError: a file of the run that is not JSON.
    """
    if run is None:
        return RunNotes("series", {}, [], {}, {})
    states = newest_first(run, STATE_FILE)
    state = next(states, {})
    table = run / METRICS_FILE
    history = _rows(table) if table.is_file() else _logged(state)
    return RunNotes(
        name=name_of(run),
        about=read_about(run),
        history=history,
        state={key: value for key, value in state.items() if key != "log_history"},
        config=next(newest_first(run, CONFIG_FILE), {}),
        metrics=read_declared(run),
    )


def name_of(run: Path) -> str:
    """What a run is called: its folder's name."""
    return run.resolve().name


def read_about(run: Path) -> dict[str, Any]:
    """What run.json says, and what about.json says beside it; empty where there is neither.

    Raises:
        UserError: one of them is not JSON.
    """
    about = [run / ABOUT_FILE, run / RUN_FILE]  # what both say, run.json says
    return {key: value for path in about for key, value in _read(path).items()}


def newest_first(run: Path, name: str) -> Iterator[dict[str, Any]]:
    """The JSON files of this name of a run and its checkpoints: its own, then the last one's.

    Of a checkpoint that is being written the file may be cut: it is passed over.
    """
    if (run / name).is_file():
        yield _read(run / name)
    for folder in reversed(checkpoints(run)):
        with suppress(UserError):
            if (folder / name).is_file():
                yield _read(folder / name)


def _read(path: Path) -> dict[str, Any]:
    """The JSON object of a file; an empty one where there is no file."""
    return read_object(path, nonfinite=True) if path.is_file() else {}


def _logged(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The rows of Trainer's log; what is no row is none."""
    rows = state.get("log_history")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _rows(table: Path) -> list[Mapping[str, Any]]:
    """Every whole row; a last line that is being written is none yet."""
    rows, _ = read_rows(table)
    return [row.values for row in rows]
