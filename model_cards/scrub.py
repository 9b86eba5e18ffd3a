"""What must never stand on a page that strangers read: tokens, paths of a machine, our markers.

A card's values come from command lines, configurations and logs, where all three may stand.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, TypeVar

from hf_grok.text import credentials

T = TypeVar("T")

TOKEN_REMOVED = "(token removed)"

# Between a page's markers a person's text is kept: no value may pretend to be one.
_MARKER = re.compile(r"<!--\s*hf-grok:[^\n]*?(?:-->|$)", re.MULTILINE)
_WINDOWS = re.compile(r"(?:[A-Za-z]:[\\/]|\\\\)")
_HOME = re.compile(r"~[\w.-]*/")
_FILE_URL = re.compile(r"file://[^\s\"'`<>]+")
# A path begins a word, or follows a quote, a bracket, "=", "," or ":". A URL's "//" is none,
# nor is the end of an HTML element.
_PATH = re.compile(
    r"(?<![^\s\"'`=,;:(\[{<>|])"
    r"(?!(?<=<)/\w+>)(?:~[\w.-]*/|/(?![/\s])|[A-Za-z]:[\\/](?![\\/])|\\\\)"
    r"[^\s\"'`,;|)\]}<>]+"
)


def scrub(text: str) -> str:
    """The text without tokens and markers, every absolute path reduced to its last name.

    "/home/me/runs/a b" -> "a b"; "out=/tmp/x/y, hf_..." -> "out=y, (token removed)". URLs, other
    than those of files, stay; so do relative paths.
    """
    text = _MARKER.sub("(marker removed)", credentials.mask(text, by=TOKEN_REMOVED))
    if _is_path(text):
        return _last_name(text)
    text = _FILE_URL.sub(lambda found: _last_name(found[0]), text)
    return _PATH.sub(lambda found: _last_name(found[0]), text)


def scrubbed(value: T) -> T:
    """`scrub` applied to every string inside data classes, mappings and sequences, keys too."""
    cleaned: Any = value
    if isinstance(value, str):
        cleaned = scrub(value)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value) if field.init]
        changes = {name: scrubbed(getattr(value, name)) for name in names}
        cleaned = dataclasses.replace(value, **changes)
    elif isinstance(value, Mapping):
        cleaned = {scrubbed(key): scrubbed(item) for key, item in value.items()}
    elif isinstance(value, list | tuple):
        cleaned = type(value)(scrubbed(item) for item in value)
    return cleaned


def _is_path(text: str) -> bool:
    """Whether the whole text is one absolute path, spaces in it or not."""
    absolute = PurePosixPath(text).is_absolute() and not text.startswith("//")
    return "\n" not in text and bool(absolute or _WINDOWS.match(text) or _HOME.match(text))


def _last_name(path: str) -> str:
    kind = PureWindowsPath if _WINDOWS.match(path) else PurePosixPath
    return kind(path).name or path
