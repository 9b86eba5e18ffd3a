"""Dyck-(k, m): well nested strings of k types of brackets, never more than m of them open.

The probabilistic automaton of Murty et al. 2023 (*Grokking of Hierarchical Structure in Vanilla
Transformers*): with nothing open it opens a bracket or ends, one half each; with something open it
opens another or closes the last, one half each; with m open it closes. The type of an opening
bracket is uniform over the k types and independent of everything else, so a string is drawn as
its structure (brackets without types, one string of "(" and ")" a top-level block) and its types.

Drawing uses nothing but `random.Random.random`, the one method whose sequence Python promises to
keep from version to version.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

SHORTEST = 4
"""Words below which the automaton may not end (Murty et al. 2023)."""

OPEN_PROBABILITY = 0.5
"""Opening has weight 1 against weight 1 for closing, or for ending when nothing is open."""


@dataclass(frozen=True)
class DyckLanguage:
    """Dyck-(brackets, max_depth), its strings no longer than `max_length` words.

    Attributes:
        brackets: k, the number of types of brackets.
        max_depth: m, how many brackets may be open at once.
        max_length: longest string in words; 0 means that there is no limit. Not part of the
            published definition: draws that outgrow it are thrown away and drawn again.
    """

    brackets: int
    max_depth: int
    max_length: int

    @property
    def longest(self) -> int:
        """The limit as a number that a length can be compared with."""
        return self.max_length or sys.maxsize

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The 2k words: ``(1 )1 (2 )2 ...``."""
        return tuple(f"{side}{kind}" for kind in range(1, self.brackets + 1) for side in "()")


def draw_block(uniform: Callable[[], float], max_depth: int, room: int) -> str | None:
    """One top-level block without its types, or None once it is longer than `room`.

    Args:
        uniform: draws from [0, 1).
        max_depth: m; with that many open only the close is left.
        room: the most symbols that the block may have.
    """
    symbols: list[str] = []
    depth = 0
    while len(symbols) < room:
        if depth == 0 or (depth < max_depth and uniform() < OPEN_PROBABILITY):
            symbols.append("(")
            depth += 1
        else:
            symbols.append(")")
            depth -= 1
            if depth == 0:
                return "".join(symbols)
    return None


def draw_structure(language: DyckLanguage, uniform: Callable[[], float]) -> list[str] | None:
    """The structure of one string, block by block, or None if it outgrew `max_length`."""
    blocks: list[str] = []
    length = 0
    while length < SHORTEST or uniform() < OPEN_PROBABILITY:
        block = draw_block(uniform, language.max_depth, language.longest - length)
        if block is None:
            return None
        blocks.append(block)
        length += len(block)
    return blocks


def draw_types(blocks: Iterable[str], brackets: int, uniform: Callable[[], float]) -> str:
    """The string ``(3 (1 )1 )3`` of a structure ``["(())"]``: types uniform over 1..brackets."""
    words: list[str] = []
    closes: list[str] = []
    for symbol in "".join(blocks):
        if symbol == "(":
            kind = 1 + int(uniform() * brackets)
            words.append(f"({kind}")
            closes.append(f"){kind}")
        else:
            words.append(closes.pop())
    return " ".join(words)


def measure(words: Sequence[str]) -> tuple[int, list[int]]:
    """Depth of a well nested string, and the distance of each close to its opening.

    Args:
        words: brackets such as ``["(3", "(1", ")1", ")3"]``.

    Returns:
        The most brackets open at once, and for every closing bracket, in order, how many words
        before it its opening bracket stands (1 where they are adjacent): ``(2, [1, 3])``.
    """
    openings: list[int] = []
    distances: list[int] = []
    depth = 0
    for position, word in enumerate(words):
        if word[0] == "(":
            openings.append(position)
            depth = max(depth, len(openings))
        else:
            distances.append(position - openings.pop())
    return depth, distances


def count_structures(max_depth: int, max_length: int) -> list[int]:
    """Entry h: how many structures have 2h symbols and a depth of at most `max_depth`.

    Returns:
        `max_length // 2 + 1` exact numbers, the first of them 1 for the empty string.
    """
    at_depth = [1] + [0] * max_depth
    counts = [1]
    for length in range(1, max_length - max_length % 2 + 1):
        below, above = [0, *at_depth[:-1]], [*at_depth[1:], 0]
        at_depth = [opened + closed for opened, closed in zip(below, above, strict=True)]
        if length % 2 == 0:
            counts.append(at_depth[0])
    return counts


def count_strings(language: DyckLanguage) -> int:
    """How many distinct strings the language has; it must have a `max_length`."""
    structures = count_structures(language.max_depth, language.max_length)
    return sum(count * language.brackets**half for half, count in enumerate(structures) if half > 1)


def count_strings_of_blocks(language: DyckLanguage, blocks: Iterable[str]) -> int:
    """How many distinct strings are made of the given block structures alone.

    Args:
        language: it must have a `max_length`.
        blocks: distinct structures of top-level blocks, such as ``{"()", "(())"}``.
    """
    typed = {
        half: count * language.brackets**half
        for half, count in Counter(len(block) // 2 for block in blocks).items()
    }
    counts = [1]
    for half in range(1, language.max_length // 2 + 1):
        counts.append(sum(n * counts[half - size] for size, n in typed.items() if size <= half))
    return sum(counts[SHORTEST // 2 :])
