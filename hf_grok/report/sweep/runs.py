"""A sweep's folder as it is reported: its arms in order, and the finished runs of each."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hf_grok.dynamics import Run, load_run
from hf_grok.errors import UserError
from hf_grok.runs.record import recorded
from hf_grok.runs.sweep_files import SWEEP_FILE, is_sweep, read_sweep_file, run_folder
from hf_grok.text.printable import printable

NOT_BEGUN = "not begun"


@dataclass(frozen=True, eq=False)
class Arm:
    """One arm of a sweep.

    Args:
        name: of the arm.
        parent: the arm that it branches off; None for runs from the beginning.
        step: at which it does.
        runs: those that are finished, by seed.
        unfinished: name of a run -> how it stands.
    """

    name: str
    parent: str | None
    step: int
    runs: tuple[Run, ...]
    unfinished: Mapping[str, str]

    @property
    def kind(self) -> str:
        """The first word of the name: arms of one kind are drawn beside each other."""
        return self.name.partition("-")[0]


@dataclass(frozen=True, eq=False)
class Sweep:
    """All arms of a sweep, the first of which the others are compared with."""

    name: str
    recipe: str
    arms: tuple[Arm, ...]

    @property
    def reference(self) -> Arm:
        """The first arm."""
        return self.arms[0]

    @property
    def runs(self) -> list[Run]:
        """Every finished run."""
        return [run for arm in self.arms for run in arm.runs]

    def arm(self, name: str) -> Arm:
        """The arm of this name."""
        return next(arm for arm in self.arms if arm.name == name)


def read_sweep(folder: str | os.PathLike[str]) -> Sweep:
    """Read `sweep.json` and every finished run that it names.

    Raises:
        UserError: no sweep lies there, none of its runs is finished, or a run cannot be read.
    """
    out = Path(folder)
    if not is_sweep(out):
        raise UserError(f"{out} has no {SWEEP_FILE}: expected a folder that hf-grok sweep wrote")
    content = read_sweep_file(out / SWEEP_FILE)
    arms = tuple(_arm(out, name, arm, content["seeds"]) for name, arm in content["arms"].items())
    sweep = Sweep(str(content["name"]), str(content["recipe"]), arms)
    if not sweep.runs:
        raise UserError(f"none of the runs in {out} is finished: there is nothing to report yet")
    return sweep


def _arm(out: Path, name: str, content: Mapping[str, Any], seeds: list[int]) -> Arm:
    folders = [run_folder(out, name, seed) for seed in seeds]
    statuses = {folder: _status(folder) for folder in folders}
    return Arm(
        name=name,
        parent=content["from"],
        step=content["step"],
        runs=tuple(load_run(path) for path, status in statuses.items() if status == "finished"),
        unfinished={path.name: status for path, status in statuses.items() if status != "finished"},
    )


def _status(folder: Path) -> str:
    info = recorded(folder)
    if info is None:
        return NOT_BEGUN
    reason = f": {info['reason']}" if info.get("reason") else ""
    return printable(f"{info.get('status')}{reason}")
