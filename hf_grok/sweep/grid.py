"""A grid of settings as arms: one arm for each combination of values, named by what differs.

`grid: {layers: [2, 4], hidden_size: [64, 128]}` beside `arms: {base: {}, sham: {...}}` gives
`base-layers-2-hidden_size-64` and so on: every arm in every cell; without `arms`, the cells alone.
An arm that branches off another does so in the same cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from hf_grok.errors import UserError
from hf_grok.text.printable import quoted

_UNFIT = re.compile(r"[^A-Za-z0-9._+-]+")


def cells_of(grid: Any, where: str) -> list[dict[str, Any]]:
    """Every combination of the grid's values, the last key's changing fastest.

    Args:
        grid: argument name -> list of different values.
        where: of the grid, for messages.

    Raises:
        UserError: no mapping to lists, an empty list, a value that stands there twice.
    """
    if not isinstance(grid, dict) or not grid:
        raise UserError(
            f"{where}: expected argument names with lists of values, got {quoted(grid)}"
        )
    for key, values in grid.items():
        if not isinstance(values, list) or not values:
            raise UserError(f"{where}, {key}: expected a list of values, got {quoted(values)}")
        for position, value in enumerate(values):
            if value in values[:position]:
                raise UserError(f"{where}, {key}: the value {quoted(value)} stands there twice")
    return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]


def cell_name(cell: Mapping[str, Any]) -> str:
    """KEY-VALUE of each setting, fit for a folder: `layers-2-sas_schedule-0-0.3`."""
    return "-".join(f"{key}-{_UNFIT.sub('-', str(value))}" for key, value in cell.items())


def expanded(
    arms: Mapping[str, Any], grid: Any, where: str
) -> dict[str, tuple[Any, dict[str, Any]]]:
    """Name -> (what the sweep's file says of the arm, its cell), for every arm in every cell.

    Args:
        arms: as the file has them; none for the cells alone.
        grid: as `cells_of` takes it.
        where: of the grid, for messages.

    Raises:
        UserError: as `cells_of`; an arm that sets what the grid sets; two arms of one name.
    """
    found: dict[str, tuple[Any, dict[str, Any]]] = {}
    for name, entry, cell in _all(arms, cells_of(grid, where)):
        _refuse_both(name, entry, cell, where)
        if name in found:
            raise UserError(
                f"{where}: {quoted(found[name][1])} and {quoted(cell)} would both be named {name}: "
                "give their runs names of your own, as arms"
            )
        found[name] = (entry, cell)
    return found


def _all(
    arms: Mapping[str, Any], cells: list[dict[str, Any]]
) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    for cell in cells:
        if not arms:
            yield cell_name(cell), {}, cell
        for arm, entry in arms.items():
            here = dict(entry) if isinstance(entry, dict) else entry
            if isinstance(here, dict) and "from" in here:
                here["from"] = f"{here['from']}-{cell_name(cell)}"
            yield f"{arm}-{cell_name(cell)}", here, cell


def _refuse_both(name: str, entry: Any, cell: Mapping[str, Any], where: str) -> None:
    both = sorted(set(entry) & set(cell)) if isinstance(entry, dict) else []
    if both:
        raise UserError(f"arm {name} sets {', '.join(both)}, which {where} sets too: say it once")
