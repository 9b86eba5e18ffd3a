"""Which checkpoints of a run are whole: a manifest is written last, and must fit."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from hf_grok.errors import UserError
from hf_grok.json_reading import read_object
from hf_grok.printable import quoted
from hf_grok.runs.folder import checkpoints, replace, step_of, sync

MANIFEST = "manifest.json"
LONGEST_NAME = 255  # bytes, of every file system
STATE = "trainer_state.json"


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
    content = {"step": step_of(folder), "files": entries}
    temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")
    sync(temporary)
    replace(temporary, folder / MANIFEST)
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
    if any(len(name.encode()) > LONGEST_NAME for name in expectations):
        return f"{MANIFEST} names what no file system can hold"
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


def log_history(checkpoint: Path) -> list[dict[str, Any]]:
    """All that had been logged when a checkpoint was written, as Trainer's state in it says."""
    history: list[dict[str, Any]] = read_object(checkpoint / STATE, nonfinite=True)["log_history"]
    return history


def discard(folder: Path) -> None:
    """Remove what could not be written whole, a folder or a file, so that it takes no space."""
    with suppress(OSError):
        if folder.is_dir():
            shutil.rmtree(folder)
        else:
            folder.unlink()


@contextmanager
def told_if_not_written(folder: Path, kept: Callable[[], str]) -> Iterator[None]:
    """Leave nothing of a checkpoint whose writing fails, and tell a full disk from other errors.

    Args:
        folder: that is being written.
        kept: what is there to go on from, as a sentence.

    Raises:
        UserError: it could not be written. What did not fail in writing (a processor out of
            memory, a process that was lost) is raised as it came.
    """
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        discard(folder)
        if isinstance(error, RuntimeError) and not _is_of_writing(error):
            raise
        raise UserError(
            f"could not write {folder}: {error}. Nothing of it is left. {kept()} "
            "Make room and go on with --resume."
        ) from error


def _is_of_writing(error: RuntimeError) -> bool:
    """Whether torch.save says that it could not write: it has no type of its own for that."""
    text = str(error)
    return any(sign in text for sign in ("inline_container", "PytorchStreamWriter", "Parent direc"))
