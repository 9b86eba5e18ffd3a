"""Folders in which steps are put together, each with an owner for as long as that lives.

A folder `.step5.1f3a.unfinished` has a lock beside it that its owner holds; the system lets go of
it when the process ends, however that ends. So whoever can take the lock has the proof that nobody
works on the folder any more, whatever the clocks and the process numbers say.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

ENDING = ".unfinished"
_LOCK = ".lock"


@contextmanager
def unfinished_folder(parent: Path, step: int) -> Iterator[Path]:
    """An empty folder to put a step together in; what is left of it at the end goes.

    Args:
        parent: where it lies.
        step: for its name.

    Raises:
        OSError: it cannot be made, as on a full disk.
    """
    parent.mkdir(parents=True, exist_ok=True)
    folder = parent / f".step{step}.{uuid.uuid4().hex}{ENDING}"
    lock = FileLock(_lock_of(folder))
    try:
        with lock:
            folder.mkdir()
            yield folder
    finally:
        _remove(folder)


def remove_abandoned(parent: Path) -> None:
    """Take away what processes left that no longer live, and nothing of those that do.

    An owner holds its lock before it makes its folder, and lets the lock's file go after it.
    """
    for folder in parent.glob(f".step*{ENDING}"):
        if not _lock_of(folder).is_file():
            _remove(folder)  # of a version that kept no locks
            continue
        with suppress(Timeout, OSError), FileLock(_lock_of(folder), timeout=0):
            _remove(folder)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for path in folder.parent.glob(f"{folder.name}.*"):
        with suppress(OSError):  # Windows deletes no file that is open
            path.unlink()


def _lock_of(folder: Path) -> Path:
    return folder.with_name(folder.name + _LOCK)
