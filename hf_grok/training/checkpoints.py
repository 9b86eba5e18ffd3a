"""Which checkpoints of a run are whole: a manifest is written last, and must fit."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hf_grok.errors import UserError
from hf_grok.json_reading import read_object
from hf_grok.printable import quoted
from hf_grok.run_files import checkpoints, step_of, sync

MANIFEST = "manifest.json"


def sha256(path: Path) -> str:
    """Hex digest of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_manifest(folder: Path) -> None:
    """List every file of a finished checkpoint with size and sha256, durably and at once.

    Files are flushed to the disk first and the manifest is renamed into place last, so that a
    checkpoint with a manifest is whole even after a power cut.
    """
    entries = {}
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name != MANIFEST:
            sync(path)
            entries[path.name] = {"bytes": path.stat().st_size, "sha256": sha256(path)}
    temporary = folder / f"{MANIFEST}.tmp"
    temporary.write_text(json.dumps({"step": step_of(folder), "files": entries}, indent=1))
    sync(temporary)
    temporary.replace(folder / MANIFEST)
    sync(folder)


def flaw(folder: Path) -> str | None:
    """What is wrong with a checkpoint, or None if every file is as its manifest says."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return "it has no manifest: its writing was cut short"
    try:
        files = read_object(manifest)["files"]
        expectations = {name: (entry["bytes"], entry["sha256"]) for name, entry in files.items()}
    except (UserError, KeyError, TypeError, AttributeError):
        return f"{MANIFEST} cannot be read"
    for name, (size, digest) in expectations.items():
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        if path.stat().st_size != size:
            return f"{name} has {path.stat().st_size} bytes, {quoted(size)} were written"
        if sha256(path) != digest:
            return f"{name} is not what was written (its sha256 differs)"
    return None


def last_whole_checkpoint(run: Path, say: Callable[[str], None]) -> Path | None:
    """The latest whole checkpoint of `run`; each one passed over is named to `say`, with why."""
    for folder in reversed(checkpoints(run)):
        wrong = flaw(folder)
        if wrong is None:
            return folder
        say(f"passing over {folder.name}: {wrong}")
    return None


def discard(folder: Path) -> None:
    """Remove a checkpoint that could not be written whole, so that it takes no space."""
    with suppress(OSError):
        shutil.rmtree(folder)
