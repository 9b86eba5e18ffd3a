"""What a sweep is: a recipe, its arms and their seeds, read from a YAML file and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError, unknown_name
from hf_grok.packages import Brought, brought_files, the_one
from hf_grok.printable import quoted
from hf_grok.yaml_reading import read_yaml

KEYS = ("recipe", "scale", "common", "seeds", "arms")
BRANCH_KEYS = ("from", "step", "reset_optimizer")
# What the sweep itself says to each run.
RESERVED = {
    "seed": "seeds are listed under `seeds`",
    "output_dir": "each run has its folder under --out",
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


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
    """

    name: str
    settings: Mapping[str, Any]
    parent: str | None = None
    step: int = 0
    reset_optimizer: bool = False


@dataclass(frozen=True)
class Plan:
    """A sweep: every arm at every seed.

    Attributes:
        name: of the sweep (a shipped one, or a file's stem).
        recipe: name of a shipped recipe, or path of a recipe file.
        scale: of a shipped recipe; None for its default.
        seeds: of every arm.
        arms: by name, in the order of the file, which reports keep.
    """

    name: str
    recipe: str
    scale: str | None
    seeds: tuple[int, ...]
    arms: Mapping[str, Arm]

    def branch_steps(self, name: str) -> tuple[int, ...]:
        """Steps at which other arms leave the arm: it must save its state there."""
        return tuple(sorted({arm.step for arm in self.arms.values() if arm.parent == name}))

    def depth(self, name: str) -> int:
        """How many arms lie before this one: 0 for an arm from the beginning."""
        parent = self.arms[name].parent
        return 0 if parent is None else 1 + self.depth(parent)

    def in_order(self) -> list[Arm]:
        """Arms that others branch off before them, otherwise as in the file."""
        arms = list(self.arms.values())
        return sorted(arms, key=lambda arm: (not self.branch_steps(arm.name), self.depth(arm.name)))

    def chosen(self, arms: Sequence[str] | None, seeds: Sequence[int] | None) -> Plan:
        """The plan with these arms, and those that they branch off, and these seeds alone.

        Raises:
            UserError: an arm that the plan does not have.
        """
        wanted: set[str] = set(self.arms if arms is None else ())
        for name in arms or ():
            if name not in self.arms:
                raise unknown_name(f"arm of {self.name}", name, self.arms)
            wanted |= self._with_parents(name)
        kept = {name: arm for name, arm in self.arms.items() if name in wanted}
        return replace(self, arms=kept, seeds=self.seeds if seeds is None else tuple(seeds))

    def _with_parents(self, name: str) -> set[str]:
        parent = self.arms[name].parent
        return {name} if parent is None else {name} | self._with_parents(parent)


def shipped_sweeps() -> dict[str, list[Brought[Path]]]:
    """Name -> file of every sweep of this package and of those that bring languages."""
    found: dict[str, list[Brought[Path]]] = {}
    for brought in brought_files("sweeps", "*.yaml"):
        found.setdefault(brought.thing.stem, []).append(brought)
    return found


def read_plan(name: str, overrides: Mapping[str, Any] | None = None) -> Plan:
    """Read a shipped sweep by name, or any YAML file by its path.

    Args:
        name: of a shipped sweep, or a path that ends in .yaml.
        overrides: argument name -> value, in place of the file's `common`; an arm's own settings
            stand above them.

    Raises:
        UserError: no such sweep, a file of another form, an arm that branches off nothing.
    """
    path = _find(name)
    mapping = _mapping(read_yaml(path), str(path), KEYS)
    for key in ("recipe", "seeds", "arms"):
        if not mapping.get(key):
            raise UserError(f"{path} has no `{key}`: expected recipe, seeds and arms")
    common = _settings(mapping.get("common") or {}, f"{path}, common")
    return Plan(
        name=path.stem,
        recipe=_recipe(str(mapping["recipe"]), path),
        scale=mapping.get("scale"),
        seeds=_seeds(mapping["seeds"], path),
        arms=_arms(mapping["arms"], {**common, **_settings(overrides or {}, "--override")}, path),
    )


def _find(name: str) -> Path:
    if name.endswith((".yaml", ".yml")):
        if not Path(name).is_file():
            raise UserError(f"there is no sweep file {name}")
        return Path(name)
    return the_one("sweep", name, shipped_sweeps(), "A path must end in .yaml.").thing


def _recipe(recipe: str, path: Path) -> str:
    """A recipe file is looked for beside the sweep's own file."""
    return str(path.parent / recipe) if recipe.endswith((".yaml", ".yml")) else recipe


def _mapping(value: Any, where: str, allowed: Sequence[str] | None = None) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UserError(f"{where}: expected a mapping, got {quoted(value)}")
    for key in value:
        if allowed is not None and key not in allowed:
            raise unknown_name(f"key of {where}", str(key), allowed)
    return {str(key): item for key, item in value.items()}


def _settings(value: Any, where: str) -> dict[str, Any]:
    settings = _mapping(value, where)
    for key, instead in RESERVED.items():
        if key in settings:
            raise UserError(f"{where} sets {key}, which a sweep gives to each run: {instead}")
    return settings


def _seeds(value: Any, path: Path) -> tuple[int, ...]:
    whole = isinstance(value, list) and all(type(seed) is int and seed >= 0 for seed in value)
    if not whole or len(set(value)) < len(value):
        raise UserError(
            f"{path}, seeds: expected a list of different whole numbers such as [0, 1, 2], "
            f"got {quoted(value)}"
        )
    return tuple(value)


def _arms(value: Any, common: Mapping[str, Any], path: Path) -> dict[str, Arm]:
    entries = _mapping(value, f"{path}, arms")
    arms: dict[str, Arm] = {}
    for name in entries:
        _add_arm(name, entries, common, path, arms, ())
    return {name: arms[name] for name in entries}


def _add_arm(
    name: str,
    entries: Mapping[str, Any],
    common: Mapping[str, Any],
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
    if not _NAME.fullmatch(name):
        raise UserError(f"{where}: expected a name of letters, digits and . _ + -, as of a folder")
    settings = _settings(entries[name], where)
    branch = {key: settings.pop(key) for key in BRANCH_KEYS if key in settings}
    if not branch:
        arms[name] = Arm(name, {**common, **settings})
        return
    parent = _parent(branch, entries, where)
    _add_arm(parent, entries, common, path, arms, (*above, name))
    _check_step(branch.get("step"), arms[parent], where)
    inherited = {**arms[parent].settings, **settings}
    arms[name] = Arm(name, inherited, parent, branch["step"], branch.get("reset_optimizer", False))


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
