"""Sham trees against all the trees that there are."""

from __future__ import annotations

import itertools
import random
import zlib
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import pytest

from hf_grok.annotation.heads import NONE, head_places
from hf_grok.annotation.sham import (
    LEFT_OUT,
    left_out,
    rooted,
    sentence_spans,
    sham_heads,
    sham_of_row,
    sham_tree,
    shared_arcs,
    word_keys,
)
from hf_grok.annotation.sham_chain import Chain
from hf_grok.annotation.sham_search import other_tree, same_offsets
from hf_grok.errors import UserError
from tests.annotation.slow_chain import slow_chain
from tests.sas.parsed import random_heads


def offsets(heads: Sequence[int]) -> list[int]:
    """head - i of every word, 0 for a root, sorted."""
    return sorted(head - word if head > 0 else 0 for word, head in enumerate(heads, start=1))


def is_tree(heads: Sequence[int]) -> bool:
    for word in range(1, len(heads) + 1):
        for _ in range(len(heads) + 1):
            if word == 0:
                break
            word = heads[word - 1]
        if word:
            return False
    return True


def forests(words: int) -> dict[tuple[int, ...], set[tuple[int, ...]]]:
    """All forests over so many words, by their offsets."""
    found = defaultdict(set)
    for heads in itertools.product(range(words + 1), repeat=words):
        if all(head != word for word, head in enumerate(heads, start=1)) and is_tree(heads):
            found[tuple(offsets(heads))].add(heads)
    return found


def test_the_search_finds_every_forest_of_the_same_offsets() -> None:
    for expected in [*forests(4).values(), *list(forests(5).values())[::6]]:
        gold = min(expected)
        found = set(map(tuple, same_offsets(rooted(gold))))
        assert found == {tuple(rooted(tree)) for tree in expected}
        other = other_tree(rooted(gold))
        assert (sham_tree(gold, 0) is None) == (other is None) == (len(expected) == 1)


@pytest.mark.parametrize("words", [1, 2, 3, 4, 6, 9, 17, 40])
def test_the_chain_makes_the_moves_of_the_definition(words: int) -> None:
    for seed in range(12):
        heads = rooted(random_heads(words, seed))
        if seed % 3 == 0 and words > 3:
            unparsed = next(word for word in range(words) if word not in heads)
            heads[unparsed] = NONE
        ours, theirs = random.Random(seed), random.Random(seed)
        chain = Chain(heads)
        moved = chain.go(100, ours.random)
        assert (moved, chain.tree, chain.arcs_of) == slow_chain(heads, 100, theirs.random)
        assert ours.random() == theirs.random()  # as many draws, too


def test_every_other_forest_of_the_same_offsets_comes_about_as_often() -> None:
    several = 0
    for expected in list(forests(4).values())[::3]:
        gold = min(expected)
        others = expected - {gold}
        if not others:
            continue
        draws = 10 * len(others) + 20
        found = Counter(tuple(sham_heads(gold, seed) or ()) for seed in range(draws))
        assert set(found) == others, gold
        even = draws / len(others)
        chi_square = sum((found[tree] - even) ** 2 / even for tree in others)
        # Mean is the degrees of freedom, variance twice that.
        freedom = len(others) - 1
        assert chi_square <= freedom + 7 * (2 * freedom) ** 0.5, gold
        several += freedom > 0
    assert several > 3


@pytest.mark.parametrize("words", [8, 13, 40])
def test_offsets_are_the_same_and_it_is_another_tree(words: int) -> None:
    shares = []
    for seed in range(30):
        gold = random_heads(words, seed)
        tree = sham_tree(gold, seed)
        assert tree is not None
        assert tree.heads != gold
        assert is_tree(tree.heads)
        assert tree == sham_tree(gold, seed)
        assert sorted(tree.arcs_of) == list(range(1, words + 1))
        for word, (head, giver) in enumerate(zip(tree.heads, tree.arcs_of, strict=True), start=1):
            lent = gold[giver - 1]
            assert (head - word if head else 0) == (lent - giver if lent else 0)
        shares.append(shared_arcs(gold, tree.heads))
    assert np.mean(shares) < 0.5
    assert len({tuple(sham_heads(gold, seed) or ()) for seed in range(10)}) > 5


