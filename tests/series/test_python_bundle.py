"""Several modules as one file: order, names, and what is refused."""

from __future__ import annotations

import ast

import pytest

from hf_grok.series import SeriesError
from hf_grok.series.code.python_bundle import bundle, packaged_source

SOURCES = {
    "hf_grok.main": '''"""What it is for.

At length.
"""

from __future__ import annotations

import math
from typing import Any

from hf_grok.low import CONSTANT
from hf_grok.middle import double

# How often.
TIMES = 2


def answer(scale: Any = math.pi) -> float:
    """Twice, and some."""
    return double(TIMES) + CONSTANT
''',
    "hf_grok.middle": '''"""The middle."""

from collections.abc import Callable, Iterable
from typing import Any

from hf_grok.low import CONSTANT, helper


def _same(value: Any) -> Any:
    return helper(value)


def double(value: Any) -> Any:
    return _same(value) * 2 + CONSTANT - CONSTANT


def unused(calls: Iterable[Callable]) -> None: ...
''',
    "hf_grok.low": '''"""The lowest."""

import difflib

CONSTANT = 0.5


def helper(value):
    return value  # as it is


class Never:
    near = difflib.get_close_matches
''',
}

EXPECTED = '''"""What it is for.

At length.
"""

import math
from typing import Any


# hf_grok/low.py

CONSTANT = 0.5


def helper(value):
    return value  # as it is


# hf_grok/middle.py


def _same(value: Any) -> Any:
    return helper(value)


def double(value: Any) -> Any:
    return _same(value) * 2 + CONSTANT - CONSTANT


# hf_grok/main.py

# How often.
TIMES = 2


def answer(scale: Any = math.pi) -> float:
    """Twice, and some."""
    return double(TIMES) + CONSTANT
'''


def of(**changes: str) -> str:
    changed = {f"hf_grok.{name}": source for name, source in changes.items()}
    return bundle("hf_grok.main", {**SOURCES, **changed}.__getitem__)


def test_definitions_come_before_their_use_and_only_those_that_are_needed() -> None:
    assert of() == EXPECTED
    names: dict[str, object] = {}
    exec(compile(of(), "bundle", "exec"), names)
    assert names["answer"]() == 4.5


def test_a_statement_that_defines_nothing_stays() -> None:
    assert 'print("registered")' in of(low=SOURCES["hf_grok.low"] + 'print("registered")\n')


def test_annotations_are_evaluated() -> None:
    """As the modules that check types by them need it."""
    assert "__future__" not in of(main=SOURCES["hf_grok.main"] + "\nannotations = answer\n")


@pytest.mark.parametrize(
    ("module", "source", "message"),
    [
        ("low", "from hf_grok.main import answer\nCONSTANT = helper = 1\n", "in a cycle"),
        ("low", "CONSTANT = 1\n", "hf_grok.low does not define helper"),
        ("low", "CONSTANT = 1; helper = 2\n", "hf_grok.low:1: two statements"),
        ("low", "def helper():\n    import hf_grok.x\nCONSTANT = 1\n", "inside a statement"),
        ("low", "def helper():\n    from . import x\nCONSTANT = 1\n", "inside a statement"),
        ("main", "import hf_grok.low\n", "hf_grok.main:1: expected"),
        ("main", "from hf_grok.low import helper as other\n", "hf_grok.main:1: expected"),
        ("main", "from .low import helper\n", "hf_grok.main:1: expected"),
        ("main", "from math import *\n", "no star"),
        ("main", "from hf_grok.low import helper\nCONSTANT = helper\n", None),
        ("main", "from hf_grok.middle import double\nCONSTANT = double\n", "CONSTANT means two"),
        (
            "main",
            "from hf_grok.middle import double\nfrom re import A as Any\nAny, double\n",
            "Any",
        ),
    ],
)
def test_what_one_file_cannot_hold(module: str, source: str, message: str | None) -> None:
    if message is None:
        assert ast.parse(of(**{module: source}))
        return
    with pytest.raises(SeriesError, match=message):
        of(**{module: source})


def test_a_package_without_sources() -> None:
    with pytest.raises(SeriesError, match="install hf-grok with sources"):
        packaged_source("hf_grok.models.not_there")
