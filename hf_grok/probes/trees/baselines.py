"""Spans in common with the gold trees: of the projected tree, and of trees that saw no sentence."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float64, Int
from torch import Tensor


def span_matches(
    tree: Bool[Tensor, "sentence edges edges"],
    gold: Bool[Tensor, "sentence edges edges"],
    words: Int[Tensor, " sentence"],
) -> dict[str, Tensor]:
    """Counts over all sentences, of which parseval is made; they add up over sentences.

    Returns:
        "matched": spans that are gold, of `tree`, of right-branching and of left-branching trees,
        and their expected number in random trees; "predicted": spans of any binary tree, n - 1 a
        sentence; "gold": gold spans.
    """
    edges = tree.shape[-1]
    trees = (
        tree,
        right_branching(words, edges),
        left_branching(words, edges),
        random_branching(words, edges),
    )
    return {
        "matched": torch.stack([(one * gold).sum(dtype=torch.float64) for one in trees]),
        "predicted": (words - 1).sum().double(),
        "gold": gold.sum().double(),
    }


def f_scores(
    matched: Float64[Tensor, " tree"], predicted: Float64[Tensor, ""], gold: Float64[Tensor, ""]
) -> list[float]:
    """F1 = 2 matched / (predicted + gold), corpus-level, for each kind of tree; in [0, 1].

    The harmonic mean of precision, matched / predicted, and recall, matched / gold. The number of
    predicted spans is fixed, so the F1 of the expected matches is the expected F1.
    """
    scores: list[float] = (2 * matched / (predicted + gold)).tolist()
    return scores


def right_branching(
    words: Int[Tensor, " sentence"], edges: int
) -> Bool[Tensor, "sentence edges edges"]:
    """tree[i, j] = j is the sentence's end and i <= j - 2: (a (b (c d)))."""
    start, end = _start_and_end(words, edges)
    return (end == words[:, None, None]) & (start <= end - 2)


def left_branching(
    words: Int[Tensor, " sentence"], edges: int
) -> Bool[Tensor, "sentence edges edges"]:
    """tree[i, j] = i is 0 and j >= 2, within the sentence: (((a b) c) d)."""
    start, end = _start_and_end(words, edges)
    return (start == 0) & (end >= 2) & (end <= words[:, None, None])


def random_branching(
    words: Int[Tensor, " sentence"], edges: int
) -> Float64[Tensor, "sentence edges edges"]:
    """p[i, j] = probability of span [i, j) when each node, from the top, splits uniformly.

    Such a tree is the order of a random permutation of the n - 1 places between words: [i, j) of w
    words arises if and only if the cuts at its ends come before the w - 1 cuts inside it. So
    p = 2 / (w (w + 1)) inside the sentence, 1 / w at one of its ends, 1 for the whole of it; the
    sum over spans of two words or more is n - 1.
    """
    start, end = _start_and_end(words, edges)
    last = words[:, None, None]
    width = (end - start).clamp(min=1).double()
    at_end = (start == 0) | (end == last)
    whole = (start == 0) & (end == last)
    probability = torch.where(at_end, 1 / width, 2 / (width * (width + 1)))
    probability = torch.where(whole, 1.0, probability)
    return torch.where((start <= end - 2) & (end <= last), probability, 0.0)


def _start_and_end(words: Tensor, edges: int) -> tuple[Tensor, Tensor]:
    edge = torch.arange(edges, device=words.device)
    return edge[:, None], edge[None, :]
