"""A run's folder as all rooms know it: its files, its checkpoints, how a file is made to last."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath, PureWindowsPath
from tempfile import TemporaryFile
from typing import Any

from filelock import FileLock, Timeout, lock_descriptor, unlock_descriptor

from hf_grok.errors import UserError

RUN_FILE = "run.json"
METRICS_FILE = "metrics.jsonl"
PROBES_FILE = "probes.jsonl"
RESULTS_FILE = "probe_results.json"
DECLARED_FILE = "probe_metrics.json"
ABOUT_FILE = "series/about.json"
# Of a checkpoint.
MANIFEST_FILE = "manifest.json"
# Of transformers: in checkpoints, and beside them.
STATE_FILE = "trainer_state.json"
CONFIG_FILE = "config.json"

_CHECKPOINT = re.compile(r"checkpoint-(\d+)")
_BLOCK = 1 << 20
# Seconds between tries to replace a file that is open.
_WAITS = (0.01, 0.05, 0.2, 0.5, 1.0)


def step_of(folder: Path) -> int:
    """The step in a name such as checkpoint-2000; -1 for any other name."""
    match = _CHECKPOINT.fullmatch(folder.name)
    return int(match.group(1)) if match else -1


def checkpoints(run: Path) -> list[Path]:
    """Every `checkpoint-N` folder of a run, whole or not, by step."""
    folders = [path for path in run.glob("checkpoint-*") if path.is_dir() and step_of(path) >= 0]
    return sorted(folders, key=step_of)


def safe_path(folder: Path, name: str, error: type[UserError] = UserError) -> Path:
    """Where file `name`, as others wrote it, goes below `folder`.

    Raises:
        UserError: the name would lead out of the folder: absolute, "..", a backslash, a drive,
            or through a symbolic link.
    """
    windows, parts = PureWindowsPath(name), PurePosixPath(name).parts
    plain = bool(parts) and not (windows.drive or windows.root or name.startswith("/"))
    if not plain or "\\" in name or "\0" in name or ".." in parts:
        raise error(f"file name {name!r}: expected a relative path without .. or backslashes")
    target = folder.joinpath(*parts)
    if not target.resolve().is_relative_to(folder.resolve()):
        raise error(f"file name {name!r} leads out of its folder through a symbolic link")
    return target


def blocks_of(path: Path) -> Iterator[bytes]:
    """A file's content in blocks, so that no file need fit in memory."""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def sync(path: Path) -> None:
    """Put a file's content, or a folder's names, on the disk.

    Windows flushes what is open for writing only, and opens no folder: its file system keeps the
    names by itself.
    """
    if path.is_dir():
        with suppress(PermissionError):
            _flush(path, os.O_RDONLY)
        return
    try:
        _flush(path, os.O_RDWR)
    except PermissionError:  # a file that may only be read
        _flush(path, os.O_RDONLY)


def _flush(path: Path, mode: int) -> None:
    handle = os.open(path, mode)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace(temporary: Path, target: Path) -> None:
    """Give `target` the content of `temporary`, at once and whole.

    Windows refuses that while somebody has `target` open, as whoever reads it has for a moment.
    """
    for wait in _WAITS:
        try:
            temporary.replace(target)
        except PermissionError:
            time.sleep(wait)
        else:
            return
    temporary.replace(target)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Make a file hold one JSON object; whoever reads it sees the old one or the new one."""
    temporary = path.with_name(f".{path.name}")
    temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    replace(temporary, path)


def check_writable(folder: Path, otherwise: str) -> None:
    """Refuse a folder that could not be made or written to: before the work is done, not after.

    Args:
        folder: that is going to be written to; it is not made.
        otherwise: what to do where it cannot be, such as "choose another one with --out".

    Raises:
        UserError: nothing can be written there, or in the nearest folder above it that is there.
    """
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        with TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise UserError(f"cannot write to {folder} ({error.strerror}): {otherwise}") from error


def make_folder(folder: Path, otherwise: str) -> None:
    """Make a folder in which files can be written, if it is not there; as `check_writable`."""
    check_writable(folder, otherwise)
    folder.mkdir(parents=True, exist_ok=True)


def is_held(path: Path) -> bool:
    """Whether a process holds the lock file; it may be one that this user can only read.

    Raises:
        UserError: that cannot be told, as on a network's file system that locks for writers alone.
    """
    if not path.is_file():
        return False
    try:
        with FileLock(path).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except PermissionError:
        return _is_held_by_another_user(path)


def _is_held_by_another_user(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            free = lock_descriptor(file.fileno(), blocking=False)
            if free:
                unlock_descriptor(file.fileno())
    except OSError as error:
        raise UserError(
            f"cannot tell whether {path} is held ({error.strerror}): ask as a user who may write it"
        ) from error
    return not free


@contextmanager
def taken(path: Path, refusal: str) -> Iterator[None]:
    """Hold a lock file. Every system gives it up with the process that holds it.

    Args:
        path: of the lock; its folder must be there.
        refusal: what is at work, for whoever comes second.

    Raises:
        UserError: another process holds it; it cannot be written.
    """
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(f"{refusal}: wait for it or end it, then start again") from None
    except OSError as error:
        raise UserError(
            f"cannot lock {path} ({error.strerror}): expected a folder that you may write to"
        ) from error
    try:
        yield
    finally:
        lock.release()
