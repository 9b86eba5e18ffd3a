"""R: how much of their attention the chosen heads put on arcs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from hf_grok.sas.batches.pairs import ArcPairs
from hf_grok.sas.options import PenaltyOptions


def summed_penalty(
    attentions: Sequence[Float[Tensor, "batch heads pairs"]],
    pairs: ArcPairs,
    options: PenaltyOptions,
) -> Float[Tensor, ""]:
    """sum over arcs and chosen directions of gamma; gamma(i, j) = max over heads of A_ij.

    With `reduction="sum"`, gamma(i, j) = (sum over heads of A_ij^p)^(1/p). "Heads" are the chosen
    heads of all layers. Not normalised: 0 to the number of slots that count (times the number of
    heads for sums). A batch without an arc gives 0.

    Args:
        attentions: attention at `pairs.places`, 0 at padding, one tensor a layer.
        pairs: which slot each belongs to.
        options: which heads count, and how they are joined.

    Raises:
        UserError: a chosen layer or head that is not there.

    Source: Chen et al. 2024 (arXiv 2309.07311), section on the regulariser.
    """
    slots = _slots(attentions, pairs, options)
    gamma = slots.amax(0) if options.reduction == "max" else _powers(slots, options.power)
    return (gamma * pairs.counted).sum()


def _slots(
    attentions: Sequence[Float[Tensor, "batch heads pairs"]],
    pairs: ArcPairs,
    options: PenaltyOptions,
) -> Float[Tensor, "chosen batch slots"]:
    """Attention of each slot, by each of the chosen heads, in single precision."""
    chosen = options.chosen(len(attentions), attentions[0].shape[1])
    layers = sorted({layer for layer, _ in chosen})
    rows = [
        _words(attentions[layer].float(), pairs).transpose(0, 1)[
            [head for where, head in chosen if where == layer]
        ]
        for layer in layers
    ]
    return torch.cat(rows)


def _words(
    attention: Float[Tensor, "batch heads pairs"], pairs: ArcPairs
) -> Float[Tensor, "batch heads slots"]:
    """Word-level attention from that of tokens."""
    if pairs.slots is None or pairs.weights is None:
        return attention
    batch, heads, _ = attention.shape
    weighted = attention * pairs.weights[:, None]
    empty = attention.new_zeros(batch, heads, pairs.counted.shape[1])
    return empty.scatter_add(2, pairs.slots[:, None].expand_as(weighted), weighted)


def _powers(slots: Float[Tensor, "chosen batch slots"], power: float) -> Tensor:
    total = slots.pow(power).sum(0)
    if power == 1:
        return total
    # The root has an infinite slope at 0, where the sum is that of padding.
    some = total > 0
    return torch.where(some, torch.where(some, total, 1.0).pow(1 / power), 0.0)


def joined(attentions: Sequence[Tensor], sizes: Sequence[int]) -> list[list[Tensor]]:
    """Cut the attention of several sets of pairs, read in one pass, into that of each set."""
    parts = [attention.split(list(sizes), dim=-1) for attention in attentions]
    return [[layer[number] for layer in parts] for number in range(len(sizes))]
