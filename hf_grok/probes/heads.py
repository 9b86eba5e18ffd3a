"""Gold heads as whatever data set has them: numbers, text, or none."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any

from hf_grok.errors import UserError

# How treebanks and tables write that there is no head; -1 throughout says the same of a sentence.
_NONE = ("None", "none", "null", "NULL", "nan", "NaN", "_", "")
_UNPARSED = -1


def read_heads(given: Any, words: Sequence[str], where: str) -> list[int] | None:
    """The heads of a sentence as whole numbers; None for an unparsed one, in which no word has any.

    Numbers may be text ("3") or floats without a fraction (3.0), as tables keep them. None, NaN,
    "None" and "_" are no head.

    Args:
        given: one head a word, from 1, with 0 for the root; None or nothing where unparsed.
        words: of the sentence, for messages.
        where: "row 3"; a message starts with it.

    Raises:
        UserError: what is no number; words without a head beside others with one.
    """
    if given is None:
        return None
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise UserError(f"{where}: heads are {given!r}: expected a list with one number a word")
    heads = [_head(value, number, where) for number, value in enumerate(given, start=1)]
    if all(head is None or head == _UNPARSED for head in heads):
        return None
    if None in heads:
        place = heads.index(None)
        word = repr(words[place]) if place < len(words) else "beyond the last word"
        raise UserError(
            f"{where}: word {place + 1} ({word}) has no head ({list(given)[place]!r}) and others "
            "have one: the range of a multiword token, or an empty node, is no word, and heads are "
            "numbered without it. Leave such tokens out of words, heads and deprels, as a "
            ".conllu file is read here"
        )
    return [head for head in heads if head is not None]


def _head(value: Any, number: int, where: str) -> int | None:
    if isinstance(value, str):
        text = value.strip()
        if text in _NONE:
            return None
        if text.isascii() and text.removeprefix("-").isdigit() and len(text) < 10:
            return int(text)
    if value is None:
        return None
    if isinstance(value, Real) and not isinstance(value, bool):
        exact = float(value)
        if math.isnan(exact):
            return None
        if exact.is_integer():
            return int(exact)
    raise UserError(
        f"{where}: the head of word {number} is {value!r}: expected the number of a word, or 0 for "
        "the root"
    )
