"""Words of a command line, by the argument that they are for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hf_grok.errors import UserError

Words = dict[str, tuple[str, ...]]


def read_words(words: Sequence[str], switches: Mapping[str, bool]) -> Words:
    """argument -> the words given for it, in order: none for a switch that was only named.

    An argument is spelt in full, with underscores or hyphens (`--output_dir`, `--output-dir`);
    `--no_NAME` turns off what is on by default. Its values follow it, or stand behind "=".

    Args:
        words: as a shell gives them.
        switches: argument -> whether `--no_NAME` may be said of it.

    Raises:
        UserError: a word that belongs to no argument; an argument that is given twice.
        KeyError: an argument outside `switches`; its name as it was written.
    """
    read: dict[str, list[str]] = {}
    last: list[str] | None = None
    for word in words:
        if not word.startswith("--"):
            if last is None:
                raise UserError(f"{word!r} is the value of no argument: expected --NAME VALUE")
            last.append(word)
            continue
        written, equals, value = word[2:].partition("=")
        name, values = _named(written, switches)
        if equals and values:
            raise UserError(f"--{written} turns {name} off and takes no value, got {value!r}")
        if name in read:
            before = " ".join([f"--{name}", *read[name]])
            raise UserError(f"{name} is given twice, as {before!r} and as {word!r}: say it once")
        last = read[name] = values or ([value] if equals else [])
    return {name: tuple(values) for name, values in read.items()}


def _named(written: str, switches: Mapping[str, bool]) -> tuple[str, list[str]]:
    """The argument of that spelling, and what it is set to by it alone."""
    name = written.replace("-", "_")
    if name in switches:
        return name, []
    positive = name.removeprefix("no_")
    if positive != name and switches.get(positive):
        return positive, ["false"]
    raise KeyError(written)


def recipe_words(values: Mapping[str, Any], as_text: Callable[[Any], str]) -> Words:
    """A recipe's values as words; None leaves an argument at its default."""
    return {
        name: tuple(map(str, value)) if isinstance(value, list) else (as_text(value),)
        for name, value in values.items()
        if value is not None
    }


def on_the_line(words: Mapping[str, Sequence[str]]) -> list[str]:
    """The words of a command line; a value that looks like an option stays a value."""
    line = []
    for name, values in words.items():
        if len(values) == 1:
            line.append(f"--{name}={values[0]}")
        else:
            line += [f"--{name}", *values]
    return line
