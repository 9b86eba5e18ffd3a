"""Command-line options from a config dataclass: its fields, types, defaults and docstring.

Nothing is listed a second time, so an option cannot be missing or say what is no longer so.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any, get_type_hints

_SECTIONS = ("Args:", "Attributes:")
_ENTRY = re.compile(r" {4}(\w+): (.*)")


def add_config_options(
    parser: argparse.ArgumentParser,
    config_class: type[Any],
    fields: Sequence[dataclasses.Field[Any]],
    defaults: Any,
) -> None:
    """Add `--field-name` for every field, grouped by the class that brought it.

    An option that is not given is absent from the parsed namespace.

    Args:
        parser: gets the options.
        config_class: a dataclass; its docstring and its bases' describe the fields.
        fields: which of its fields.
        defaults: an instance, for the defaults that `--help` shows.
    """
    types = get_type_hints(config_class)
    helps = documented_fields(config_class)
    for owner, owned in by_owner(config_class, fields).items():
        group = parser.add_argument_group(_first_line(owner))
        for name in owned:
            text = f"{helps.get(name, '')} (default: {getattr(defaults, name)})".strip()
            group.add_argument(
                f"--{name.replace('_', '-')}",
                help=text.replace("%", "%%"),
                default=argparse.SUPPRESS,
                **_kind(name, types[name]),
            )


def by_owner(
    config_class: type[Any], fields: Sequence[dataclasses.Field[Any]]
) -> dict[type[Any], list[str]]:
    """Class that first declares fields -> their names, bases first."""
    left = [field.name for field in fields]
    owners: dict[type[Any], list[str]] = {}
    for owner in reversed(config_class.__mro__):
        declared = inspect.get_annotations(owner)
        owners[owner] = [name for name in left if name in declared]
        left = [name for name in left if name not in declared]
    return {owner: names for owner, names in owners.items() if names}


def documented_fields(config_class: type[Any]) -> dict[str, str]:
    """Field -> what the Args or Attributes of the class's and its bases' docstrings say of it."""
    found: dict[str, str] = {}
    for owner in reversed(config_class.__mro__):
        found.update(_entries(inspect.cleandoc(owner.__doc__ or "").splitlines()))
    return found


def _entries(lines: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    inside, name = False, ""
    for line in lines:
        if line and not line.startswith(" "):
            inside = line in _SECTIONS
        elif inside and (entry := _ENTRY.fullmatch(line)):
            name = entry[1]
            found[name] = entry[2]
        elif inside and line.strip() and name:
            found[name] += f" {line.strip()}"
    return found


def _first_line(owner: type[Any]) -> str:
    return inspect.cleandoc(owner.__doc__ or owner.__name__).splitlines()[0].rstrip(".")


def _kind(name: str, kind: Any) -> Mapping[str, Any]:
    if kind is bool:
        return {"action": argparse.BooleanOptionalAction}
    if kind is int:
        return {"type": int, "metavar": "N"}
    if kind in (float, str):
        return {"type": kind, "metavar": "X" if kind is float else "NAME"}
    raise TypeError(f"config field {name}: {kind!r} cannot be given on a command line")
