"""sweep.json, read: what a sweep's folder holds, checked before anybody goes by it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError
from hf_grok.text.json_reading import read_object
from hf_grok.text.printable import quoted

SWEEP_FILE = "sweep.json"


def read_sweep_file(path: Path) -> dict[str, Any]:
    """{"name", "recipe", "scale", "seeds": [0, 1], "arms": {name: {"settings", "from", ...}}}.

    Raises:
        UserError: it cannot be read, or has another shape; names the part.
    """
    content = read_object(path)
    for key in ("name", "recipe"):
        if not isinstance(content.get(key), str):
            raise _wrong(path, key, "text", content.get(key))
    seeds = content.get("seeds")
    if not isinstance(seeds, list) or not all(type(seed) is int for seed in seeds):
        raise _wrong(path, "seeds", "a list of whole numbers", seeds)
    arms = content.get("arms")
    if not isinstance(arms, dict):
        raise _wrong(path, "arms", "an object", arms)
    for name, arm in arms.items():
        _check_arm(path, f"arms[{quoted(name)}]", arm)
    return content


def run_folder(out: Path, arm: str, seed: int) -> Path:
    """OUT/ARM-seedS, where the run of an arm at a seed lies."""
    return out / f"{arm}-seed{seed}"


def _check_arm(path: Path, place: str, arm: Any) -> None:
    if not isinstance(arm, dict):
        raise _wrong(path, place, "an object", arm)
    kinds: Mapping[str, Any] = {"settings": dict, "from": (str, type(None)), "step": int}
    for key, kind in kinds.items():
        if key not in arm or not isinstance(arm[key], kind):
            raise _wrong(path, f"{place}.{key}", "what hf-grok sweep writes", arm.get(key))


def _wrong(path: Path, place: str, expected: str, seen: Any) -> UserError:
    return UserError(f"{path}: {place} is {quoted(seen)}: expected {expected}")
