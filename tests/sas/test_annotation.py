"""What is checked and counted of arcs before they reach a batch."""

from __future__ import annotations

import pytest

from hf_grok.errors import UserError
from hf_grok.sas.annotation import (
    ANNOTATION,
    ArcCounts,
    check_no_cycle,
    check_word_heads,
    is_parsed,
    relation_id,
)
from tests.sas.parsed import random_heads

WORDS = ["the", "cat", "sleeps", "."]


def test_names_and_numbers_are_those_of_saved_data() -> None:
    assert (
        *("arc_word_of", "arc_heads", "arc_relations"),
        *("arc_sham_heads", "arc_sham_relations"),
    ) == ANNOTATION
    assert relation_id("nsubj") == 826022555
    assert relation_id("acl:relcl") != relation_id("acl")


@pytest.mark.parametrize("heads", [[2, 3, 0, 3], [-1, 3, 0, 3], [0, 0, 0, 0], [2, -1, -1, 3]])
def test_trees_and_forests_pass(heads: list[int]) -> None:
    check_word_heads(WORDS, heads, "row 3")


@pytest.mark.parametrize(
    ("heads", "message"),
    [
        ([2, 5, 0, 3], r"row 3: word 2 \('cat'\) has head 5: expected .* \(1 to 4\)"),
        ([2, -2, 0, 3], r"row 3: word 2 \('cat'\) has head -2"),
        ([2, 3, 3, 3], r"row 3: word 3 \('sleeps'\) has head 3: expected the number of another"),
        ([2, 3, 0], r"row 3: 4 words and 3 heads"),
        ([2, 3, 1, 0], r"row 3: heads go in a circle, 1 -> 2 -> 3 -> 1"),
        ([0, 3, 4, 3], r"row 3: heads go in a circle, 3 -> 4 -> 3"),
    ],
)
def test_what_is_no_tree_is_refused(heads: list[int], message: str) -> None:
    with pytest.raises(UserError, match=message):
        check_word_heads(WORDS, heads, "row 3")


def test_circles_are_found_wherever_they_are() -> None:
    for seed in range(200):
        heads = [head - 1 for head in random_heads(8, seed)]
        check_no_cycle(heads, "row")
        ancestors, word = [], seed % 8
        while word != -1:
            ancestors.append(word)
            word = heads[word]
        if len(ancestors) > 1:
            heads[ancestors[-1]] = ancestors[0]
            with pytest.raises(UserError, match="circle"):
                check_no_cycle(heads, "row")


def test_unparsed() -> None:
    assert not any(is_parsed(heads) for heads in (None, [], [-1, -1]))
    assert is_parsed([-1, 0])


def test_counts_add_up_and_read_well() -> None:
    counts = ArcCounts(sentences=999, unparsed=2, arcs=7000, cut=3, roots=998)
    counts.add(ArcCounts(sentences=1, unparsed=1))
    assert str(counts) == (
        "3 of 1,000 sentences unparsed; 7,000 arcs, 3 more cut off by truncation; 998 roots, "
        "which are no arcs"
    )
