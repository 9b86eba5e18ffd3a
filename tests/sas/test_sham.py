"""Sham trees against all the trees that there are."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import pytest

from hf_grok.errors import UserError
from hf_grok.sas.annotation import NONE
from hf_grok.sas.sham import sentence_spans, sham_heads, sham_of_row, shared_arcs
from tests.sas.parsed import random_heads

WORDS = 5


def lengths(heads: Sequence[int]) -> list[int]:
    """|i - head| of every word, 0 for a root, sorted."""
    return sorted(abs(word - head) if head > 0 else 0 for word, head in enumerate(heads, start=1))


def is_tree(heads: Sequence[int]) -> bool:
    for word in range(1, len(heads) + 1):
        for _ in range(len(heads) + 1):
            if word == 0:
                break
            word = heads[word - 1]
        if word:
            return False
    return True


def forests() -> dict[tuple[int, ...], set[tuple[int, ...]]]:
    """All forests over five words, by their lengths."""
    found = defaultdict(set)
    for heads in itertools.product(range(WORDS + 1), repeat=WORDS):
        if all(head != word for word, head in enumerate(heads, start=1)) and is_tree(heads):
            found[tuple(lengths(heads))].add(heads)
    return found


ALL = forests()


@pytest.mark.parametrize("key", ALL)
def test_every_forest_of_the_same_lengths_comes_about_as_often(key: tuple[int, ...]) -> None:
    expected = ALL[key]
    gold = min(expected)
    draws = 20 * len(expected) + 40
    found = Counter(tuple(sham_heads(gold, seed)) for seed in range(draws))
    assert set(found) == expected
    even = draws / len(expected)
    chi_square = sum((found[tree] - even) ** 2 / even for tree in expected)
    # Mean is the degrees of freedom, variance twice that.
    freedom = len(expected) - 1
    assert chi_square <= freedom + 6 * (2 * freedom) ** 0.5


@pytest.mark.parametrize("words", [2, 8, 13, 40])
def test_lengths_are_the_same_and_it_is_a_tree(words: int) -> None:
    shares = []
    for seed in range(30):
        gold = random_heads(words, seed)
        sham = sham_heads(gold, seed)
        assert lengths(sham) == lengths(gold)
        assert is_tree(sham)
        assert sham == sham_heads(gold, seed)
        shares.append(shared_arcs(gold, sham))
    if words >= 8:
        assert np.mean(shares) < 0.6
    if words == 40:
        assert len({tuple(sham_heads(gold, seed)) for seed in range(10)}) == 10


def test_the_draws_of_old_runs_stay() -> None:
    assert sham_heads([2, 3, 0, 5, 3, 5, 3], 1) == [2, 3, 7, 2, 6, 0, 6]


def test_unparsed_words_stay_and_are_nobodys_head() -> None:
    gold = [3, -1, 0, 3, -1, 4, 6]
    for seed in range(40):
        sham = sham_heads(gold, seed)
        assert [sham[1], sham[4]] == [-1, -1]
        assert not {2, 5} & set(sham)
        assert lengths([max(head, 0) for head in sham]) == lengths([max(h, 0) for h in gold])
    assert sham_heads([-1, -1], 0) == [-1, -1]
    assert sham_heads([], 0) == []
    assert sham_heads([0], 0) == [0]


@pytest.mark.parametrize("heads", [[2, 1], [3, 0], [1], [-2], [2, -1]])
def test_what_is_no_tree_is_refused(heads: list[int]) -> None:
    with pytest.raises(UserError, match=r"has head|circle"):
        sham_heads(heads, 0)


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
    keys = np.arange(9) * 7
    alone = sham_of_row(gold, keys, 5)
    shifted = np.where(gold == NONE, NONE, gold + 4)
    row = np.concatenate([[1, NONE, 1, NONE], shifted, [NONE]])
    packed = sham_of_row(row, np.concatenate([[1, 2, 3, 4], keys, [5]]), 5)
    assert (packed[4:13] == np.where(alone == NONE, NONE, alone + 4)).all()
    assert packed[13] == NONE
    assert set(packed[:4]) <= {NONE, 0, 1, 2}
    other_words, other_seed = sham_of_row(gold, keys + 1, 5), sham_of_row(gold, keys, 6)
    assert (other_words != alone).any()
    assert (other_seed != alone).any()


def test_shared_arcs_go_either_way() -> None:
    assert shared_arcs([2, 0, 2], [0, 1, 1]) == 0.5
    assert shared_arcs([2, 0], [0, 1]) == 1
    assert np.isnan(shared_arcs([0, -1], [0, -1]))
