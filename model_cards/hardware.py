"""Times, operations and machines in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
UNKNOWN = "not recorded"


def duration(seconds: float | None) -> str:
    """Seconds in the two greatest units: 5025 -> "1 h 23 min", 42.3 -> "42 s"."""
    if seconds is None:
        return UNKNOWN
    if seconds < 60:
        return f"{seconds:.3g} s"
    position = next(index for index, (unit, _) in enumerate(_UNITS) if seconds >= unit)
    (unit, name), (smaller, small_name) = _UNITS[position : position + 2]
    whole, rest = divmod(round(seconds), unit)
    tail = f" {rest // smaller} {small_name}" if rest // smaller else ""
    return f"{whole} {name}{tail}"


def operations(flos: float | None) -> str:
    """Floating point operations as Trainer counts them: "1.03e+08, Trainer's estimate"."""
    return f"{flos:.3g} floating point, by Trainer's estimate" if flos else UNKNOWN


def machine_in_words(machine: Mapping[str, Any]) -> str | None:
    """A run's record of its machine: "CPU, AMD EPYC, 1 thread of 2 cores, Linux".

    Args:
        machine: as `hf_grok.runs.record.machine` makes it; a part of it will do.
    """
    names = {"cpu": "CPU", "cuda": "NVIDIA or AMD GPU (cuda)", "mps": "Apple GPU (mps)"}
    device = machine.get("device")
    parts = [
        names.get(str(device), device),
        machine.get("accelerator"),
        machine.get("processor"),
        _threads(machine),
        machine.get("system"),
    ]
    return ", ".join(str(part) for part in parts if part) or None


def _threads(machine: Mapping[str, Any]) -> str:
    threads, cores = machine.get("threads"), machine.get("cores")
    if not threads:
        return f"{cores} cores" if cores else ""
    used = f"{threads} thread{'' if threads == 1 else 's'}"
    return f"{used} of {cores} cores" if cores else used
