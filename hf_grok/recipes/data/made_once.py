"""A folder that many runs read, made by the first of them: whoever comes second waits."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from hf_grok.runs.folder import write_json


def cached_folder(kind: str, depends: Mapping[str, Any]) -> Path:
    """Where in the cache of `datasets` such a folder lies, named after all that it depends on.

    Args:
        kind: what it holds: the folder's parent.
        depends: what its content is a function of, in JSON's types.
    """
    import datasets

    mark = hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:16]
    return Path(datasets.config.HF_DATASETS_CACHE) / f"hf_grok_{kind}" / mark


def made_once(folder: Path, make: Callable[[Path], dict[str, object]]) -> Path:
    """The folder, made by `make` if it is not there; whole or not there at all.

    Args:
        folder: named after all that its content depends on.
        make: fills a new folder and returns its facts, which are kept as facts.json.
    """
    facts = folder / "facts.json"
    if facts.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f"{folder.name}.lock")):
        if facts.exists():
            return folder
        part = folder.with_name(f"{folder.name}.part")
        for left in (part, folder):  # by a process that was stopped
            shutil.rmtree(left, ignore_errors=True)
        part.mkdir()
        write_json(part / "facts.json", make(part))
        part.replace(folder)
    return folder
