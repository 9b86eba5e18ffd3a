"""Which checkpoints of a run are whole: a manifest is written last, and must fit."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from safetensors import SafetensorError

from hf_grok.errors import UserError
from hf_grok.runs.folder import (
    MANIFEST_FILE,
    STATE_FILE,
    blocks_of,
    checkpoints,
    replace,
    safe_path,
    step_of,
    sync,
)
from hf_grok.text.json_reading import read_object

LONGEST_NAME = 255  # bytes, of every file system
# transformers makes it before it saves on the way out, as before a preemption, and removes it last.
INCOMPLETE_FILE = "checkpoint-is-incomplete.txt"


@dataclass(frozen=True)
class FileFacts:
    """Size and digest of one file.

    Attributes:
        bytes: its size.
        sha256: hex digest of its content.
    """

    bytes: int
    sha256: str


Files: TypeAlias = Mapping[str, FileFacts]


def file_facts(path: Path) -> FileFacts:
    """Size and sha256 of a file, read in blocks."""
    digest, size = hashlib.sha256(), 0
    for block in blocks_of(path):
        digest.update(block)
        size += len(block)
    return FileFacts(size, digest.hexdigest())


def files_to_json(files: Files) -> dict[str, dict[str, Any]]:
    """Name -> {"bytes", "sha256"}, by name."""
    return {name: dict(vars(facts)) for name, facts in sorted(files.items())}


def files_from_json(found: Mapping[str, Mapping[str, Any]]) -> dict[str, FileFacts]:
    """The reverse of `files_to_json`."""
    return {
        name: FileFacts(int(facts["bytes"]), str(facts["sha256"])) for name, facts in found.items()
    }


def flaws(
    folder: Path,
    files: Files,
    leave_out: Iterable[str] = (),
    error: type[UserError] = UserError,
) -> Iterator[str]:
    """What in `folder` is not as `files` says, one sentence a file, by name.

    Raises:
        UserError: a name leads out of the folder.
    """
    skipped = set(leave_out)
    for name, expected in sorted(files.items()):
        path = safe_path(folder, name, error)
        if name in skipped:
            continue
        if not path.is_file():
            yield f"{name} is missing"
        elif (size := path.stat().st_size) != expected.bytes:
            yield f"{name} has {size} bytes, {expected.bytes} were written"
        elif file_facts(path).sha256 != expected.sha256:
            yield f"{name} is not what was written (its sha256 differs)"


def write_manifest(folder: Path) -> None:
    """List every file of a finished checkpoint with size and sha256, durably and at once.

    Files are flushed to the disk first and the manifest is renamed into place last, so that a
    checkpoint with a manifest is whole even after a power cut.
    """
    names = sorted(path for path in folder.iterdir() if path.is_file())
    listed = [path for path in names if path.name != MANIFEST_FILE]
    for path in listed:
        sync(path)
    files = files_to_json({path.name: file_facts(path) for path in listed})
    temporary = folder / f"{MANIFEST_FILE}.tmp"
    content = {"step": step_of(folder), "files": files}
    temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")
    sync(temporary)
    replace(temporary, folder / MANIFEST_FILE)
    sync(folder)


def flaw(folder: Path, *, any_trainer: bool = False) -> str | None:
    """What is wrong with a checkpoint, or None if every file is as its manifest says.

    Args:
        folder: the checkpoint.
        any_trainer: one without a manifest counts too, as every other Trainer leaves it: it is
            whole once the state is, which Trainer writes last.
    """
    if is_incomplete(folder):
        return f"{INCOMPLETE_FILE} lies in it: transformers did not end writing it"
    if (folder / MANIFEST_FILE).is_file():
        return _flaw_by_manifest(folder)
    if not any_trainer:
        return "it has no manifest: its writing was cut short"
    if trainer_state(folder) is None:
        return f"it has no whole {STATE_FILE}, which Trainer writes last"
    return None


def is_incomplete(folder: Path) -> bool:
    """Whether transformers itself says that it has not ended writing a checkpoint."""
    return (folder / INCOMPLETE_FILE).exists()


def manifest_files(folder: Path) -> dict[str, FileFacts]:
    """The files of a checkpoint as its manifest lists them.

    Raises:
        UserError: there is no manifest, or it cannot be read.
    """
    try:
        return files_from_json(read_object(folder / MANIFEST_FILE)["files"])
    except (UserError, KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UserError(f"{MANIFEST_FILE} cannot be read") from error


def _flaw_by_manifest(folder: Path) -> str | None:
    try:
        files = manifest_files(folder)
    except UserError as error:
        return str(error)
    if any(len(name.encode()) > LONGEST_NAME for name in files):
        return f"{MANIFEST_FILE} names what no file system can hold"
    try:
        return next(flaws(folder, files), None)
    except UserError as error:
        return f"{MANIFEST_FILE}: {error}"


def trainer_state(folder: Path) -> dict[str, Any] | None:
    """What Trainer wrote of its state into a folder; None where it did not, or was cut short."""
    try:
        return read_object(folder / STATE_FILE, nonfinite=True)
    except UserError:
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
    history: list[dict[str, Any]] = read_object(checkpoint / STATE_FILE, nonfinite=True)[
        "log_history"
    ]
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
