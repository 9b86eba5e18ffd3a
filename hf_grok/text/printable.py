"""Text of strangers, fit to print: no control characters, nothing that reorders a line, short.

Names of branches, files and metrics, words and cells come from anybody. Printed raw they can move
the cursor, rewrite a line above, show a name that ends in "txt.exe" as "exe.txt", or fill a page.
"""

from __future__ import annotations

import reprlib
import unicodedata
from collections.abc import Iterable
from typing import Any

MESSAGE_LENGTH = 500
"""Characters of a message at most."""
_VALUE_LENGTH = 80
_LIST_LENGTH = 240
# Controls, formats (marks of direction, soft hyphens), halves of characters, breaks of Unicode.
_UNFIT = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Persian and the scripts of India spell with these two, and they move nothing.
_JOINERS = "\u200c\u200d"


def printable(text: str, keep: str = "") -> str:
    r"""The text with every character that is no visible one written out, as \x1b or \u202e.

    Args:
        text: whatever it holds.
        keep: characters that stay as they are, such as "\n".
    """
    if text.isprintable():
        return text
    return "".join(map(_escaped, text)) if not keep else _keeping(text, keep)


def shortened(text: str, length: int) -> str:
    """The text, or its beginning and end and how much was left out: never more than `length`."""
    if len(text) <= length:
        return text
    note = f" [... {len(text) - length:,} characters and more ...] "
    kept = max(0, length - len(note))
    head = kept - kept // 3
    return (text[:head] + note + text[len(text) - (kept - head) :])[:length]


def quoted(value: Any, length: int = _VALUE_LENGTH) -> str:
    """A value as Python writes it, printable and short, however large or deep it is."""
    return shortened(printable(_REPR.repr(value)), length)


def listed(names: Iterable[str], length: int = _LIST_LENGTH) -> str:
    """The names with commas between them; of many the first, and how many more there are."""
    every = [shortened(printable(name), _VALUE_LENGTH) for name in names]
    shown: list[str] = []
    for name in every:
        if sum(map(len, shown)) + 2 * len(shown) + len(name) > length:
            return f"{', '.join(shown)} and {len(every) - len(shown):,} more"
        shown.append(name)
    return ", ".join(shown)


def message(text: str) -> str:
    """A message in full or, of a longer one, its beginning and its end; printable.

    A line break is kept where an item of a list follows it ("- ...").
    """
    lines = shortened(text, 4 * MESSAGE_LENGTH).split("\n- ")
    return shortened("\n- ".join(map(printable, lines)), MESSAGE_LENGTH)


def _keeping(text: str, keep: str) -> str:
    return "".join(one if one in keep else _escaped(one) for one in text)


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _UNFIT or character in _JOINERS:
        return character
    return character.encode("unicode_escape").decode("ascii")


class _Short(reprlib.Repr):
    """Large containers and texts cut; a number of thousands of digits told by its length."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = _VALUE_LENGTH
        self.maxlevel = 3

    def repr_int(self, x: int, level: int) -> str:
        if x.bit_length() > 8 * _VALUE_LENGTH:
            return f"<a whole number of {x.bit_length():,} bits>"
        return super().repr_int(x, level)


_REPR = _Short()
