"""Seeds as people write them: 0, 3, "0-9", "0-4,7"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from hf_grok.errors import UserError
from hf_grok.text.printable import quoted

_RANGE = re.compile(r"([0-9]{1,9})-([0-9]{1,9})")
_MOST = 10_000


def seeds_of(value: Any, where: str) -> tuple[int, ...]:
    """Whole numbers from numbers and ranges: "0-4" is 0, 1, 2, 3, 4; "0-2,7" is 0, 1, 2, 7.

    Args:
        value: [0, 1, 2], "0-9", "0-3,7", or ["0-3", 7].
        where: they stand, for messages.

    Raises:
        UserError: anything else, a range that runs backwards, a seed that comes twice.
    """
    try:
        seeds = tuple(seed for part in _parts(value) for seed in _seeds(part))
    except ValueError:
        seeds = ()
    if not seeds or len(set(seeds)) < len(seeds):
        raise UserError(
            f"{where}: expected different whole numbers such as [0, 1, 2], or ranges such as 0-9 "
            f"or 0-4,7, got {quoted(value)}"
        )
    return seeds


def _parts(value: Any) -> Iterator[Any]:
    for one in value if isinstance(value, list) else [value]:
        yield from (part.strip() for part in one.split(",")) if isinstance(one, str) else [one]


def _seeds(part: Any) -> Iterable[int]:
    if type(part) is int and part >= 0:
        return (part,)
    if isinstance(part, str) and part.isascii() and part.isdigit():
        return (int(part),)
    found = _RANGE.fullmatch(part) if isinstance(part, str) else None
    if found is None:
        raise ValueError(part)
    first, last = int(found[1]), int(found[2])
    if not first <= last < first + _MOST:
        raise ValueError(part)
    return range(first, last + 1)
