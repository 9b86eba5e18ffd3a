"""Lines of a text file that know where they stand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hf_grok.errors import UserError


@dataclass(frozen=True)
class Line:
    """One line, without its break.

    Attributes:
        file: as it was named.
        number: from 1.
        text: what stands there.
    """

    file: str
    number: int
    text: str

    def error(self, message: str) -> UserError:
        """A `UserError` that starts with file:line."""
        return UserError(f"{self.file}:{self.number}: {message}")


def read_lines(file: str | os.PathLike[str]) -> Iterator[Line]:
    r"""The lines of a UTF-8 file as they are read; they end in "\n" or "\r\n" and nowhere else.

    Other characters that count as line breaks to Unicode (U+0085, U+2028) are text.

    Raises:
        UserError: there is no such file; a line that is not UTF-8, with file:line.
    """
    name = os.fspath(file)
    if not Path(name).is_file():
        raise UserError(f"there is no file {name!r}")
    with open(name, "rb") as stream:
        for number, line in enumerate(stream, start=1):
            yield Line(name, number, _decoded(name, number, line))


def _decoded(name: str, number: int, line: bytes) -> str:
    try:
        # A byte-order mark can stand at the very start only.
        text = line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{name}:{number}: expected UTF-8 text; {error}") from None
    return text.rstrip("\r\n")
