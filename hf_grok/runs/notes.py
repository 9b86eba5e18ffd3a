"""What a run's folder says of the run: its record, its table, its state, its model's config.

Nothing is read but JSON: no weights, no pickles, no network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError
from hf_grok.metrics import Metric
from hf_grok.runs.folder import (
    ABOUT_FILE,
    CONFIG_FILE,
    METRICS_FILE,
    RUN_FILE,
    checkpoints,
)
from hf_grok.runs.json_lines import read_rows
from hf_grok.runs.probe_files import read_declared
from hf_grok.runs.trainer_log import newest_log
from hf_grok.text.json_reading import read_object


@dataclass(frozen=True)
class RunNotes:
    """What a run's folder says, unread as yet.

    Attributes:
        name: of the folder.
        about: as in run.json; empty where there is none.
        history: every logged row, each with its step; of a plain Trainer's rows the numbers.
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
    log, table = newest_log(run), run / METRICS_FILE
    rows = read_rows(table)[0] if table.is_file() else log.rows if log else []
    return RunNotes(
        name=name_of(run),
        about=read_about(run),
        history=[row.values for row in rows],
        state=log.state if log else {},
        config=newest_config(run),
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


def newest_config(run: Path) -> dict[str, Any]:
    """The config.json of a run, else of its last checkpoint that has one; empty if none has.

    Of a checkpoint that is being written the file may be cut: it is passed over.
    """
    if (run / CONFIG_FILE).is_file():
        return _read(run / CONFIG_FILE)
    for folder in reversed(checkpoints(run)):
        with suppress(UserError):
            if (folder / CONFIG_FILE).is_file():
                return _read(folder / CONFIG_FILE)
    return {}


def _read(path: Path) -> dict[str, Any]:
    """The JSON object of a file; an empty one where there is no file."""
    return read_object(path, nonfinite=True) if path.is_file() else {}
