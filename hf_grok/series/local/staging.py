"""Setting a checkpoint aside: out of reach of every later save and of rotation.

Weights are hard links where the file system has them (safetensors writes a new file and renames it
over the old one, and rotation only unlinks, so the linked content can no longer change) and copies
elsewhere; everything else is copied. A folder is filled under another name and renamed when it is
whole. Several processes may set the same step aside: each fills a folder of its own
(`hf_grok.series.local.unfinished`), and the journal decides whose counts.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hf_grok.runs.folder import CONFIG_FILE, sync
from hf_grok.runs.manifest import FileFacts, file_facts, flaws
from hf_grok.series.code.model_code import MODEL_CODE_FILE, model_code, ships_code
from hf_grok.series.errors import RefusedStepError, SeriesError
from hf_grok.series.local.journal import sync_folder
from hf_grok.series.local.manifest import (
    CARD_FILE,
    SERIES_FILE,
    Manifest,
    dump,
)
from hf_grok.series.local.safety import SecretScan, is_weights
from hf_grok.series.local.selection import published_files
from hf_grok.text.json_reading import read_object

STAGED_FOLDER = "staged"
FixConfig = Callable[[dict[str, Any]], Mapping[str, Any]]


def staged_folder(series: Path, step: int) -> Path:
    """Where a step of this series lies ready, whatever its branch is called."""
    return series / STAGED_FOLDER / f"step{step}"


def gather(source: Path, target: Path, optimizer: bool, fix: FixConfig) -> None:
    """Link or copy the files of a checkpoint that are published.

    Args:
        source: the checkpoint.
        target: an empty folder.
        optimizer: also the optimiser's state.
        fix: what the published config.json says, from what the checkpoint's says.

    Raises:
        RefusedStepError: the checkpoint cannot be published.
        OSError: the disk is full; the checkpoint is being rotated away.
    """
    before = _names(source)
    try:
        _gather(source, target, optimizer, fix)
    except RefusedStepError:
        _must_stay(source, before)  # what is missing of a folder that is going says nothing
        raise
    _must_stay(source, before)


def _gather(source: Path, target: Path, optimizer: bool, fix: FixConfig) -> None:
    for path in published_files(source, optimizer):
        if path.name.endswith(".safetensors"):
            link_or_copy(path, target / path.name)
        elif path.name == CONFIG_FILE:
            write_config(target, fix(read_object(path, nonfinite=True, error=RefusedStepError)))
        else:
            shutil.copyfile(path, target / path.name)


def _must_stay(folder: Path, names: set[str]) -> None:
    if gone := sorted(names - _names(folder)):
        raise FileNotFoundError(f"{folder} is being deleted: {', '.join(gone)} went meanwhile")


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def write_config(target: Path, content: Mapping[str, Any]) -> None:
    """Write a config.json, and the model's code where it names it.

    A killed process leaves the old config.json or the new one, no half of it; what it was writing
    stays outside the folder, of which every file is pushed.
    """
    if ships_code(content):
        (target / MODEL_CODE_FILE).write_text(model_code(), encoding="utf-8", newline="\n")
    unfinished = target.with_name(f".{target.name.lstrip('.')}.config")
    text = json.dumps(content, indent=2, sort_keys=True) + "\n"
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(target / CONFIG_FILE)


def link_or_copy(source: Path, target: Path) -> None:
    """A hard link; a copy where links are not to be had (another file system, or one without)."""
    source = source.resolve()  # of a link within the checkpoint: the file, not the link
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def refuse_secrets(folder: Path, where: str, scan: SecretScan) -> None:
    """Refuse a step with a token in one of its texts.

    Args:
        folder: what would be pushed.
        where: the checkpoint that it comes from.
        scan: which knows what it has looked through.

    Raises:
        RefusedStepError: says in which file and where, and not what it is.
    """
    for path in sorted(folder.iterdir()):
        if scan.concerns(path.name):
            scan.refuse(path.read_bytes(), f"{where}/{path.name}")


def facts_of(folder: Path) -> dict[str, FileFacts]:
    """Size and digest of every file of a folder that a manifest lists."""
    return {
        path.name: file_facts(path)
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name not in (SERIES_FILE, CARD_FILE)
    }


def describe(folder: Path, manifest: Manifest, card: str) -> None:
    """Write series.json and the card, and put all of the folder on the disk."""
    (folder / CARD_FILE).write_text(card, encoding="utf-8")
    (folder / SERIES_FILE).write_text(dump(manifest.to_json()), encoding="utf-8")
    flush(folder)


def finish(series: Path, step: int, folder: Path) -> Path:
    """Give a folder that is whole its name; what lay there, of a process that was killed, goes."""
    final = staged_folder(series, step)
    shutil.rmtree(final, ignore_errors=True)
    folder.replace(final)
    sync_folder(final.parent)
    return final


def flush(folder: Path) -> None:
    """Put all of a folder on the disk."""
    for path in folder.iterdir():
        sync(path)
    sync_folder(folder)


def take_back(series: Path, step: int) -> None:
    """Take away what was set aside of a step."""
    shutil.rmtree(staged_folder(series, step), ignore_errors=True)


def staged_flaws(series: Path, manifest: Manifest) -> list[str]:
    """What is wrong with a staged step; empty if it is whole."""
    folder = staged_folder(series, manifest.step)
    if not (folder / SERIES_FILE).is_file():
        return [f"{folder} is not there or has no {SERIES_FILE}"]
    return list(flaws(folder, manifest.files, error=SeriesError))


def drop_weights(series: Path, step: int) -> None:
    """Free the space of a step that is safely on the Hub; its manifest and card stay."""
    folder = staged_folder(series, step)
    if folder.is_dir():
        for path in folder.iterdir():
            if is_weights(path.name) or path.name.endswith(".pt"):
                path.unlink(missing_ok=True)
