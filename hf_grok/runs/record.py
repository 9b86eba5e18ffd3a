"""The files by which a run is known: run.json and metrics.jsonl."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING, Field, fields
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from hf_grok._cores import usable_cores
from hf_grok.errors import UserError
from hf_grok.runs.folder import METRICS_FILE, PROBES_FILE, RUN_FILE, sync, write_json
from hf_grok.runs.json_lines import append_row, restore
from hf_grok.text.json_reading import read_object
from hf_grok.text.printable import quoted
from hf_grok.version import __version__

# Fields of TrainingArguments that open something.
SECRETS = ("hub_token",)
_PACKAGES = ("torch", "transformers", "datasets", "accelerate", "tokenizers", "numpy")


class RunRecord:
    """run.json (what the run is and how it stands) and metrics.jsonl (all that it logged).

    Args:
        folder: the run's output directory.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._info: dict[str, Any] = {}
        self._earlier_seconds = 0.0
        self._began = time.monotonic()

    def start(self, info: dict[str, Any]) -> None:
        """Write run.json with status "running"; seconds of an earlier start are kept."""
        earlier = recorded(self.folder) or {}
        seconds = earlier.get("seconds", 0.0)
        self._earlier_seconds = _seconds(seconds, self.folder / RUN_FILE)
        self._info = {
            **info,
            "started": earlier.get("started", _now()),
            "finished": None,
            "status": "running",
        }
        self._write()

    def finish(self, status: str, **more: Any) -> None:
        """Write how the run ended: status "finished", or "failed" with the reason."""
        self._info.update(more, status=status, finished=_now())
        self._write()

    def _write(self) -> None:
        seconds = self._earlier_seconds + time.monotonic() - self._began
        self._info["seconds"] = round(seconds, 1)
        write_json(self.folder / RUN_FILE, self._info)

    def append(self, row: dict[str, Any]) -> None:
        """Add one logged row to metrics.jsonl."""
        append_row(self.folder / METRICS_FILE, row)

    def rewind(self, history: Sequence[Mapping[str, Any]] = ()) -> None:
        """metrics.jsonl as it was when a checkpoint was written; ProbeCallback rewinds its file.

        Rows of the same step that came after it go too: a resumed run does them again.

        Args:
            history: `log_history` as the checkpoint has it; none for the beginning.
        """
        restore(self.folder / METRICS_FILE, history)


def recorded(folder: Path) -> dict[str, Any] | None:
    """What a run's folder says of it in run.json; None where there is none.

    Raises:
        UserError: it is no JSON object, with the place.
    """
    path = folder / RUN_FILE
    return read_object(path, nonfinite=True) if path.is_file() else None


def sync_tables(folder: Path) -> None:
    """Put a run's tables on the disk, so that no checkpoint outlives the rows before it."""
    for name in (METRICS_FILE, PROBES_FILE):
        if (folder / name).is_file():
            sync(folder / name)


def _seconds(value: Any, path: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise UserError(f"{path}: expected seconds to be a number from 0 on, got {quoted(value)}")
    return float(value)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def versions(*more: str) -> dict[str, str]:
    """Versions of this package, of python, and of those parts of the stack that are installed.

    Args:
        more: packages beside those that every run names.
    """
    found = {"hf_grok": __version__, "python": platform.python_version()}
    for package in (*_PACKAGES, *more):
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def machine(device: str, threads: int) -> dict[str, Any]:
    """Kind of processor, cores that may be used, threads that are; nothing that names whose."""
    return {
        "device": device,
        "processor": _processor(),
        "cores": usable_cores(),
        "threads": threads,
        "system": platform.system(),
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def changed_values(*groups: Any) -> dict[str, Any]:
    """Every field of the argument groups that is not at its default, as plain values.

    A token is none of the values: what is recorded is shown to strangers.
    """
    changed = {}
    for group in groups:
        for item in fields(group):
            value = _plain(getattr(group, item.name))
            differs = value is not None and value != _plain(default_of(item))
            if item.init and differs and item.name not in SECRETS:
                changed[item.name] = value
    return changed


def default_of(item: Field[Any]) -> Any:
    """The default of a data class's field; None where it has none."""
    if item.default_factory is not MISSING:
        return item.default_factory()
    return None if item.default is MISSING else item.default


def _plain(value: Any) -> Any:
    """An enumeration's value, and anything that JSON has; None for the rest."""
    value = getattr(value, "value", value)
    return value if isinstance(value, str | int | float | bool | list | dict) else None


def refuse_used_folder(folder: Path) -> None:
    """Refuse to start a run where another one lies.

    Raises:
        UserError: the folder holds a run or checkpoints; names --resume and the way out.
    """
    inside = [path.name for path in folder.glob("*")] if folder.is_dir() else []
    if any(name in (RUN_FILE, METRICS_FILE) or name.startswith("checkpoint-") for name in inside):
        raise UserError(
            f"{folder} already holds a run. Go on with it with --resume, choose another folder "
            "with --output_dir, or remove it yourself."
        )
