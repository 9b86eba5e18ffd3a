"""What a run takes of a machine, and what starts it: `needs:` and `launch:` of a sweep's file."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError, unknown_name
from hf_grok.text.printable import quoted

_NEEDS = ("cpus", "gpus", "memory_gb")


@dataclass(frozen=True)
class Needs:
    """What each run of a sweep is given.

    Attributes:
        cpus: processor cores, 1 or more. Schedulers reserve them, and on this machine as many
            runs go at a time as they allow; a run computes with as many threads as its argument
            `threads` says.
        gpus: accelerators, 0 or more; None: one where the runs lie on this machine and it has any.
        memory_gb: main memory in GiB, which schedulers reserve; None: what they give.
        launch: the command under which each run is started, such as accelerate launch
            --num_processes 2; empty for python itself.
    """

    cpus: int = 1
    gpus: int | None = None
    memory_gb: float | None = None
    launch: tuple[str, ...] = ()

    def as_written(self) -> dict[str, Any]:
        """`needs` and `launch` as a sweep's file has them, without what is at its default."""
        values = {"cpus": self.cpus, "gpus": self.gpus, "memory_gb": self.memory_gb}
        defaults = {"cpus": 1, "gpus": None, "memory_gb": None}
        needs = {name: value for name, value in values.items() if value != defaults[name]}
        launch = {"launch": shlex.join(self.launch)} if self.launch else {}
        return {**({"needs": needs} if needs else {}), **launch}


def needs_of(file: Mapping[str, Any], where: str) -> Needs:
    """`needs: {cpus: 4, gpus: 1, memory_gb: 16}` and `launch: accelerate launch ...`, checked.

    Args:
        file: the sweep's, which may have neither.
        where: it is, for messages.

    Raises:
        UserError: another key, a number that cannot be, a launch that is no command.
    """
    given = file.get("needs") or {}
    if not isinstance(given, dict):
        raise UserError(f"{where}, needs: expected such as {{cpus: 4, gpus: 1}}, got {given!r}")
    for key in given:
        if key not in _NEEDS:
            raise unknown_name(f"key of {where}, needs", str(key), _NEEDS)
    return Needs(
        cpus=_whole(given.get("cpus", 1), 1, f"{where}, needs, cpus"),
        gpus=None if "gpus" not in given else _whole(given["gpus"], 0, f"{where}, needs, gpus"),
        memory_gb=_memory(given.get("memory_gb"), f"{where}, needs, memory_gb"),
        launch=_launch(file.get("launch"), f"{where}, launch"),
    )


def found(launch: tuple[str, ...]) -> list[str]:
    """The command with its program's whole path: on PATH, or beside the python that runs.

    Raises:
        UserError: there is no such program.
    """
    places = os.pathsep.join([os.environ.get("PATH", ""), str(Path(sys.executable).parent)])
    program = shutil.which(launch[0], path=places)
    if program is None:
        raise UserError(
            f"launch: there is no command {quoted(launch[0])} here: install it, or name its path "
            "in the sweep's file"
        )
    return [program, *launch[1:]]


def _whole(value: Any, least: int, where: str) -> int:
    if type(value) is not int or value < least:
        raise UserError(f"{where}: expected a whole number from {least} on, got {quoted(value)}")
    return value


def _memory(value: Any, where: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e6:
        raise UserError(f"{where}: expected GiB above 0, got {quoted(value)}")
    return float(value)


def _launch(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    try:
        words = tuple(shlex.split(value)) if isinstance(value, str) else ()
    except ValueError:  # a quotation that does not end
        words = ()
    if not words:
        raise UserError(
            f"{where}: expected a command such as accelerate launch --num_processes 2, got "
            f"{quoted(value)}"
        )
    return words
