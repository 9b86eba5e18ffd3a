"""Values in Markdown: whatever stands in them, they are shown as they are and change nothing else.

Cards are read on web pages, and their values come from configurations and from data.
"""

from __future__ import annotations

import re
from pathlib import Path

import jinja2

_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_PUNCTUATION = re.compile(r"([\\`*_{}\[\]#|~$])")
_BACKTICKS = re.compile("`+")


def plain(value: object) -> str:
    """Text inside a line or a table's cell: no markup, no HTML, no line break comes through."""
    line = " ".join(str(value).split())
    for symbol, entity in _HTML.items():
        line = line.replace(symbol, entity)
    return _PUNCTUATION.sub(r"\\\1", line)


def code(value: object) -> str:
    """Inline code inside a table's cell, where a bar must be escaped even in code."""
    line = " ".join(str(value).split()).replace("|", r"\|")
    fence = "`" * (_longest_run(line) + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}"


def fenced(value: object, language: str = "") -> str:
    """A block of code, its fence longer than any run of backticks in it."""
    text = str(value)
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)


def environment() -> jinja2.Environment:
    """The templates of this folder, with the filters `plain`, `code` and `fenced`.

    A name that a template misses is an error, never an empty string.
    """
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    templates.filters.update(plain=plain, code=code, fenced=fenced)
    return templates
