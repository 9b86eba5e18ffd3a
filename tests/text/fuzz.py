"""Seeded mutations of valid files, and what a reader owes to any bytes: a result or a message.

`benchmarks/fuzz_readers.py` runs a campaign of it; `test_fuzz.py` a few of each reader.
"""

from __future__ import annotations

import random
import re
import traceback
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hf_grok.errors import UserError

LONGEST = 500
Read = Callable[[Path], object]

_SPECIAL: tuple[bytes, ...] = (
    *(b"", b"\0", b"\xff", b"\xc3", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1b[2J", b"\r", b"\n", b"\t"),
    *(
        b"\xe2\x80\xae",
        b"\xe2\x81\xa6",
        b"\xe2\x80\xa8",
        b"\xc2\x85",
        b"'",
        b'"',
        b"\\",
        b"\\ud800",
    ),
    *(b"9" * 5_000, b"-" + b"9" * 400, b"1e999", b"Infinity", b"NaN", b"-0", b"0.5", b"1_000"),
    *(b"null", b"true", b"-1", b"[]", b"{}", b'""', b"[1]", b'"x"', b'{"a": 1, "a": 2}', b".inf"),
    *(b"[" * 3_000, b'{"a":' * 3_000, b"- " * 3_000, b"&a [*a, *a]", b"*a", b"!!python/name:os"),
    *(b"100000000000000000", b"0:0.1", b"every:1", b"x" * 20_000, b"a b " * 4_000, b"2-1", b"1.1"),
)
_TOKEN = re.compile(rb'"[^"\n]*"|-?\d[\d.e+-]*|[A-Za-z_]+|[\[\]{}:,\t]')


def mutated(data: bytes, source: random.Random) -> bytes:
    """`data` with one to four changes: bytes, tokens, lines or whole tokens."""
    for _ in range(source.randint(1, 4)):
        data = source.choice(_CHANGES)(data, source)
    return data


def _flip(data: bytes, source: random.Random) -> bytes:
    place = source.randrange(len(data) + 1)
    return data[:place] + bytes([source.randrange(256)]) + data[place + 1 :]


def _insert(data: bytes, source: random.Random) -> bytes:
    place = source.randrange(len(data) + 1)
    return data[:place] + source.choice(_SPECIAL) + data[place:]


def _cut(data: bytes, source: random.Random) -> bytes:
    first, last = sorted(source.randrange(len(data) + 1) for _ in range(2))
    return data[:first] + data[min(last, first + 40) :]


def _end(data: bytes, source: random.Random) -> bytes:
    return data[: source.randrange(len(data) + 1)]


def _lines(data: bytes, source: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    if not lines:
        return data
    one = source.choice(lines)
    lines.insert(source.randrange(len(lines) + 1), one)
    if source.random() < 0.5:
        lines.remove(source.choice(lines))
    return b"".join(lines)


def _token(data: bytes, source: random.Random) -> bytes:
    """Another value where one stands: the likeliest way to a file of another shape."""
    tokens = list(_TOKEN.finditer(data))
    if not tokens:
        return data
    one = source.choice(tokens)
    other = source.choice([*_SPECIAL, source.choice(tokens)[0]])
    return data[: one.start()] + other + data[one.end() :]


_CHANGES = (_flip, _insert, _cut, _end, _lines, _token, _token, _token)


@dataclass(frozen=True)
class Outcome:
    """What a reader made of some bytes.

    Attributes:
        kind: "read", "refused" or "broken".
        told: what is wrong with it, for a broken one.
    """

    kind: str
    told: str = ""


def outcome_of(read: Read, file: Path) -> Outcome:
    """Read a file: anything but a result or a fit message is broken."""
    try:
        read(file)
    except UserError as error:
        wrong = _unfit(str(error))
        return Outcome("broken", wrong) if wrong else Outcome("refused")
    except (Exception, SystemExit):
        return Outcome("broken", traceback.format_exc())
    return Outcome("read")


def _unfit(text: str) -> str:
    """What a message or a printed page must not hold."""
    if len(text) > LONGEST:
        return f"{len(text)} characters: {text!r}"
    return controls_in(text)


def controls_in(text: str) -> str:
    """The first control character or mark of direction in a text, line breaks apart."""
    for one in text:
        if (
            unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")
            and one not in "\n\u200c\u200d"
        ):
            return f"{one!r} in {text!r}"
    return ""


def run_case(
    name: str, seeds: Mapping[str, bytes], readers: Mapping[str, Read], number: int, folder: Path
) -> tuple[Outcome, bytes]:
    """The outcome of case `number` of a reader, a function of both alone; and its bytes."""
    data = mutated(seeds[name], random.Random(f"{name}/{number}"))
    return outcome_of(readers[name], prepared(folder, data)), data


def prepared(folder: Path, data: bytes) -> Path:
    """A file of these bytes."""
    file = folder / "input"
    file.write_bytes(data)
    return file
