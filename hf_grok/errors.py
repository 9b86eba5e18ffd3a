"""Errors that are the user's to fix: what was seen, where, what was expected, how to fix it."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable

from hf_grok.text.printable import listed, message, quoted


class UserError(ValueError):
    """Bad input. The command line prints its message alone, without a traceback.

    Whatever strangers' text is quoted in it, it is at most 500 characters long and holds no control
    character and no mark of direction.
    """

    def __init__(self, text: str) -> None:
        super().__init__(message(text))


# What the system refuses, and no traceback explains better.
_REFUSALS = ("EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT")


def refused_by_system(error: OSError) -> str | None:
    """What to say where a file may not be read or written or has no room; None for other errors."""
    if error.errno not in {getattr(errno, name, None) for name in _REFUSALS}:
        return None
    where = f"{quoted(str(error.filename))}: " if error.filename else ""
    return f"{where}{error.strerror}. Expected a place that you may read or write, with room left"


def unknown_name(kind: str, seen: str, allowed: Iterable[str], hint: str = "") -> UserError:
    """A `UserError` for a name outside `allowed`: lists them (of many the first) and the nearest.

    Args:
        kind: what is named, in the singular ("recipe", "split").
        seen: the unknown name.
        allowed: the names that would have done.
        hint: one more sentence, on how to fix it.
    """
    names = sorted(allowed)
    near = difflib.get_close_matches(seen, names, n=1) if len(seen) < 200 else []
    guess = f" Did you mean {quoted(near[0])}?" if near else ""
    tail = f" {hint}" if hint else ""
    return UserError(
        f"unknown {kind} {quoted(seen)}: expected one of {listed(names)}.{guess}{tail}"
    )
