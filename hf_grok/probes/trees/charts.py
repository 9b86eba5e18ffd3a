"""From a chart of span values to a binary tree: greedy from the top, or the exact optimum.

A chart holds one value for every span of a sentence, at [start, end): the edges are the places
between words, 0 to n. Cells of no span (start >= end, or an end beyond the sentence) are not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int
from torch import Tensor

from hf_grok.errors import unknown_name
from hf_grok.measurement.precision import in_double

TOP_DOWN, CHART = ALGORITHMS = ("top_down", "chart")


@dataclass(frozen=True)
class Splits:
    """For every span of two words or more, where it splits and what the split is worth.

    Attributes:
        edge: the edge between the two parts.
        value: chart[start, edge] + chart[edge, end].
        baseline: value of a random split of the span: its expectation, or the one drawn.
    """

    edge: Int[Tensor, "sentence edges edges"]
    value: Float64[Tensor, "sentence edges edges"]
    baseline: Float64[Tensor, "sentence edges edges"]


def choose_splits(
    chart: Float[Tensor, "sentence edges edges"],
    *,
    algorithm: str = TOP_DOWN,
    draws: Float64[Tensor, "sentence edges edges"] | None = None,
) -> Splits:
    """edge(i, j) = argmax over k of chart[i, k] + chart[k, j], of ties the smallest k.

    That is what a walk from the top takes (`top_down`). With `chart` it is the argmax of
    chart[i, k] + chart[k, j] + total(i, k) + total(k, j), where total(i, j) is that maximum itself
    and 0 for a word: the tree with the greatest sum over its nodes (CKY).

    Args:
        chart: value of each span; sentences may differ in length, the rest is padding.
        algorithm: "top_down" or "chart".
        draws: uniform numbers in [0, 1), one a span: the baseline is then the value of the split
            numbered floor(draw * splits) instead of the mean over all splits.

    Raises:
        UserError: another algorithm.

    Source: Murty et al. 2023, "Characterizing intrinsic compositionality in transformers with tree
        projections" (ICLR), for the walk from the top.
    """
    if algorithm not in ALGORITHMS:
        raise unknown_name("algorithm", algorithm, ALGORITHMS)
    chart = in_double(chart)
    edge = torch.zeros(chart.shape, dtype=torch.int64, device=chart.device)
    value, baseline, total = (torch.zeros_like(chart) for _ in range(3))
    for starts, ends in _by_width(chart.shape[-1]):
        values = _of_both_parts(chart, starts, ends)
        worth = values + _of_both_parts(total, starts, ends) if algorithm == CHART else values
        total[:, starts, ends], best = worth.max(-1)
        edge[:, starts, ends] = starts.to(edge.device) + 1 + best
        value[:, starts, ends] = _take(values, best)
        baseline[:, starts, ends] = _baseline(values, draws, starts, ends)
    return Splits(edge, value, baseline)


def tree_of(
    edge: Int[Tensor, "sentence edges edges"], words: Int[Tensor, " sentence"]
) -> Bool[Tensor, "sentence edges edges"]:
    """tree[i, j] = [i, j) is a constituent of two words or more of the tree that `edge` splits.

    The whole sentence is one; n words have n - 1.
    """
    tree = torch.zeros(edge.shape, dtype=torch.bool, device=edge.device)
    tree[torch.arange(len(words)), 0, words] = True
    for starts, ends in reversed(list(_by_width(edge.shape[-1]))):
        sentence, place = tree[:, starts, ends].nonzero(as_tuple=True)
        start, end = starts.to(edge.device)[place], ends.to(edge.device)[place]
        middle = edge[sentence, start, end]
        tree[sentence, start, middle] = True
        tree[sentence, middle, end] = True
    return tree.triu(2)  # a word is no span


def tree_score(
    splits: Splits, tree: Bool[Tensor, "sentence edges edges"]
) -> Float64[Tensor, " sentence"]:
    """sum over the tree's nodes of [value of its split - value of a random split].

    In units of the chart. At least 0 for the tree from the top against the expectation, and 0 for
    a sentence of two words, which has one tree.

    Source: Murty et al. 2023 (ICLR), t_score; the expectation stands for their one random draw.
    """
    gain = splits.value - splits.baseline
    return torch.where(tree, gain, 0.0).sum((1, 2))


def uniform_draws(
    seed: int, rows: Sequence[int], words: Sequence[int], edges: int
) -> Float64[Tensor, "sentence edges edges"]:
    """A uniform number in [0, 1) for each span of each sentence, by the seed and its row alone."""
    draws = torch.zeros(len(rows), edges, edges, dtype=torch.float64)
    for place, (row, number) in enumerate(zip(rows, words, strict=True)):
        uniform = np.random.default_rng((seed, row)).random((number + 1, number + 1))
        draws[place, : number + 1, : number + 1] = torch.from_numpy(uniform)
    return draws


def span_matrix(
    spans: Sequence[Sequence[tuple[int, int]]], edges: int
) -> Bool[Tensor, "sentence edges edges"]:
    """matrix[s, i, j] = [i, j) is among the spans of sentence s and has two words or more."""
    matrix = torch.zeros(len(spans), edges, edges, dtype=torch.bool)
    cells = [(number, *span) for number, of_one in enumerate(spans) for span in of_one]
    if cells:
        matrix[torch.tensor(cells).unbind(-1)] = True
    return matrix.triu(2)


def _by_width(edges: int) -> Iterator[tuple[Tensor, Tensor]]:
    """(starts, ends) of all spans of two words, of three, and so on."""
    for width in range(2, edges):
        starts = torch.arange(edges - width)
        yield starts, starts + width


def _of_both_parts(
    chart: Float64[Tensor, "sentence edges edges"], starts: Tensor, ends: Tensor
) -> Float64[Tensor, "sentence span split"]:
    """chart[start, edge] + chart[edge, end], for spans of one width and every edge inside them."""
    inside = starts[:, None] + torch.arange(1, int(ends[0]))
    return chart[:, starts[:, None], inside] + chart[:, inside, ends[:, None]]


def _take(values: Tensor, number: Tensor) -> Tensor:
    return values.gather(-1, number[..., None]).squeeze(-1)


def _baseline(values: Tensor, draws: Tensor | None, starts: Tensor, ends: Tensor) -> Tensor:
    if draws is None:
        return values.mean(-1)
    drawn = (draws[:, starts, ends].to(values.device) * values.shape[-1]).long()
    return _take(values, drawn)
