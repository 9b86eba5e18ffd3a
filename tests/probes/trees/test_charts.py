"""Trees from charts, against recursion and enumeration."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from statistics import mean

import pytest
import torch
from torch import Tensor

from hf_grok.errors import UserError
from hf_grok.probes.trees.charts import (
    ALGORITHMS,
    choose_splits,
    span_matrix,
    tree_of,
    tree_score,
    uniform_draws,
)

Span = tuple[int, int]
WORDS = torch.tensor([7, 2, 5, 6, 1, 3])


@cache
def all_trees(start: int, end: int) -> tuple[frozenset[Span], ...]:
    """Every binary tree over the words [start, end), as its spans of two words or more."""
    if end - start == 1:
        return (frozenset(),)
    return tuple(
        left | right | {(start, end)}
        for middle in range(start + 1, end)
        for left in all_trees(start, middle)
        for right in all_trees(middle, end)
    )


def from_the_top(chart: Tensor, start: int, end: int) -> Iterator[tuple[Span, int]]:
    """Nodes of the greedy tree, each with its split."""
    if end - start < 2:
        return
    values = {k: float(chart[start, k] + chart[k, end]) for k in range(start + 1, end)}
    middle = max(values, key=lambda k: (values[k], -k))
    yield (start, end), middle
    yield from from_the_top(chart, start, middle)
    yield from from_the_top(chart, middle, end)


def children(tree: frozenset[Span], span: Span) -> list[Span]:
    start, end = span
    for middle in range(start + 1, end):
        parts = [(start, middle), (middle, end)]
        if all(part in tree or part[1] - part[0] == 1 for part in parts):
            return parts
    raise ValueError(f"{span} is no node of {sorted(tree)}")


def worth(chart: Tensor, tree: frozenset[Span]) -> float:
    return sum(float(chart[part]) for span in tree for part in children(tree, span))


def random_charts(words: Tensor = WORDS) -> Tensor:
    edges = int(words.max()) + 1
    return torch.rand(len(words), edges, edges, dtype=torch.float64)


def spans_of(matrix: Tensor) -> list[frozenset[Span]]:
    return [frozenset(map(tuple, one.nonzero().tolist())) for one in matrix]


def projected(chart: Tensor, words: Tensor, algorithm: str = "top_down") -> list[frozenset[Span]]:
    return spans_of(tree_of(choose_splits(chart, algorithm=algorithm).edge, words))


def with_words(spans: Tensor) -> Tensor:
    """1 for each span and for each single word, 0 for the rest."""
    return (spans | torch.ones_like(spans).triu(1).tril(1)).double()


def test_top_down_is_the_greedy_recursion() -> None:
    charts = random_charts()
    expected = [
        frozenset(span for span, _ in from_the_top(chart, 0, n))
        for chart, n in zip(charts, WORDS.tolist(), strict=True)
    ]
    assert projected(charts, WORDS) == expected
    assert [len(tree) for tree in expected] == (WORDS - 1).tolist()


def test_chart_is_the_best_of_all_trees() -> None:
    charts = random_charts()
    better = 0
    trees = projected(charts, WORDS, "chart")
    for chart, n, tree, greedy in zip(
        charts, WORDS.tolist(), trees, projected(charts, WORDS), strict=True
    ):
        best = max(all_trees(0, n), key=lambda one: worth(chart, one))
        assert tree == best
        better += worth(chart, tree) > worth(chart, greedy) + 1e-9
    assert better  # else the two algorithms are not told apart


def test_padding_is_not_read() -> None:
    charts = random_charts()
    expected = {algorithm: projected(charts, WORDS, algorithm) for algorithm in ALGORITHMS}
    edge = torch.arange(charts.shape[-1])
    spans = (edge[:, None] < edge) & (edge <= WORDS[:, None, None])
    charts[~spans] = 1e6
    assert {algorithm: projected(charts, WORDS, algorithm) for algorithm in ALGORITHMS} == expected


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("words", [2, 3, 4, 5, 6])
def test_a_gold_tree_s_chart_gives_the_gold_tree(words: int, algorithm: str) -> None:
    trees = all_trees(0, words)
    gold = span_matrix([sorted(tree) for tree in trees], words + 1)
    lengths = torch.full((len(trees),), words)
    assert projected(with_words(gold), lengths, algorithm) == list(trees)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_of_equal_values_the_first_split(algorithm: str) -> None:
    """Which branches to the right."""
    trees = projected(torch.ones(1, 6, 6), torch.tensor([5]), algorithm)
    assert trees == [frozenset({(0, 5), (1, 5), (2, 5), (3, 5)})]
    splits = choose_splits(torch.ones(1, 6, 6), algorithm=algorithm)
    assert tree_score(splits, tree_of(splits.edge, torch.tensor([5]))).tolist() == [0.0]


@pytest.mark.parametrize("direction", ["right", "left"])
def test_branching_data_gives_branching_trees(direction: str) -> None:
    spans = {"right": [(i, 6) for i in range(5)], "left": [(0, j) for j in range(2, 7)]}[direction]
    chart = 0.5 * with_words(span_matrix([spans], 7))
    assert projected(chart, torch.tensor([6])) == [frozenset(spans)]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_score_is_value_minus_mean_over_the_nodes(algorithm: str) -> None:
    charts = random_charts()
    splits = choose_splits(charts, algorithm=algorithm)
    tree = tree_of(splits.edge, WORDS)
    expected = []
    for chart, spans in zip(charts, spans_of(tree), strict=True):
        gains = []
        for start, end in spans:
            values = [float(chart[start, k] + chart[k, end]) for k in range(start + 1, end)]
            taken = sum(float(chart[part]) for part in children(spans, (start, end)))
            gains.append(taken - mean(values))
        expected.append(sum(gains))
    torch.testing.assert_close(tree_score(splits, tree), torch.tensor(expected).double())
    assert expected[1] == expected[4] == 0  # two words have one split, one word has none


def test_score_against_drawn_splits() -> None:
    charts, draws = random_charts(), random_charts()
    splits = choose_splits(charts, draws=draws)
    tree = tree_of(splits.edge, WORDS)
    expected = []
    for chart, draw, n in zip(charts, draws, WORDS.tolist(), strict=True):
        total = 0.0
        for (start, end), middle in from_the_top(chart, 0, n):
            drawn = start + 1 + int(draw[start, end] * (end - start - 1))
            total += float(chart[start, middle] + chart[middle, end])
            total -= float(chart[start, drawn] + chart[drawn, end])
        expected.append(total)
    torch.testing.assert_close(tree_score(splits, tree), torch.tensor(expected).double())


def test_the_mean_over_draws_is_the_expectation() -> None:
    chart = random_charts(torch.tensor([5])).expand(20_000, -1, -1)
    drawn = choose_splits(chart, draws=torch.rand(chart.shape, dtype=torch.float64)).baseline
    exact = choose_splits(chart[:1]).baseline
    torch.testing.assert_close(drawn.mean(0), exact[0], atol=0.01, rtol=0.0)


def test_draws_belong_to_their_row() -> None:
    draws = uniform_draws(3, [5, 9], [4, 2], 6)
    assert torch.equal(draws[0, :5, :5], uniform_draws(3, [5], [4], 5)[0])
    assert torch.equal(draws[1, :3, :3], uniform_draws(3, [9], [2], 3)[0])
    assert not torch.equal(draws[0], uniform_draws(4, [5], [4], 6)[0])
    assert ((draws >= 0) & (draws < 1)).all()


def test_spans_as_a_matrix() -> None:
    matrix = span_matrix([[(0, 3), (1, 3), (2, 3)], []], 4)
    assert spans_of(matrix) == [frozenset({(0, 3), (1, 3)}), frozenset()]


def test_no_sentence() -> None:
    splits = choose_splits(torch.zeros(0, 4, 4))
    tree = tree_of(splits.edge, torch.zeros(0, dtype=torch.int64))
    assert tree.shape == (0, 4, 4)
    assert tree_score(splits, tree).shape == (0,)


def test_an_unknown_algorithm() -> None:
    with pytest.raises(UserError, match=r"unknown algorithm 'top_donw'.*Did you mean 'top_down'"):
        choose_splits(torch.zeros(1, 3, 3), algorithm="top_donw")
