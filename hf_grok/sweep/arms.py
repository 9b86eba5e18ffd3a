"""The arms of a sweep: what each sets, in which cell of a grid, and what it branches off."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError, unknown_name
from hf_grok.sweep.grid import expanded
from hf_grok.text.printable import quoted

BRANCH_KEYS = ("from", "step", "reset_optimizer")
# What the sweep itself says to each run.
RESERVED = {
    "seed": "seeds are listed under `seeds`",
    "output_dir": "each run has its folder under --out",
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
# File systems allow 255 characters, of which -seedN and the ends of logs and locks take some.
_LONGEST_NAME = 200


@dataclass(frozen=True)
class Arm:
    """One setting of the recipe, run once for each seed.

    Attributes:
        name: of the arm, and of its runs' folders.
        settings: argument name -> value, on top of the recipe: those common to all arms, those of
            the arm that it branches off, its own.
        parent: the arm off whose checkpoint, of the same seed, its runs go on; None for a run from
            the beginning.
        step: of that checkpoint.
        reset_optimizer: whether the optimiser's moments start afresh there.
        cell: argument name -> value of the grid's cell that the arm is of; empty without a grid.
    """

    name: str
    settings: Mapping[str, Any]
    parent: str | None = None
    step: int = 0
    reset_optimizer: bool = False
    cell: Mapping[str, Any] = field(default_factory=dict)


def mapping_of(value: Any, where: str, allowed: Sequence[str] | None = None) -> dict[str, Any]:
    """The value, if it is a mapping, of these keys alone where they are given."""
    if not isinstance(value, dict):
        raise UserError(f"{where}: expected a mapping, got {quoted(value)}")
    for key in value:
        if allowed is not None and key not in allowed:
            raise unknown_name(f"key of {where}", str(key), allowed)
    return {str(key): item for key, item in value.items()}


def settings_of(value: Any, where: str) -> dict[str, Any]:
    """Argument name -> value, without what the sweep itself gives to each run."""
    settings = mapping_of(value, where)
    for key, instead in RESERVED.items():
        if key in settings:
            raise UserError(f"{where} sets {key}, which a sweep gives to each run: {instead}")
    return settings


def check_name(name: str, where: str) -> None:
    """Raises UserError unless a folder can have the arm's name."""
    if not _NAME.fullmatch(name):
        raise UserError(f"{where}: expected a name of letters, digits and . _ + -, as of a folder")
    if len(name) > _LONGEST_NAME:
        raise UserError(
            f"{where}: its name has {len(name)} characters, and a folder's may have "
            f"{_LONGEST_NAME}: name the runs yourself, as arms"
        )


def arms_of(file: Mapping[str, Any], common: Mapping[str, Any], path: Path) -> dict[str, Arm]:
    """Every arm of a sweep's file, in its order: `arms`, in every cell of `grid` if there is one.

    Raises:
        UserError: an arm of another form, that branches off nothing or off itself; a wrong grid.
    """
    entries = mapping_of(file.get("arms") or {}, f"{path}, arms")
    cells: dict[str, dict[str, Any]] = {}
    if file.get("grid"):
        found = expanded(entries, file["grid"], f"{path}, grid")
        entries = {name: entry for name, (entry, _) in found.items()}
        cells = {name: settings_of(cell, f"{path}, grid") for name, (_, cell) in found.items()}
    arms: dict[str, Arm] = {}
    for name in entries:
        _add_arm(name, entries, common, cells, path, arms, ())
    _refuse_one_folder(arms, path)
    return {name: arms[name] for name in entries}


def _refuse_one_folder(names: Iterable[str], path: Path) -> None:
    """Two names that differ by case alone are one folder on Windows and macOS."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise UserError(
                f"{path}: arms {other} and {name} differ by case alone, and would be one folder on "
                "some file systems: rename one"
            )


def _add_arm(
    name: str,
    entries: Mapping[str, Any],
    common: Mapping[str, Any],
    cells: Mapping[str, Mapping[str, Any]],
    path: Path,
    arms: dict[str, Arm],
    above: tuple[str, ...],
) -> None:
    """Add an arm, after the one that it branches off; `above` are those that wait for it."""
    if name in arms:
        return
    where = f"{path}, arm {name}"
    if name in above:
        raise UserError(f"{where} branches off itself: {' from '.join((*above, name))}")
    check_name(name, where)
    settings = settings_of(entries[name], where)
    branch = {key: settings.pop(key) for key in BRANCH_KEYS if key in settings}
    cell = cells.get(name, {})
    if not branch:
        arms[name] = Arm(name, {**common, **cell, **settings}, cell=cell)
        return
    parent = _parent(branch, entries, where)
    _add_arm(parent, entries, common, cells, path, arms, (*above, name))
    _check_step(branch.get("step"), arms[parent], where)
    inherited = {**arms[parent].settings, **settings}
    reset = branch.get("reset_optimizer", False)
    arms[name] = Arm(name, inherited, parent, branch["step"], reset, cell)


def _parent(branch: Mapping[str, Any], arms: Mapping[str, Any], where: str) -> str:
    parent, reset = branch.get("from"), branch.get("reset_optimizer", False)
    if parent not in arms:
        raise unknown_name(f"`from` of {where}", str(parent), arms)
    if not isinstance(reset, bool):
        raise UserError(f"{where}, reset_optimizer: expected true or false, got {reset!r}")
    return str(parent)


def _check_step(step: Any, parent: Arm, where: str) -> None:
    if type(step) is not int or step <= parent.step:
        raise UserError(
            f"{where}: step {step!r} is not a step that {parent.name} trains: expected a whole "
            f"number above {parent.step}, after which the arm leaves it"
        )
