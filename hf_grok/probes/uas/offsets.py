"""Fixed offsets: what a head that knows positions and nothing else scores on gold arcs."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Int
from torch import Tensor

# Head position - dependent position. A causal model's arcs are scored by their later word, which
# sees both kinds at one distance, so there the offsets are distances.
OFFSETS = (-3, -2, -1, 1, 2, 3)
DISTANCES = (1, 2, 3)


def offsets_for(*, causal: bool) -> tuple[int, ...]:
    """The fixed offsets that stand beside every score."""
    return DISTANCES if causal else OFFSETS


def offset_labels(count: int) -> tuple[str, ...]:
    """Names of the `count` offsets: "-3" to "+3", or "1" to "3" for the distances."""
    if count == len(DISTANCES):
        return tuple(str(distance) for distance in DISTANCES)
    return tuple(f"{offset:+d}" for offset in OFFSETS)


def arc_offsets(
    dependent: Int[Tensor, " arc"], head: Int[Tensor, " arc"], *, causal: bool
) -> Int[Tensor, " arc"]:
    """offset = head - dependent, in words; for a causal model its absolute value."""
    return (head - dependent).abs() if causal else head - dependent


def offset_hits(offsets: Int[Tensor, " arc"], *, causal: bool) -> Bool[Tensor, "arc offset"]:
    """hit[a, o] = a head that always attends at offset o finds arc a."""
    return offsets[:, None] == torch.tensor(offsets_for(causal=causal))


def commonest_offsets(
    offsets: Int[Tensor, " arc"], relations: Int[Tensor, " arc"], count: int
) -> Int[Tensor, " relation"]:
    """The offset that most arcs of each of `count` relations have.

    Of two that are as common, the nearer one, then the one to the left. A relation without an arc
    gets 0, which no arc has.
    """
    pairs, cases = torch.stack([relations, offsets]).unique(dim=1, return_counts=True)
    commonest = torch.zeros(count, dtype=torch.int64)
    ranked = sorted(
        zip(*pairs.tolist(), cases.tolist(), strict=True),
        key=lambda case: (case[2], -abs(case[1]), -case[1]),
    )
    for relation, offset, _ in ranked:  # the last one written is the commonest
        commonest[relation] = offset
    return commonest
