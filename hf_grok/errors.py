"""Errors that are the user's to mend: what was seen, where, what was expected, how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(ValueError):
    """Bad input. The command line prints its message alone, without a traceback."""


def unknown_name(kind: str, seen: str, allowed: Iterable[str], hint: str = "") -> UserError:
    """A `UserError` for a name outside `allowed`: lists them all and the nearest one.

    Args:
        kind: what is named, in the singular ("recipe", "split").
        seen: the unknown name.
        allowed: the names that would have done.
        hint: one more sentence, on how to mend it.
    """
    names = sorted(allowed)
    near = difflib.get_close_matches(seen, names, n=1)
    guess = f" Did you mean {near[0]!r}?" if near else ""
    tail = f" {hint}" if hint else ""
    return UserError(f"unknown {kind} {seen!r}: expected one of {', '.join(names)}.{guess}{tail}")
