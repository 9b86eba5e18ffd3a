"""JSON of strangers: every way in which it can be wrong is one message with its place.

Numbers that Python cannot write again or that are not finite, keys that stand twice, nesting that
ends in a RecursionError elsewhere, half characters that no file can hold: refused here, once.
"""

from __future__ import annotations

import json
import math
import os
import re
from typing import Any, NoReturn

from hf_grok.errors import UserError
from hf_grok.text.files import MAX_BYTES, decoded, read_text
from hf_grok.text.printable import quoted

MAX_DEPTH = 60
MAX_DIGITS = 300
"""Digits of a whole number, all of which fit into a float."""
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def parse_json(
    text: str | bytes,
    where: str,
    *,
    nonfinite: bool = False,
    error: type[UserError] = UserError,
) -> Any:
    """The value of a JSON text.

    Args:
        text: one value and nothing after it.
        where: of the text: "file" or "file:line"; a text of several lines adds its own.
        nonfinite: read NaN, Infinity and numbers beyond the largest float, which a log of a run
            that diverged holds; refused otherwise.
        error: what is raised.

    Raises:
        UserError: it is no JSON, a key stands twice in one object, a number is not finite or has
            more than 300 digits, nesting goes deeper than 60, a text holds half a character.
    """
    if isinstance(text, bytes):
        text = decoded(text, where, error=error)
    try:
        found = json.loads(text, **(_LOOSE if nonfinite else _STRICT))
    except json.JSONDecodeError as reason:
        line = f":{reason.lineno}" if "\n" in text else ""
        seen = text.split("\n")[reason.lineno - 1]
        raise error(
            f"{where}{line}: expected JSON, but {reason.msg[:1].lower()}{reason.msg[1:]} at column "
            f"{reason.colno}: {quoted(seen)}"
        ) from None
    except RecursionError:
        raise error(f"{where}: nested more than {MAX_DEPTH} deep") from None
    except _RefusedError as reason:
        raise error(f"{where}: {reason}") from None
    if not isinstance(found, str | int | float | None):
        _check_depth(found, where, error)
    _check_texts(found, text, where, error)
    return found


def parse_object(
    text: str | bytes,
    where: str,
    *,
    nonfinite: bool = False,
    error: type[UserError] = UserError,
) -> dict[str, Any]:
    """As `parse_json`, where the value must be an object.

    Raises:
        UserError: as `parse_json`; it is no object.
    """
    found = parse_json(text, where, nonfinite=nonfinite, error=error)
    if not isinstance(found, dict):
        raise error(f"{where}: expected a JSON object, got {quoted(found)}")
    return found


def read_json(
    file: str | os.PathLike[str],
    *,
    nonfinite: bool = False,
    largest: int = MAX_BYTES,
    error: type[UserError] = UserError,
) -> Any:
    """The value of a JSON file.

    Raises:
        UserError: as `read_text` and `parse_json`.
    """
    text = read_text(file, largest=largest, error=error)
    return parse_json(text, os.fspath(file), nonfinite=nonfinite, error=error)


def read_object(
    file: str | os.PathLike[str],
    *,
    nonfinite: bool = False,
    largest: int = MAX_BYTES,
    error: type[UserError] = UserError,
) -> dict[str, Any]:
    """The object of a JSON file.

    Raises:
        UserError: as `read_text` and `parse_object`.
    """
    text = read_text(file, largest=largest, error=error)
    return parse_object(text, os.fspath(file), nonfinite=nonfinite, error=error)


class _RefusedError(Exception):
    """What a hook of the parser does not take; never leaves this module."""


def _whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise _RefusedError(
            f"a whole number of {len(digits):,} digits: expected {MAX_DIGITS} at most"
        )
    return int(digits)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _refuse_constant(text)
    return number


def _refuse_constant(text: str) -> NoReturn:
    raise _RefusedError(f"{quoted(text)}: expected a finite number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _RefusedError(f"the key {quoted(twice)} stands twice in one object")
    return found


_LOOSE: dict[str, Any] = {"parse_int": _whole, "object_pairs_hook": _unique}
_STRICT: dict[str, Any] = {
    **_LOOSE,
    "parse_float": _finite,
    "parse_constant": _refuse_constant,
}


def _check_depth(found: Any, where: str, error: type[UserError]) -> None:
    level = [found]
    for _ in range(MAX_DEPTH + 1):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
        if not level:
            return
    raise error(f"{where}: nested more than {MAX_DEPTH} deep")


def _check_texts(found: Any, text: str, where: str, error: type[UserError]) -> None:
    r"""Refuse what was written as half of a pair, "\ud83d" alone: no file can hold it again."""
    if "\\ud" not in text and "\\uD" not in text:
        return
    if half := _SURROGATE.search(json.dumps(found, ensure_ascii=False)):
        raise error(f"{where}: a text holds half a character, {quoted(half[0])}")


def read_options(name: str, value: dict[str, Any] | str | None) -> dict[str, Any]:
    """A mapping given as such or as JSON text; None is an empty one.

    Raises:
        UserError: anything else; names the option.
    """
    if isinstance(value, str):
        value = parse_json(value, f"--{name}")
    if value is not None and not isinstance(value, dict):
        raise UserError(
            f'{name}: expected a JSON object such as {{"seed": 1}}, got {quoted(value)}'
        )
    return value or {}
