"""The best head of each relation on a few sentences, for a report to draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor

from hf_grok.annotation.sentences import Sentence
from hf_grok.probes.base import State
from hf_grok.probes.uas.scores import best_option, frequent, parts_of

DIRECTIONS = {1: ("later",), 2: ("dep->head", "head->dep")}
DECIMALS = 4


def typical_sentences(
    sentences: Sequence[Sentence], candidates: Sequence[int], count: int
) -> list[int]:
    """The first `count` candidates of about the median length of all candidates, in their order."""
    lengths = sorted(len(sentences[number].words) for number in candidates)
    median = lengths[len(lengths) // 2] if lengths else 0
    nearest = sorted(
        candidates, key=lambda number: (abs(len(sentences[number].words) - median), number)
    )
    return sorted(nearest[:count])


def best_heads(
    state: State,
    names: Sequence[str],
    *,
    selection: str,
    minimum_count: int,
    asked: Bool[Tensor, " relation"],
) -> dict[str, dict[str, Any]]:
    """relation -> layer, head, direction and uas of its best head, for each scored relation."""
    selected, scored = parts_of(state, selection)
    arcs = scored["arcs"].sum(0)
    enough = frequent(selected["arcs"].sum(0), arcs, minimum_count, asked)
    hits = scored["hits"].sum(0)
    best = best_option(selected["hits"].sum(0))
    places = torch.unravel_index(best, hits.shape[1:])
    found = {}
    for number in enough.nonzero().flatten().tolist():
        layer, head, direction = (int(place[number]) for place in places)
        share = hits[number, layer, head, direction] / arcs[number]
        found[names[number]] = {
            "layer": layer,
            "head": head,
            "direction": DIRECTIONS[hits.shape[-1]][direction],
            "uas": float(share),
        }
    return found


def pictured(
    maps: Tensor, sentences: Sequence[Sentence], heads: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    """Each sentence that was seen, with the map of the best head of each relation that it has.

    Args:
        maps: [sentence, layer, head, word, word]; 0 for a sentence that was not seen.
        sentences: as many.
        heads: of `best_heads`.
    """
    drawn = []
    for weights, sentence in zip(maps, sentences, strict=True):
        if not weights.any():
            continue
        size = len(sentence.words)
        occurring = [relation for relation in heads if relation in sentence.deprels]
        own = {
            relation: weights[heads[relation]["layer"], heads[relation]["head"], :size, :size]
            for relation in occurring
        }
        drawn.append(
            {
                "words": list(sentence.words),
                "heads": list(sentence.heads),
                "deprels": list(sentence.deprels),
                "maps": {relation: _rounded(map_) for relation, map_ in own.items()},
            }
        )
    return drawn


def _rounded(weights: Tensor) -> list[list[float]]:
    return [[round(weight, DECIMALS) for weight in row] for row in weights.tolist()]
