"""Which files of a checkpoint are published, and whether the checkpoint is whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from hf_grok.series.errors import RefusedStepError
from hf_grok.series.manifest import CARD_FILE, INDEX_FILE, SERIES_FILE, files_from_json, flaws
from hf_grok.series.safety import OPTIMISER_FILES, refuse_pickles, safe_path

CONFIG_FILE = "config.json"
MANIFEST_FILE = "manifest.json"
TRAINER_STATE_FILE = "trainer_state.json"
_WEIGHT_INDEX = ".safetensors.index.json"
# Configurations, vocabularies, merges, sentence pieces, chat templates. No code: the one file that
# a revision may carry is made anew, by `model_code`, and never taken from a checkpoint.
_TEXTS = (".json", ".txt", ".model", ".jinja", ".tiktoken", ".vocab")
# Ours, or Trainer's: they name folders of this machine, or are written anew for the series.
_LEFT_OUT = {MANIFEST_FILE, TRAINER_STATE_FILE, SERIES_FILE, INDEX_FILE, CARD_FILE}


def published_files(folder: Path, optimizer: bool = False) -> list[Path]:
    """The files of a checkpoint that belong into a revision, by name.

    Args:
        folder: a checkpoint.
        optimizer: also optimizer.pt and scheduler.pt, as they are.

    Raises:
        RefusedStepError: weights in a format that can run code, no weights, no configuration, a
            shard that is missing, a weights file that was cut.
    """
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    refuse_pickles(names, folder.name)
    chosen = [name for name in names if _belongs(name, optimizer)]
    weights = [name for name in chosen if name.endswith(".safetensors")]
    for missing in [] if weights else ["weights (*.safetensors)"]:
        raise RefusedStepError(f"{folder.name} holds no {missing}: found {', '.join(names)}")
    if CONFIG_FILE not in names and "adapter_config.json" not in names:
        raise RefusedStepError(
            f"{folder.name} holds no {CONFIG_FILE}, so nobody could load it: the model must be a "
            "PreTrainedModel, whose save_pretrained writes one"
        )
    for name in weights:
        _check_whole(folder / name)
    for name in chosen:
        if name.endswith(_WEIGHT_INDEX):
            _check_shards(folder, name)
    return [folder / name for name in chosen]


def unfinished(folder: Path) -> str | None:
    """Why a checkpoint is not whole, or None: its manifest fits, else Trainer ended writing it."""
    manifest = folder / MANIFEST_FILE
    if manifest.is_file():
        found = _json_of(manifest)
        if found is None or "files" not in found:
            return f"{MANIFEST_FILE} cannot be read"
        return next(iter(flaws(folder, files_from_json(found["files"]))), None)
    if _json_of(folder / TRAINER_STATE_FILE) is None:
        return f"it has no whole {TRAINER_STATE_FILE}, which Trainer writes last"
    return None


def trainer_state(folder: Path) -> dict[str, Any]:
    """What Trainer wrote of its state into a checkpoint; empty where it did not."""
    return _json_of(folder / TRAINER_STATE_FILE) or {}


def _belongs(name: str, optimizer: bool) -> bool:
    if name in OPTIMISER_FILES:
        return optimizer
    return name.endswith((".safetensors", *_TEXTS)) and name not in _LEFT_OUT


def _check_whole(path: Path) -> None:
    try:
        with safe_open(path, framework="np") as tensors:
            tensors.keys()
    except SafetensorError as error:
        raise RefusedStepError(f"{path.parent.name}/{path.name} is not whole: {error}") from error


def _check_shards(folder: Path, name: str) -> None:
    index = _json_of(folder / name) or {}
    for shard in sorted(set(index.get("weight_map", {}).values())):
        if not safe_path(folder, shard).is_file():
            raise RefusedStepError(f"{folder.name}/{name} names {shard}, which is not there")


def _json_of(path: Path) -> dict[str, Any] | None:
    """A file's JSON object; None where there is none or it was cut."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None
