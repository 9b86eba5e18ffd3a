"""A run's folder as all rooms know it: where checkpoints lie, and how a file is made to last."""

from __future__ import annotations

import os
import re
from pathlib import Path

_CHECKPOINT = re.compile(r"checkpoint-(\d+)")


def step_of(folder: Path) -> int:
    """The step in a name such as checkpoint-2000; -1 for any other name."""
    match = _CHECKPOINT.fullmatch(folder.name)
    return int(match.group(1)) if match else -1


def checkpoints(run: Path) -> list[Path]:
    """Every `checkpoint-N` folder of a run, whole or not, by step."""
    folders = [path for path in run.glob("checkpoint-*") if path.is_dir() and step_of(path) >= 0]
    return sorted(folders, key=step_of)


def sync(path: Path) -> None:
    """Put a file's content, or a folder's names, on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
