"""From the annotation of a batch to the pairs of tokens whose attention the penalty reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from hf_grok.annotation.heads import NONE, relation_id
from hf_grok.annotation.sham import LEFT_OUT
from hf_grok.errors import UserError
from hf_grok.sas.batches.keys import HEADS, RELATIONS, SHAM, SHAM_HEADS, SHAM_RELATIONS, WORD_OF
from hf_grok.sas.options import PenaltyOptions


@dataclass(frozen=True)
class ArcPairs:
    """Arc attention of slot s = sum over its pairs k of weights[k] * A[places[k]].

    Slot w of a row of W words is the attention of word w to its head, slot W + w the head's to
    word w. A word attends with the mean over its tokens, and is attended with their sum.

    Attributes:
        places: (attending token, attended token); -1 fills up.
        slots: the slot of each pair; None where pair k is slot k, with weight 1.
        weights: None with `slots`.
        counted: the slots that are arcs in a chosen direction.
        arcs: number of arcs, each counted once whatever the directions.
    """

    places: Int[Tensor, "batch pairs 2"]
    slots: Int[Tensor, "batch pairs"] | None
    weights: Float[Tensor, "batch pairs"] | None
    counted: Bool[Tensor, "batch slots"]
    arcs: Int[Tensor, ""]


def arc_pairs(annotation: Mapping[str, Tensor], options: PenaltyOptions) -> tuple[ArcPairs, ...]:
    """The pairs of a batch: those of its syntactic arcs, of its sham arcs, or of both in turn.

    A contrast leaves out sentences without a sham tree on both sides, so that their offsets are the
    same.

    Args:
        annotation: the tensors of `hf_grok.sas.batches.keys` that came with the batch.
        options: which arcs and directions count, and how words are made of tokens.

    Raises:
        UserError: the batch has no annotation, or no sham arcs where they are asked for.
    """
    alone = {"syntactic": (HEADS,), "sham": (SHAM_HEADS,)}
    wanted = (HEADS, SHAM_HEADS) if options.is_contrast else alone[options.arcs]
    return tuple(_pairs(annotation, name, options) for name in wanted)


def _pairs(annotation: Mapping[str, Tensor], name: str, options: PenaltyOptions) -> ArcPairs:
    word_of, heads = _required(annotation, WORD_OF), _required(annotation, name)
    is_arc = (heads > NONE) & _of_relations(annotation, name, options)
    if options.is_contrast:
        is_arc = is_arc & (_required(annotation, SHAM_HEADS) != LEFT_OUT)
    head = torch.where(is_arc, heads, NONE)
    start, length = _extents(word_of, heads.shape[1])
    counted = torch.cat(
        [
            is_arc if options.directions != "children" else torch.zeros_like(is_arc),
            is_arc if options.directions != "head" else torch.zeros_like(is_arc),
        ],
        dim=1,
    )
    if options.alignment == "first" or int(length.max()) <= 1:
        return ArcPairs(_first_tokens(head, start, counted), None, None, counted, is_arc.sum())
    places, slots, weights = _all_tokens(word_of, head, start, length, counted)
    return ArcPairs(*_compact(places, slots, weights), counted, is_arc.sum())


def _required(annotation: Mapping[str, Tensor], name: str) -> Tensor:
    if name not in annotation:
        hint = (
            "make its collator with sham=True"
            if name in SHAM
            else "use hf_grok.sas.ArcCollator over rows with words, heads and deprels"
        )
        raise UserError(
            f"a training batch has no {name!r} (it has {', '.join(annotation) or 'no annotation'}),"
            f" which the regulariser reads its arcs from: {hint}"
        )
    return annotation[name]


def _of_relations(annotation: Mapping[str, Tensor], name: str, options: PenaltyOptions) -> Tensor:
    """Which words hang on their heads by a chosen relation."""
    if options.relations is None:
        return torch.ones_like(annotation[name], dtype=torch.bool)
    relations = _required(annotation, RELATIONS if name == HEADS else SHAM_RELATIONS)
    chosen = [relation_id(name) for name in options.relations]
    return torch.isin(relations, torch.tensor(chosen, device=relations.device))


def _extents(
    word_of: Int[Tensor, "batch length"], words: int
) -> tuple[Int[Tensor, "batch words"], Int[Tensor, "batch words"]]:
    """First token and number of tokens of each word; 0 tokens for words that are not there."""
    batch, length = word_of.shape
    real = word_of != NONE
    index = torch.where(real, word_of, words)  # tokens of no word go to a column that is cut off
    places = torch.arange(length, device=word_of.device).expand(batch, length)
    start = word_of.new_full((batch, words + 1), length)
    start = start.scatter_reduce(1, index, places, reduce="amin")
    count = word_of.new_zeros(batch, words + 1).scatter_add(1, index, torch.ones_like(word_of))
    return start[:, :words], count[:, :words]


def _first_tokens(
    head: Int[Tensor, "batch words"],
    start: Int[Tensor, "batch words"],
    counted: Bool[Tensor, "batch slots"],
) -> Int[Tensor, "batch slots 2"]:
    to = start.gather(1, head.clamp(min=0))
    forwards = torch.stack([start, to], dim=-1)
    places = torch.cat([forwards, forwards.flip(-1)], dim=1)
    return torch.where(counted[..., None], places, NONE)


def _all_tokens(
    word_of: Int[Tensor, "batch length"],
    head: Int[Tensor, "batch words"],
    start: Int[Tensor, "batch words"],
    length: Int[Tensor, "batch words"],
    counted: Bool[Tensor, "batch slots"],
) -> tuple[Tensor, Tensor, Tensor]:
    """Every (token of a word, token of its head), then the same the other way round."""
    words, longest = head.shape[1], int(length.max())
    word = word_of.clamp(min=0)
    its_head = torch.where(word_of != NONE, head.gather(1, word), NONE)
    known = its_head.clamp(min=0)
    head_start, head_length = start.gather(1, known), length.gather(1, known)
    offset = torch.arange(longest, device=word_of.device)
    real = (its_head != NONE)[..., None] & (offset < head_length[..., None])
    here = torch.arange(word_of.shape[1], device=word_of.device)[None, :, None].expand_as(real)
    there = head_start[..., None] + offset
    slot = word[..., None].expand_as(real)
    own = length.gather(1, word)[..., None].expand_as(real)
    theirs = head_length[..., None].expand_as(real)
    places = torch.cat([_flat_places(here, there), _flat_places(there, here)], dim=1)
    slots = torch.cat([slot.flatten(1), slot.flatten(1) + words], dim=1)
    tokens = torch.cat([own.flatten(1), theirs.flatten(1)], dim=1)
    used = torch.cat([real.flatten(1)] * 2, dim=1) & counted.gather(1, slots)
    weights = torch.where(used, 1 / tokens.clamp(min=1), 0.0)
    return torch.where(used[..., None], places, NONE), slots, weights


def _flat_places(attending: Tensor, attended: Tensor) -> Tensor:
    return torch.stack([attending.flatten(1), attended.flatten(1)], dim=-1)


def _compact(places: Tensor, slots: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The same pairs without most of the padding: real ones first, cut to the fullest row."""
    real = places[..., 0] != NONE
    fullest = int(real.sum(1).max())
    order = real.to(torch.uint8).argsort(dim=1, descending=True, stable=True)[:, :fullest]
    return (
        places.gather(1, order[..., None].expand(-1, -1, 2)),
        slots.gather(1, order),
        weights.gather(1, order),
    )
