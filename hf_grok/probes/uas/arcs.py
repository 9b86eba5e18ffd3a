"""Which heads of a layer find which gold arcs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from hf_grok.probes.uas.gold import Arcs


def visible_cells(words: int, *, causal: bool, sink: bool) -> Bool[Tensor, "word word"]:
    """cell[i, j] = word i may choose word j.

    No word chooses itself. In a causal model a word chooses among earlier ones, and where the first
    position of the input is a word (`sink`) none chooses that: heads with nothing to look for
    attend there.
    """
    place = torch.arange(words)
    cells = place[:, None] > place if causal else place[:, None] != place
    return cells & (place > 0) if sink else cells


@dataclass(frozen=True)
class Targets:
    """The gold arcs of a batch, laid out for `arc_hits`: the same for every layer.

    Attributes:
        sentence: of each arc, its number in the batch.
        dependent: 0-based word.
        head: 0-based word.
        row_order: [b, 0, i, j] = 1 if word j stands before the head of word i, else 0.
        column_order: [b, 0, j, i] = the same, for the map whose columns are dependents.
        causal: whether every row of the maps sees earlier words only.
    """

    sentence: Int[Tensor, " arc"]
    dependent: Int[Tensor, " arc"]
    head: Int[Tensor, " arc"]
    row_order: Int[Tensor, "batch 1 word word"]
    column_order: Int[Tensor, "batch 1 word word"]
    causal: bool

    @classmethod
    def of(
        cls,
        arcs: Arcs,
        heads: Int[Tensor, "batch word"],
        *,
        causal: bool,
        device: torch.device,
    ) -> Targets:
        """Arcs of a batch on a device, and the heads of all its words that they were taken from."""
        sentence, dependent, head = (
            ends.to(device) for ends in (arcs.sentence, arcs.dependent, arcs.head)
        )
        heads = heads.to(device)
        place = torch.arange(heads.shape[1], device=device)
        # Stored as `word_attention` lays its maps out, attended word by attended word.
        rows = (place[:, None] < heads[:, None, :]).to(torch.int32).mT
        columns = (place < heads[:, :, None]).to(torch.int32).mT
        return cls(sentence, dependent, head, rows[:, None], columns[:, None], causal)


def arc_hits(
    weights: Float[Tensor, "batch head word word"], targets: Targets
) -> tuple[Bool[Tensor, "arc head direction"], Float[Tensor, "arc head direction"]]:
    """Which attention heads find which gold arcs, and with what weight.

    Direction 0, dep->head: argmax over j of W[i, j] is the gold head of i; weight W[i, head].
    Direction 1, head->dep: argmax over j of W[j, i] is the gold head of i; weight W[head, i].
    A causal model has one direction, `later`: of these two the one whose row is the later word.

    Of equal weights the lowest word is chosen. Where all weights are 0, nothing is.

    Args:
        weights: attention between words, float32 in [0, 1], 0 where a word may not choose.
        targets: the gold arcs.

    Returns:
        Hits, and weights in [0, 1].

    Source: Chen et al. 2024 (arXiv 2309.07311), after Clark et al. 2019; `later` is ours.
    """
    sentence, dependent, head = targets.sentence, targets.dependent, targets.head
    to_head, from_head = (
        weights[sentence, :, dependent, head],
        weights[sentence, :, head, dependent],
    )
    # argmax = head if and only if no word has more and none before it has as much. Floats from 0
    # are ordered as their bits are, so "as much" is "more" with 1 added to the bits; maxima of
    # integers take a CPU a fifth of the time of arg-maxes.
    bits = weights.view(torch.int32)
    row_best = (bits + targets.row_order).amax(3)[sentence, :, dependent]
    column_best = (bits + targets.column_order).amax(2)[sentence, :, dependent]
    by_row = to_head.view(torch.int32) >= row_best
    by_column = from_head.view(torch.int32) >= column_best
    if targets.causal:
        backward = (head < dependent)[:, None]
        found = torch.where(backward, by_row, by_column)[..., None]
        weight = torch.where(backward, to_head, from_head)[..., None]
    else:
        found = torch.stack([by_row, by_column], -1)
        weight = torch.stack([to_head, from_head], -1)
    return found & (weight > 0), weight
