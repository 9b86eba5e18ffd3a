"""Text files of strangers: UTF-8 or a message, whole or a line at a time, within bounds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hf_grok.errors import UserError

MAX_BYTES = 1 << 28
"""Of a file that is read at once."""
MAX_LINE = 1 << 24
"""Bytes of one line."""
_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"\xfd7zXZ\x00": "xz",
    b"BZh": "bzip2",
    b"(\xb5/\xfd": "zstd",
    b"PK\x03\x04": "zip",
}


@dataclass(frozen=True)
class Line:
    """One line, without its break.

    Attributes:
        file: as it was named.
        number: from 1.
        text: what stands there; empty where it could not be read.
        flaw: why it could not be read, for a reader that asked to be given such lines.
    """

    file: str
    number: int
    text: str
    flaw: UserError | None = None

    @property
    def place(self) -> str:
        """file:line."""
        return f"{self.file}:{self.number}"

    def error(self, message: str) -> UserError:
        """A `UserError` that starts with file:line."""
        return UserError(f"{self.place}: {message}")


def read_text(
    file: str | os.PathLike[str],
    *,
    largest: int = MAX_BYTES,
    error: type[UserError] = UserError,
) -> str:
    r"""A whole file as text; a byte-order mark is no part of it, and "\r\n" is "\n".

    Args:
        file: its path.
        largest: more bytes are refused before they are read.
        error: what is raised, for those who tell their own errors apart.

    Raises:
        UserError: no such file, one that cannot be opened, more than `largest` bytes, no UTF-8.
    """
    name = os.fspath(file)
    try:
        with open(name, "rb") as stream:
            content = stream.read(largest + 1)
    except FileNotFoundError:
        raise error(f"there is no file {name}") from None
    except (OSError, ValueError) as reason:
        raise error(f"{name} cannot be read: {reason}") from None
    if len(content) > largest:
        raise error(f"{name} has more than {largest:,} bytes, which no file of its kind has")
    return decoded(content, name, error=error).replace("\r\n", "\n")


def decoded(content: bytes, where: str, *, error: type[UserError] = UserError) -> str:
    """UTF-8 as text, a byte-order mark at its start left out.

    Raises:
        UserError: it is not UTF-8; says at which line of `where`.
    """
    try:
        return content.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError as reason:
        line = content.count(b"\n", 0, reason.start + len(_BOM)) + 1
        raise error(f"{where}:{line}: expected UTF-8 text{_hint(content, reason)}") from None


def read_lines(file: str | os.PathLike[str], *, flawed: bool = False) -> Iterator[Line]:
    r"""The lines of a UTF-8 file as they are read; they end in "\n" or "\r\n" and nowhere else.

    Other characters that count as line breaks to Unicode (U+0085, U+2028) are text.

    Args:
        file: its path.
        flawed: give a line that cannot be read with its flaw, and go on after it.

    Raises:
        UserError: there is no such file, or it cannot be opened; with file:line, a line that is
            not UTF-8 or longer than 16 MiB.
    """
    name = os.fspath(file)
    if not Path(name).is_file():
        raise UserError(f"there is no file {name!r}")
    try:
        with open(name, "rb") as stream:
            for number, content in enumerate(_tokens(stream), start=1):
                line = _line(name, number, content)
                if line.flaw is not None and not flawed:
                    raise line.flaw
                yield line
    except OSError as reason:
        raise UserError(f"{name} cannot be read: {reason}") from None


def _tokens(stream: BinaryIO) -> Iterator[bytes]:
    """Lines with their breaks; of one that is too long the beginning, which is too long too."""
    while token := stream.readline(MAX_LINE + 1):
        rest = token
        while len(rest) > MAX_LINE and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_LINE + 1)
        yield token


def _line(name: str, number: int, content: bytes) -> Line:
    place = f"{name}:{number}"
    if len(content) > MAX_LINE:
        return Line(name, number, "", UserError(f"{place}: a line of more than {MAX_LINE:,} bytes"))
    try:
        # A byte-order mark can stand at the very start only.
        text = (content.removeprefix(_BOM) if number == 1 else content).decode("utf-8")
    except UnicodeDecodeError as reason:
        told = f"{place}: expected UTF-8 text{_hint(content, reason)}"
        return Line(name, number, "", UserError(told))
    return Line(name, number, text.rstrip("\r\n"))


def _hint(content: bytes, reason: UnicodeDecodeError) -> str:
    if content.startswith(_UTF_16):
        return ", and this begins as UTF-16 does: save it as UTF-8"
    for mark, kind in _COMPRESSED.items():
        if content.startswith(mark):
            return f", and this is compressed by {kind}: decompress it first"
    return f"; {reason}"
