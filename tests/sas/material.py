"""Small annotated batches and maps, and R written from its definition."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from hf_grok.annotation.heads import relation_id
from hf_grok.sas.batches.keys import HEADS, RELATIONS, SHAM_HEADS, WORD_OF
from hf_grok.sas.options import PenaltyOptions

# Two rows of 9 tokens: specials at both ends, words of 1 to 3 tokens, padding in the second.
WORDS = [[-1, 0, 1, 1, 2, 3, 3, 3, -1], [-1, 0, 0, 1, 2, -1, -1, -1, -1]]
GOLD = [[1, 3, 1, -1], [1, -1, 0, -1]]
SHAM = [[2, -1, 1, 0], [2, 0, -1, -1]]
NAMES = [["det", "nsubj", "obj", None], ["det", None, "case", None]]


def annotation(*, word_level: bool = False) -> dict[str, Tensor]:
    words = [[-1, 0, 1, 2, 3, -1], [-1, 0, 1, 2, -1, -1]] if word_level else WORDS
    relations = [[-1 if name is None else relation_id(name) for name in row] for row in NAMES]
    return {
        WORD_OF: torch.tensor(words),
        HEADS: torch.tensor(GOLD),
        RELATIONS: torch.tensor(relations),
        SHAM_HEADS: torch.tensor(SHAM),
    }


def maps(layers: int, heads: int, length: int, batch: int = 2, seed: int = 0) -> list[Tensor]:
    """Attention maps [batch, heads, length, length], rows summing to 1, with gradients."""
    generator = torch.Generator().manual_seed(seed)
    shape = (batch, heads, length, length)
    return [
        torch.randn(shape, generator=generator).softmax(-1).requires_grad_() for _ in range(layers)
    ]


def penalty_by_definition(
    attentions: Sequence[Tensor],
    word_of: Sequence[Sequence[int]],
    heads: Sequence[Sequence[int]],
    options: PenaltyOptions,
    names: Sequence[Sequence[str | None]] = NAMES,
) -> tuple[Tensor, int, int]:
    """(sum over arcs and directions of gamma, arcs, tokens of words), arc by arc."""
    total, arcs = torch.zeros(()), 0
    for row, row_heads in enumerate(heads):
        for word, head in enumerate(row_heads):
            if head < 0:
                continue
            if options.relations is not None and names[row][word] not in options.relations:
                continue
            arcs += 1
            directions = {"head": [(word, head)], "children": [(head, word)]}
            directions["both"] = directions["head"] + directions["children"]
            for attending, attended in directions[options.directions]:
                total = total + _gamma(attentions, row, word_of[row], attending, attended, options)
    tokens = sum(word >= 0 for row in word_of for word in row)
    return total, arcs, tokens


def _gamma(
    attentions: Sequence[Tensor],
    row: int,
    word_of: Sequence[int],
    attending: int,
    attended: int,
    options: PenaltyOptions,
) -> Tensor:
    here = [place for place, word in enumerate(word_of) if word == attending]
    there = [place for place, word in enumerate(word_of) if word == attended]
    if options.alignment == "first":
        here, there = here[:1], there[:1]
    values = []
    for layer, head in options.chosen(len(attentions), attentions[0].shape[1]):
        map_ = attentions[layer][row, head]
        values.append(torch.stack([map_[i, there].sum() for i in here]).mean())
    if options.reduction == "max":
        return torch.stack(values).max()
    return torch.stack(values).pow(options.power).sum().pow(1 / options.power)
