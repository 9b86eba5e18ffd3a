"""Where the numbers of a run lie: in a folder of `hf-grok train`, or in the log of any Trainer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError
from hf_grok.runs.folder import ABOUT_FILE, METRICS_FILE, RUN_FILE, STATE_FILE
from hf_grok.runs.json_lines import Row
from hf_grok.runs.metrics_file import read_lines
from hf_grok.runs.notes import newest_config, read_about
from hf_grok.runs.record import recorded
from hf_grok.runs.trainer_log import ENDINGS, TrainerLog, newest_log, read_log
from hf_grok.text.printable import listed, quoted

REQUIRED = ("recipe", "seed", "status")
OBJECTS = ("arguments", "versions", "machine", "model")
STATUSES = ("running", "finished", "failed")


@dataclass(frozen=True)
class Source:
    """What a run is, its rows, and notes on them."""

    info: Mapping[str, Any]
    rows: Sequence[Row]
    notes: Sequence[str]
    of_recipe: bool = True


def source_of(place: Path) -> Source:
    """What is read of a run.

    Args:
        place: a run's folder, or the file of a Trainer's log.

    Raises:
        UserError: it is neither; a file in it says what it should not.
    """
    if place.is_file() and place.suffix in ENDINGS:
        return _of_trainer(read_log(place), {}, {})
    ours = [name for name in (RUN_FILE, METRICS_FILE) if (place / name).is_file()]
    if len(ours) == 2:
        rows, cut = read_lines(place / METRICS_FILE)
        return Source(_checked_info(place), rows, cut)
    log = None if ours or not place.is_dir() else newest_log(place)
    if log is None:
        raise _no_run(place)
    about = read_about(place)
    _check_objects(about, place / ABOUT_FILE)
    return _of_trainer(log, about, newest_config(place))


def _of_trainer(log: TrainerLog, about: Mapping[str, Any], config: Mapping[str, Any]) -> Source:
    """What is known of another Trainer's run: its log, its model's config, what a callback left."""
    depth = (config.get(name) for name in ("num_hidden_layers", "n_layer", "num_layers"))
    model = {
        "name": config.get("model_type"),
        "layers": next((layers for layers in depth if isinstance(layers, int)), None),
        **about.get("model", {}),
    }
    status = "finished" if log.has_ended else "unfinished" if log.planned else "unknown"
    info = {
        **about,
        "model": {name: value for name, value in model.items() if value is not None},
        "status": status,
        "logged": log.step,
        "planned": log.planned,
    }
    return Source(info, log.rows, [f"read from {log.path}, as Trainer leaves it"], of_recipe=False)


def _no_run(directory: Path) -> UserError:
    expected = (
        f"expected a directory with {RUN_FILE} and {METRICS_FILE}, as `hf-grok train` writes, or "
        f"with {STATE_FILE} there or in a checkpoint, as any Trainer does"
    )
    if not directory.is_dir():
        seen = "is a file" if directory.exists() else "does not exist"
        return UserError(f"{directory} {seen}: {expected}, or a log in {', '.join(ENDINGS)}")
    names = sorted(entry.name for entry in directory.iterdir())
    found = listed(names) or "nothing"
    return UserError(f"{directory} is not a run directory: {expected}; found {found}")


def _checked_info(run: Path) -> Mapping[str, Any]:
    path, info = run / RUN_FILE, recorded(run) or {}
    missing = [key for key in REQUIRED if key not in info]
    if missing:
        raise UserError(f"{path} lacks {', '.join(missing)}: every run says {', '.join(REQUIRED)}")
    if info["status"] not in STATUSES:
        raise UserError(
            f"{path}: status is {quoted(info['status'])}, expected one of {', '.join(STATUSES)}"
        )
    _check_objects(info, path)
    if isinstance(info["seed"], bool) or not isinstance(info["seed"], int):
        raise UserError(f"{path}: expected seed to be an integer, got {quoted(info['seed'])}")
    return info


def _check_objects(info: Mapping[str, Any], path: Path) -> None:
    for key in OBJECTS:
        if not isinstance(info.get(key, {}), dict):
            raise UserError(f"{path}: expected {key} to be an object, got {quoted(info[key])}")