@pytest.mark.parametrize("gold", [[2, 0], [2, 3, 0], [2, 3, 0, 3], [*range(2, 31), 0], [0], []])
def test_a_sentence_without_another_tree_says_so(gold: list[int]) -> None:
    assert sham_tree(gold, 0) is None
    assert list(same_offsets(rooted(gold))) == [rooted(gold)]


def test_a_search_that_gets_too_long_is_given_up() -> None:
    gold = rooted(random_heads(9, 3))
    assert other_tree(gold) is not None
    assert other_tree(gold, tries=5) is None


def test_the_draws_of_old_runs_stay() -> None:
    assert sham_heads([2, 3, 0, 5, 3, 5, 3], 1) == [0, 3, 1, 5, 6, 2, 6]


def test_unparsed_words_stay_and_are_nobodys_head() -> None:
    gold = [3, -1, 0, 3, -1, 4, 4, 7]
    for seed in range(40):
        sham = sham_heads(gold, seed)
        assert sham is not None
        assert [sham[1], sham[4]] == [-1, -1]
        assert not {2, 5} & set(sham)
        assert offsets([max(head, 0) for head in sham]) == offsets([max(h, 0) for h in gold])
    assert sham_heads([-1, -1], 0) is None


@pytest.mark.parametrize("heads", [[2, 1], [3, 0], [1], [-2], [2, -1]])
def test_what_is_no_tree_is_refused(heads: list[int]) -> None:
    with pytest.raises(UserError, match=r"has head|cycle"):
        sham_heads(heads, 0)


def test_both_numberings_have_the_same_sham_tree() -> None:
    for seed in range(30):
        gold, keys = random_heads(9, seed), np.arange(9)
        row = sham_of_row(np.array(head_places(gold)), keys, 5)
        content = np.concatenate([keys, head_places(gold)]).astype("<i8").tobytes()
        tree = sham_tree(gold, (5 << 32) + zlib.crc32(content))
        assert tree is not None
        assert row.heads.tolist() == head_places(tree.heads)
        for word, giver in enumerate(row.arcs_of.tolist()):
            assert giver == (tree.arcs_of[word] - 1 if tree.heads[word] else NONE)


def zero_based(*heads: int) -> np.ndarray:
    return np.array(heads)


def test_spans_of_sentences() -> None:
    none = NONE
    assert sentence_spans(zero_based(none, 2, none, 1, none, 6, none, none)) == [(1, 4), (5, 7)]
    assert sentence_spans(zero_based(none, none)) == []
    # Arcs that cross hold their words together; those that only touch at an edge do not.
    assert sentence_spans(zero_based(2, 3, none, none)) == [(0, 4)]
    assert sentence_spans(zero_based(1, none, 3, none)) == [(0, 2), (2, 4)]


def test_a_sentence_has_one_sham_tree_wherever_it_stands() -> None:
    gold = np.array(random_heads(9, 4)) - 1
    keys = word_keys(["the", "old", "dogs", "of", "the", "farm", "saw", "a", "cat"])
    alone = sham_of_row(gold, keys, 5)
    shifted = np.where(gold == NONE, NONE, gold + 4)
    row = np.concatenate([[1, NONE, 1, NONE], shifted, [NONE]])
    packed = sham_of_row(row, np.concatenate([[1, 2, 3, 4], keys, [5]]), 5)
    for found, expected in zip(packed, alone, strict=True):
        assert (found[4:13] == np.where(expected == NONE, NONE, expected + 4)).all()
        assert found[13] == NONE
    # Three words and a root between them have no other tree; the word behind takes no part.
    assert packed.heads[:4].tolist() == [LEFT_OUT] * 3 + [NONE]
    assert left_out(packed.heads, row) == (1, 2)
    other_words, other_seed = sham_of_row(gold, keys + 1, 5), sham_of_row(gold, keys, 6)
    assert (other_words.heads != alone.heads).any()
    assert (other_seed.heads != alone.heads).any()


def test_shared_arcs_go_either_way() -> None:
    assert shared_arcs([2, 0, 2], [0, 1, 1]) == 0.5
    assert shared_arcs([2, 0], [0, 1]) == 1
    assert np.isnan(shared_arcs([0, -1], [0, -1]))
