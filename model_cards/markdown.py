"""Values in Markdown: whatever stands in them, they are shown as they are and change nothing else.

Cards are read on web pages, and their values come from configurations and from data.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from urllib.parse import quote

import jinja2

_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_PUNCTUATION = re.compile(r"([\\`*_{}\[\]#|~$])")
_BACKTICKS = re.compile("`+")
_BLANK_LINES = re.compile(r"\n{3,}")
_IN_TARGETS = "/:#?=&%@-._~"
MISSING = "-"
# A card is read by people who have never heard of the package that it names.
TO_INSTALL = (
    "`hf-grok` is a Python package. Until it is on the package index it is installed from a clone "
    "of its repository: `pip install .` there."
)


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


def number(value: float | None) -> str:
    """A number in a table: whole ones with commas, others to four digits; a dash for none."""
    if value is None:
        return MISSING
    whole = math.isfinite(value) and value == int(value)
    return f"{int(value):,}" if whole and abs(value) < 1e15 else f"{value:.4g}"


def score(value: float | None) -> str:
    """A result in a table: three decimals, or two digits where those would show none."""
    if value is None:
        return MISSING
    readable = value == 0 or 1e-3 <= abs(value) < 1e4
    return f"{value:.3f}" if readable else f"{value:.3g}"


def target(address: str) -> str:
    """The address of a link or a picture: nothing in it ends the parentheses around it."""
    return quote(address, safe=_IN_TARGETS)


def tidy(text: str) -> str:
    """A rendered text with single blank lines, none at its end, and a last line break."""
    return _BLANK_LINES.sub("\n\n", text).rstrip("\n") + "\n"


def _longest_run(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)


def environment() -> jinja2.Environment:
    """The templates of this folder; the functions above are their filters.

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
    for function in (plain, code, fenced, number, score, target):
        templates.filters[function.__name__] = function
    templates.globals["to_install"] = TO_INSTALL
    return templates
