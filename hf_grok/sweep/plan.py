"""What a sweep is: a recipe, its arms and their seeds, read from a YAML file and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError, unknown_name
from hf_grok.packages import Brought, brought_files, the_one
from hf_grok.sweep.arms import Arm, arms_of, mapping_of, settings_of
from hf_grok.sweep.needs import Needs, needs_of
from hf_grok.sweep.seeds import seeds_of
from hf_grok.text.yaml_reading import read_yaml

KEYS = ("recipe", "scale", "common", "seeds", "arms", "grid", "needs", "launch")


@dataclass(frozen=True)
class Plan:
    """A sweep: every arm at every seed.

    Attributes:
        name: of the sweep (a shipped one, or a file's stem).
        recipe: name of a shipped recipe, or path of a recipe file.
        scale: of a shipped recipe; None for its default.
        seeds: of every arm.
        arms: by name, in the order of the file, which reports keep.
        package: package -> version, of a sweep that another package brings.
        needs: what each run takes of a machine, and what starts it.
    """

    name: str
    recipe: str
    scale: str | None
    seeds: tuple[int, ...]
    arms: Mapping[str, Arm]
    package: Mapping[str, str] = field(default_factory=dict)
    needs: Needs = field(default_factory=Needs)

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
    path, package = _find(name)
    mapping = mapping_of(read_yaml(path), str(path), KEYS)
    for key in ("recipe", "seeds"):
        if mapping.get(key) in (None, "", []):
            raise UserError(f"{path} has no `{key}`: expected recipe, seeds, and arms or a grid")
    if not mapping.get("arms") and not mapping.get("grid"):
        raise UserError(f"{path} has no `arms` and no `grid`: expected one of them, or both")
    common = settings_of(mapping.get("common") or {}, f"{path}, common")
    return Plan(
        name=path.stem,
        recipe=_recipe(str(mapping["recipe"]), path),
        scale=mapping.get("scale"),
        seeds=seeds_of(mapping["seeds"], f"{path}, seeds"),
        arms=arms_of(mapping, {**common, **settings_of(overrides or {}, "--override")}, path),
        package=package,
        needs=needs_of(mapping, str(path)),
    )


def _find(name: str) -> tuple[Path, dict[str, str]]:
    if name.endswith((".yaml", ".yml")):
        if not Path(name).is_file():
            raise UserError(f"there is no sweep file {name}")
        return Path(name), {}
    found = the_one("sweep", name, shipped_sweeps(), "A path must end in .yaml.")
    return found.thing, found.foreign_version


def _recipe(recipe: str, path: Path) -> str:
    """A recipe file is looked for beside the sweep's own file."""
    return str(path.parent / recipe) if recipe.endswith((".yaml", ".yml")) else recipe
