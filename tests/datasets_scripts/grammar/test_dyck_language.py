"""The automaton, the measures of a string, and the counts, against hand work and enumeration."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product

import pytest

from hf_grok.datasets_scripts.grammar.dyck_language import (
    DyckLanguage,
    count_strings,
    count_strings_of_blocks,
    count_structures,
    draw_structure,
    draw_types,
    measure,
)


def scripted(*values: float) -> Callable[[], float]:
    """Draws that come from a list; asking for one more is an error."""
    return iter(values).__next__


OPEN, CLOSE, END = 0.1, 0.9, 0.9


def enumerate_structures(max_depth: int, max_length: int) -> Iterator[str]:
    """Every non-empty well nested string of one type of bracket, by filtering all strings."""
    for length in range(2, max_length + 1, 2):
        for symbols in product("()", repeat=length):
            depths = [0]
            for symbol in symbols:
                depths.append(depths[-1] + (1 if symbol == "(" else -1))
            if depths[-1] == 0 and min(depths) == 0 and max(depths) <= max_depth:
                yield "".join(symbols)


def split_blocks(structure: str) -> list[str]:
    """Top-level blocks by repeatedly taking the shortest balanced prefix."""
    blocks = []
    while structure:
        length = next(n for n in range(2, len(structure) + 1) if structure[:n].count("(") * 2 == n)
        blocks.append(structure[:length])
        structure = structure[length:]
    return blocks


@pytest.mark.parametrize(
    ("text", "depth", "distances"),
    [
        ("(1 )1 (2 )2", 1, [1, 1]),
        ("(3 (1 )1 )3", 2, [1, 3]),
        ("(3 (1 )1 (2 (2 )2 )2 )3 (1 )1", 3, [1, 1, 3, 7, 1]),
        ("(1 (1 (1 (1 )1 )1 )1 )1", 4, [1, 3, 5, 7]),
    ],
)
def test_measure_by_hand(text: str, depth: int, distances: list[int]) -> None:
    assert measure(text.split()) == (depth, distances)


def test_the_end_is_refused_below_four_words() -> None:
    # Nothing is drawn at the empty stack for the first two blocks: opening is all there is.
    uniform = scripted(CLOSE, CLOSE, END)
    assert draw_structure(DyckLanguage(1, 2, 0), uniform) == ["()", "()"]


def test_only_the_close_is_left_at_the_greatest_depth() -> None:
    # Depth 1: open; depth 2: forced close; depth 1: close.
    uniform = scripted(OPEN, CLOSE, END)
    assert draw_structure(DyckLanguage(1, 2, 0), uniform) == ["(())"]
    assert draw_structure(DyckLanguage(1, 1, 0), scripted(OPEN, END)) == ["()", "()", "()"]


def test_a_draw_that_outgrows_the_limit_is_thrown_away() -> None:
    language = DyckLanguage(1, 3, 4)
    assert draw_structure(language, scripted(OPEN, CLOSE, CLOSE, END)) == ["(())"]
    assert draw_structure(language, scripted(OPEN, OPEN)) is None
    assert draw_structure(language, scripted(CLOSE, CLOSE, OPEN)) is None


def test_types_are_uniform_and_close_what_was_opened() -> None:
    assert draw_types(["(())", "()"], 4, scripted(0.5, 0.0, 0.99)) == "(3 (1 )1 )3 (4 )4"
    uniform = random.Random(0).random
    kinds = Counter(draw_types(["()"], 5, uniform) for _ in range(20_000))
    assert sorted(kinds) == [f"({kind} ){kind}" for kind in range(1, 6)]
    assert all(abs(count - 4_000) < 5 * (4_000 * 0.8) ** 0.5 for count in kinds.values())


def test_frequencies_are_the_automatons() -> None:
    """Each short structure as often as the product of its choices says, within five sigma."""
    draws = 40_000
    uniform = random.Random(1).random
    language = DyckLanguage(2, 3, 0)
    drawn = Counter("".join(draw_structure(language, uniform) or ()) for _ in range(draws))
    assert max(depth_of(structure) for structure in drawn) == 3
    for structure in enumerate_structures(4, 8):
        expected = probability(structure, 3)
        deviation = 5 * (draws * expected * (1 - expected)) ** 0.5
        assert abs(drawn[structure] - draws * expected) <= deviation, structure
    assert "()" not in drawn


def depth_of(structure: str) -> int:
    return max(structure[:n].count("(") - structure[:n].count(")") for n in range(len(structure)))


def probability(structure: str, max_depth: int) -> float:
    """Product of the automaton's choices, read off the definition state by state."""
    total, depth = 1.0, 0
    for position, symbol in enumerate([*structure, "END"]):
        if depth == 0:
            allowed = ["("] if position < 4 else ["(", "END"]
        else:
            allowed = [")"] if depth == max_depth else ["(", ")"]
        if symbol not in allowed:
            return 0.0
        total /= len(allowed)
        depth += {"(": 1, ")": -1, "END": 0}[symbol]
    return total


@pytest.mark.parametrize("max_depth", [1, 2, 3, 5])
@pytest.mark.parametrize("max_length", [4, 9, 10])
def test_counts_equal_enumeration(max_depth: int, max_length: int) -> None:
    structures = list(enumerate_structures(max_depth, max_length))
    lengths = Counter(len(structure) for structure in structures)
    assert count_structures(max_depth, max_length) == [
        1,
        *(lengths[length] for length in range(2, max_length + 1, 2)),
    ]
    strings = sum(3 ** (len(structure) // 2) for structure in structures if len(structure) >= 4)
    assert count_strings(DyckLanguage(3, max_depth, max_length)) == strings


@pytest.mark.parametrize("blocks", [{"()"}, {"(())"}, {"()", "(()())", "(())"}])
def test_count_of_strings_made_of_known_blocks_equals_enumeration(blocks: set[str]) -> None:
    expected = sum(
        2 ** (len(structure) // 2)
        for structure in enumerate_structures(3, 10)
        if len(structure) >= 4 and blocks.issuperset(split_blocks(structure))
    )
    assert count_strings_of_blocks(DyckLanguage(2, 3, 10), blocks) == expected


def test_vocabulary_is_both_sides_of_every_type() -> None:
    assert DyckLanguage(2, 1, 0).vocabulary == ("(1", ")1", "(2", ")2")
