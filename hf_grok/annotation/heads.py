"""The head of each word of a sentence: its two numberings, how it is read, and its one check.

Data are numbered as in CoNLL-U: words from 1, 0 for a root, -1 for a word without a parse. So are
rows, `Sentence.heads`, the heads that a metric is given, and `hf_grok.sas.sham_heads`. Arrays
(batches, gold arcs of a probe, sham trees of a row) number words from 0, with `NONE` = -1 wherever
there is no arc: a root, a word without a parse, a special token, padding. `head_places` leads from
the one to the other. The published layout counts tokens in the place of words, from 0.

What is refused, where:

| | .conllu | probes | regulariser | published | metric `uas` |
|---|---|---|---|---|---|
| a head that is no whole number | no | no | no | no | no |
| more or fewer heads, or relations, than words | no | no | no | no | no |
| a head outside the sentence, or the word itself | no | no | no | no | no |
| heads that go in a cycle | no | no | no | no | no |
| every word with a head and none a root (a cycle) | no | no | no | no | no |
| several roots | no | yes | yes | yes | yes |
| no word with a head: None, "_", NaN, -1 throughout | no | left out | no arcs | no arcs | no |
| -1 at some words | no | left out | no arcs there | no arcs there | no |
| None or "_" at some words | no | no | no | no | no |

Columns: a treebank's file; rows of words, heads and deprels for a probe; such rows for the
regulariser and its sham trees; rows of input_ids, heads and relns; gold heads of the metric, whose
predictions need be in range only. What is left out, or has no arcs, is counted and told:
`AttentionUAS` logs the number of sentences, `ArcCounts` has those of the regulariser; in
`TokenClassLoss` such a sentence has no agreement sites. "_" at some words is the range of a
multiword token or an empty node, which is no word, so that heads are numbered without it.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Sequence
from functools import cache
from numbers import Real
from typing import Any

from hf_grok.errors import UserError

NONE = -1  # no head: of a word without a parse in data, of any word without an arc in arrays
ROOT = 0  # in the numbering of data

# How treebanks and tables write that there is no head; -1 throughout says the same of a sentence.
_NO_HEAD = ("None", "none", "null", "NULL", "nan", "NaN", "_", "")


@cache
def relation_id(name: str) -> int:
    """crc32 of the name: one number for a relation in every data set, order and process."""
    return zlib.crc32(name.encode())


def word_heads(given: Any, words: Sequence[str], where: str) -> list[int] | None:
    """`read_heads` and `check_heads`: the heads of a sentence, or None for an unparsed one."""
    heads = read_heads(given, where, words)
    if heads is not None:
        check_heads(heads, where, words)
    return heads


def read_heads(
    given: Any, where: str, words: Sequence[str] = (), *, unit: str = "word", first: int = 1
) -> list[int] | None:
    """Heads as whole numbers, not yet checked; None for an unparsed sentence (no word has any).

    Numbers may be text ("3") or floats without a fraction (3.0), as tables keep them. None, NaN,
    "None" and "_" are no head.

    Args:
        given: one head a word; None or nothing where unparsed.
        where: "row 3"; a message starts with it.
        words: of the sentence, for messages.
        unit: what has a head, for messages.
        first: its first number, for messages.

    Raises:
        UserError: what is no number; words without a head beside others with one.
    """
    if given is None:
        return None
    listed = _listed(given, where, unit)
    heads = heads_as_written(listed, where, unit, first)
    if all(head is None or head == NONE for head in heads):
        return None
    if None in heads:
        place = heads.index(None)
        named = f" ({words[place]!r})" if place < len(words) else ""
        raise UserError(
            f"{where}: {unit} {place + first}{named} has no head ({listed[place]!r}) and "
            "others have one: the range of a multiword token, or an empty node, is no word, and "
            "heads are numbered without it. Leave such tokens out of words, heads and deprels, as "
            "a .conllu file is read here, and as hf_grok.datasets_scripts.treebank_rows does with "
            "columns tokens, head and deprel"
        )
    return [head for head in heads if head is not None]


def heads_as_written(
    given: Any, where: str, unit: str = "word", first: int = 1
) -> list[int | None]:
    """Each head as a whole number, or None where there is none: "None", "_", NaN.

    Raises:
        UserError: no list, or what is no number.
    """
    listed = _listed(given, where, unit)
    return [_head(value, where, unit, at) for at, value in enumerate(listed, start=first)]


def _listed(given: Any, where: str, unit: str) -> list[Any]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise UserError(f"{where}: heads are {given!r}: expected a list with one number a {unit}")
    return list(given)


def check_heads(heads: Sequence[int], where: str, words: Sequence[str] | None = None) -> None:
    """Every head is another word, 0 or -1, and every way from head to head ends.

    Args:
        heads: as in CoNLL-U; -1 for words without a parse.
        where: what messages start with.
        words: of the sentence, where they are known.

    Raises:
        UserError: not one head for each word; a head outside the sentence, or the word itself;
            heads that go in a cycle.
    """
    if words is not None and len(heads) != len(words):
        raise UserError(
            f"{where}: {len(words)} words and {len(heads)} heads: expected one for each"
        )
    for number, head in enumerate(heads, start=1):
        if not NONE <= head <= len(heads) or head == number:
            named = f" ({words[number - 1]!r})" if words is not None else ""
            raise UserError(
                f"{where}: word {number}{named} has head {head}: expected the number of another "
                f"word (1 to {len(heads)}), 0 for the root or -1 for unparsed"
            )
    check_no_cycle(head_places(heads), where, first=1)


def check_relations(deprels: Sequence[str] | None, words: Sequence[str], where: str) -> None:
    """One relation for each word.

    Raises:
        UserError: there are more or fewer; it starts with `where`.
    """
    found = 0 if deprels is None else len(deprels)
    if found != len(words):
        raise UserError(f"{where}: {len(words)} words and {found} deprels: expected one for each")


def check_no_cycle(heads: Sequence[int], where: str, *, first: int = 0) -> None:
    """Every way from head to head ends at a word without one.

    Args:
        heads: from 0, in range; -1 for none.
        where: what the message starts with.
        first: the number of the first word in messages.

    Raises:
        UserError: heads that go in a cycle; names the words.
    """
    cycle = cycle_in(heads)
    if cycle:
        raise UserError(
            f"{where}: heads go in a cycle, {' -> '.join(str(at + first) for at in cycle)}: "
            "expected a tree; correct the heads, or set them to -1 if the sentence has no parse"
        )


def cycle_in(heads: Sequence[int]) -> list[int]:
    """The words of a cycle, the first of them once more at the end; empty where there is none.

    Args:
        heads: from 0, in range; -1 for none.
    """
    seen = [False] * len(heads)
    for word in range(len(heads)):
        path: list[int] = []
        while word != NONE and not seen[word]:
            # Marked as it is walked: meeting a marked word is either the way of another word,
            # which ended, or this very way, which did not.
            seen[word] = True
            path.append(word)
            word = heads[word]
        if word != NONE and word in path:
            return [*path[path.index(word) :], word]
    return []


def head_places(heads: Sequence[int]) -> list[int]:
    """Heads as in CoNLL-U numbered as in arrays: from 0, -1 for roots and words without a parse."""
    return [head - 1 if head > ROOT else NONE for head in heads]


def _head(value: Any, where: str, unit: str, number: int) -> int | None:
    if type(value) is int:  # as nearly all are, and quick
        return value
    if isinstance(value, str):
        text = value.strip()
        if text in _NO_HEAD:
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
        f"{where}: the head of {unit} {number} is {value!r}: expected the number of a {unit}, or 0 "
        "for the root"
    )
