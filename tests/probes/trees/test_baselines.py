"""Trees that have not seen the sentence, and F1."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
import torch
from torch import Tensor

from hf_grok.probes.trees.baselines import (
    f_scores,
    left_branching,
    random_branching,
    right_branching,
    span_matches,
)
from hf_grok.probes.trees.charts import span_matrix

Span = tuple[int, int]
WORDS = torch.tensor([6, 2, 4, 1, 5])
EDGES = 7


def random_trees(start: int, end: int) -> dict[frozenset[Span], Fraction]:
    """Every tree over [start, end) with its probability, each node splitting uniformly."""
    if end - start == 1:
        return {frozenset(): Fraction(1)}
    trees: Counter[frozenset[Span]] = Counter()
    for middle in range(start + 1, end):
        for left, of_left in random_trees(start, middle).items():
            for right, of_right in random_trees(middle, end).items():
                probability = of_left * of_right / (end - start - 1)
                trees[left | right | {(start, end)}] += probability
    return trees


def test_random_branching_by_enumeration() -> None:
    expected = torch.zeros(len(WORDS), EDGES, EDGES, dtype=torch.float64)
    for number, words in enumerate(WORDS.tolist()):
        trees = random_trees(0, words)
        assert sum(trees.values()) == 1
        for tree, probability in trees.items():
            for span in tree:
                expected[number][span] += float(probability)
    torch.testing.assert_close(random_branching(WORDS, EDGES), expected)


@pytest.mark.parametrize("trees", [right_branching, left_branching, random_branching])
def test_a_binary_tree_has_one_span_less_than_words(trees: object) -> None:
    counts = trees(WORDS, EDGES).double().sum((1, 2))
    torch.testing.assert_close(counts, (WORDS - 1).double())


def test_branching_by_hand() -> None:
    words = torch.tensor([4, 2])
    right = [[(0, 4), (1, 4), (2, 4)], [(0, 2)]]
    left = [[(0, 4), (0, 3), (0, 2)], [(0, 2)]]
    assert torch.equal(right_branching(words, 5), span_matrix(right, 5))
    assert torch.equal(left_branching(words, 5), span_matrix(left, 5))


def matrices() -> tuple[Tensor, Tensor, Tensor]:
    words = torch.tensor([4, 3])
    tree = span_matrix([[(0, 4), (0, 2), (2, 4)], [(0, 3), (1, 3)]], 5)
    # The first gold tree is flat below its root but for one phrase; the second branches left.
    gold = span_matrix([[(0, 4), (0, 2)], [(0, 3), (0, 2)]], 5)
    return tree, gold, words


def test_f_scores_by_hand() -> None:
    matches = span_matches(*matrices())
    assert matches["predicted"] == 5
    assert matches["gold"] == 4
    # Roots: 2. Projected: [0, 2) once. Right: none. Left: [0, 2) twice.
    assert matches["matched"][:3].tolist() == [3, 2, 4]
    # [0, 2) at the left end of either sentence: 1 / 2 each.
    assert matches["matched"][3].item() == pytest.approx(2 + 1 / 2 + 1 / 2)
    precision, recall = 3 / 5, 3 / 4
    expected = 2 * precision * recall / (precision + recall)
    assert f_scores(**matches) == pytest.approx([expected, 4 / 9, 8 / 9, 6 / 9])


def test_matches_add_up_over_sentences() -> None:
    tree, gold, words = matrices()
    parts = [span_matches(tree[[n]], gold[[n]], words[[n]]) for n in range(2)]
    for name, value in span_matches(tree, gold, words).items():
        torch.testing.assert_close(parts[0][name] + parts[1][name], value)
