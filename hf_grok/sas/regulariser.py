"""R of a micro-batch, as its fraction of the R of the whole batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hf_grok.annotation.heads import NONE
from hf_grok.attention.pairs import gather_pairs
from hf_grok.sas.batches.keys import WORD_OF
from hf_grok.sas.batches.pairs import ArcPairs, arc_pairs
from hf_grok.sas.options import PenaltyOptions
from hf_grok.sas.penalty import joined, summed_penalty


@dataclass(frozen=True)
class BatchArcs:
    """The arcs of one micro-batch, and how many tokens it has.

    Attributes:
        sets: those whose R counts with +1, then, in a contrast, those with -1.
        tokens: tokens of words.
    """

    sets: tuple[ArcPairs, ...]
    tokens: Tensor

    @property
    def places(self) -> Tensor:
        """(attending, attended) of every set, [batch, pairs, 2]: what the model is asked for."""
        return torch.cat([pairs.places for pairs in self.sets], dim=1)

    @property
    def counts(self) -> Int[Tensor, " sets+1"]:
        """Number of arcs of each set, then of tokens."""
        counted = [pairs.arcs for pairs in self.sets]
        return torch.stack([*counted, self.tokens]).long()


def batch_arcs(annotation: Mapping[str, Tensor], options: PenaltyOptions) -> BatchArcs:
    """The arcs of a micro-batch from its annotation.

    Raises:
        UserError: as `hf_grok.sas.batches.pairs.arc_pairs`.
    """
    sets = arc_pairs(annotation, options)
    return BatchArcs(sets, (annotation[WORD_OF] != NONE).sum())


def penalty_share(
    attentions: Sequence[Tensor],
    arcs: BatchArcs,
    counts: Int[Tensor, " sets+1"],
    options: PenaltyOptions,
) -> Float[Tensor, ""]:
    """A micro-batch's share of R; the fractions of all micro-batches of all processes add up to R.

    R = (sum over arcs of gamma) / n, n = number of arcs, number of tokens, or 1, in the whole
    batch; a contrast is R of the syntactic arcs minus R of the sham arcs, each over its own n,
    and a clamped one is that too: see `clamped`.
    In [0, 2] for the mean over arcs of the maximum in both directions ([-2, 2] for a contrast).

    Args:
        attentions: of each layer, at `arcs.places` [batch, heads, pairs], or whole maps [batch,
            heads, length, length].
        arcs: of the micro-batch.
        counts: arcs and tokens of the whole batch.
        options: the form of R.
    """
    places = arcs.places
    read = [
        layer if layer.ndim == places.ndim else gather_pairs(layer, places) for layer in attentions
    ]
    parts = joined(read, [pairs.places.shape[1] for pairs in arcs.sets])
    sums = [
        summed_penalty(part, pairs, options) for part, pairs in zip(parts, arcs.sets, strict=True)
    ]
    means = [
        total / _divisor(counts, number, options).to(total.dtype)
        for number, total in enumerate(sums)
    ]
    return means[0] if len(means) == 1 else means[0] - means[1]


def clamped(
    share: Float[Tensor, ""], whole: Callable[[Float[Tensor, ""]], Float[Tensor, ""]]
) -> Float[Tensor, ""]:
    """A process's share of max(0, D), D = R - R_sham of the whole batch; all shares add up to it.

    The maximum is that of the whole batch, not of the parts: where D > 0 each process's share is
    that of D, negative ones too, and where D <= 0 each is 0, with a gradient of 0.

    Args:
        share: of D, with its graph; the process's whole batch, so without accumulation.
        whole: sums over processes.
    """
    return share * (whole(share.detach()) > 0)


def _divisor(counts: Int[Tensor, " sets+1"], number: int, options: PenaltyOptions) -> Tensor:
    """What the sum of one set is divided by; without an arc the sum is 0, whatever it is."""
    if options.normalisation == "sum":
        return torch.ones_like(counts[0])
    found = counts[number] if options.normalisation == "arc" else counts[-1]
    return found.clamp(min=1)
