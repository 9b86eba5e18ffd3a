"""What other packages bring: languages and probes by entry point, recipes and sweeps beside them.

An entry point of the group `hf_grok.languages` names a `hf_grok.languages.Language`. In the folder
of the module that it names, `recipes/NAME/SCALE.yaml` are recipes and `sweeps/NAME.yaml` sweeps, as
in this package. Nothing of another package is run until it is asked for by name.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Generic, TypeVar

from hf_grok.errors import UserError, unknown_name
from hf_grok.version import __version__

LANGUAGES = "hf_grok.languages"
OURS = "hf-grok"

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True)
class Brought(Generic[T]):
    """Something and the package that brings it.

    Attributes:
        package: name of the distribution.
        version: of it.
        thing: what it brings.
    """

    package: str
    version: str
    thing: T

    @property
    def is_ours(self) -> bool:
        """Whether it is this package's own."""
        return self.package == OURS

    @property
    def foreign_version(self) -> dict[str, str]:
        """Package -> version of what is another package's; nothing of what is ours."""
        return {} if self.is_ours else {self.package: self.version}

    def holding(self, thing: S) -> Brought[S]:
        """Something else of the same package."""
        return Brought(self.package, self.version, thing)

    def __str__(self) -> str:
        return f"{self.package} {self.version}"


def our(thing: T) -> Brought[T]:
    """Something of this package."""
    return Brought(OURS, __version__, thing)


def brought_points(group: str) -> tuple[Brought[EntryPoint], ...]:
    """The entry points of a group in other packages, not loaded; by name, then by package."""
    return _brought_points(group, tuple(sys.path))


@cache
def _brought_points(group: str, path: tuple[str, ...]) -> tuple[Brought[EntryPoint], ...]:
    """Read once for every `path`: all that is installed is looked through."""
    found = [
        Brought(point.dist.name, point.dist.version, point)
        for point in entry_points(group=group)
        if point.dist  # always, of those that are found on sys.path
    ]
    return tuple(sorted(found, key=lambda one: (one.thing.name, one.package)))


def by_name(
    brought: Iterable[Brought[EntryPoint]], ours: Iterable[str] = ()
) -> dict[str, list[Brought[EntryPoint | None]]]:
    """Name -> what goes by it, ours, which are not entry points, first."""
    known: dict[str, list[Brought[EntryPoint | None]]] = {name: [our(None)] for name in ours}
    for one in brought:
        known.setdefault(one.thing.name, []).append(one.holding(one.thing))
    return known


def brought_files(kind: str, pattern: str) -> Iterator[Brought[Path]]:
    """The files of this package's and of other packages' folders `kind`, this package's first.

    Args:
        kind: "recipes" or "sweeps".
        pattern: of the files in the folder.
    """
    yield from map(our, sorted((Path(__file__).parent / kind).glob(pattern)))
    folders = {}
    for brought in brought_points(LANGUAGES):
        # Not its `module`, which is none where the value is not of the form module:name.
        if folder := folder_of(brought.thing.value.partition(":")[0]):
            folders[brought.package, folder] = brought.version
    for (package, folder), version in sorted(folders.items()):
        for path in sorted((folder / kind).glob(pattern)):
            yield Brought(package, version, path)


def folder_of(module: str) -> Path | None:
    """The folder of a module's package, found without running it; None where there is none."""
    top, *rest = module.strip().split(".")
    spec = find_spec(top) if top.isidentifier() else None
    for location in (spec and spec.submodule_search_locations) or ():
        inner = Path(location, *rest)
        if inner.is_dir():
            return inner
        if inner.with_suffix(".py").is_file():
            return inner.parent
    return None


def packages_of(brought: Sequence[Brought[T]]) -> str:
    """The packages of one name, for a list of names: nothing of a name that is ours alone."""
    if len(brought) > 1:
        return f"  (refused, since two have it: {', '.join(map(str, brought))})"
    return "" if brought[0].is_ours else f"  ({brought[0]})"


def the_one(
    kind: str, name: str, known: Mapping[str, Sequence[Brought[T]]], hint: str = ""
) -> Brought[T]:
    """What goes by a name.

    Raises:
        UserError: nothing does, or things of two packages do.
    """
    if name not in known:
        raise unknown_name(kind, name, known, hint)
    if len(known[name]) > 1:
        raise UserError(
            f"{kind} {name!r} is brought by {' and by '.join(map(str, known[name]))}: which is "
            "meant cannot be told; uninstall one, or give its another name"
        )
    return known[name][0]
