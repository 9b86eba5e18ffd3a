"""Sums over gold arcs, layer by layer and batch by batch, on the model's device if it can."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from hf_grok.annotation.alignment import EncodedWords
from hf_grok.measurement.precision import device_of_sums, in_double
from hf_grok.probes.base import State
from hf_grok.probes.uas.arcs import Targets, arc_hits, visible_cells
from hf_grok.probes.uas.gold import HALVES, KINDS, Arcs, Gold
from hf_grok.probes.uas.offsets import offset_hits, offsets_for
from hf_grok.probes.uas.words import WordPieces, word_attention, word_tokens


@dataclass(frozen=True)
class Shape:
    """What the sums depend on.

    Attributes:
        layers: of the model.
        heads: of each layer.
        causal: whether the model sees earlier words only.
        sink: whether arcs with the first word are left out, since the input starts with it.
    """

    layers: int
    heads: int
    causal: bool
    sink: bool

    @property
    def directions(self) -> int:
        """Ways in which a head may find an arc: dep->head and head->dep, or later."""
        return 1 if self.causal else 2


@dataclass(frozen=True)
class Batch:
    """What of a batch is the same for every layer, on the model's device.

    Attributes:
        tokens: where the words stand.
        cells: where a word may choose another.
        targets: the arcs.
        category: half, kind and relation of each arc in one number; where the sums are.
        drawn: sentence in the batch -> place among the pictured sentences.
    """

    tokens: WordPieces
    cells: Bool[Tensor, "word word"]
    targets: Targets
    category: Int[Tensor, " arc"]
    drawn: Mapping[int, int]


class Sums:
    """The sums of `AttentionUAS.state`, while they grow.

    Args:
        gold: the arcs of all sentences.
        commonest: the commonest offset of each relation, or the commonest distance.
        shape: of the model.
        pictured: sentence -> place in `maps`.
        device: the model's.
    """

    def __init__(
        self,
        gold: Gold,
        commonest: Int[Tensor, " relation"],
        shape: Shape,
        pictured: Mapping[int, int],
        device: torch.device,
    ) -> None:
        self._gold, self._commonest, self._shape = gold, commonest, shape
        self._pictured, self._device = pictured, device
        self._categories = HALVES * KINDS * len(gold.names)
        by_head = (self._categories, shape.heads, shape.directions)
        sums: dict[str, Any] = {"dtype": torch.float64, "device": device_of_sums(device)}
        self._hits = torch.zeros(shape.layers, *by_head, **sums)
        self._mass = torch.zeros_like(self._hits)
        size = max((int(gold.words[number]) for number in pictured), default=0)
        self._maps = torch.zeros(
            len(pictured), shape.layers, shape.heads, size, size, device=device
        )
        offsets = len(offsets_for(causal=shape.causal))
        self._arcs = torch.zeros(self._categories, dtype=torch.float64)
        self._offset_hits = torch.zeros(self._categories, offsets, dtype=torch.float64)
        self._roots = torch.zeros(HALVES, dtype=torch.float64)
        self._left_out = torch.zeros(HALVES, dtype=torch.float64)

    def adder(self, words: EncodedWords, chosen: Sequence[int]) -> Callable[[int, Tensor], None]:
        """Count the gold of the sentences at `chosen`; the rest is counted layer by layer.

        Returns:
            What adds a layer's map of this batch to the sums.
        """
        arcs = self._gold.arcs(chosen, causal=self._shape.causal)
        if self._shape.sink:
            first = torch.minimum(arcs.dependent, arcs.head) == 0
            self._left_out += arcs.keep(first).half.bincount(minlength=HALVES)
            arcs = arcs.keep(~first)
        category = self._category(arcs)
        self._add_gold(chosen, arcs, category)
        batch = self._batch(words, chosen, arcs, category)
        return lambda layer, attention: self._add_layer(layer, attention, batch)

    def state(self) -> State:
        """The sums, on the CPU, with an axis for each of half, kind and relation."""
        names = (HALVES, KINDS, len(self._gold.names))
        hits, mass = (
            sums.cpu().transpose(0, 1).unflatten(0, names).contiguous()
            for sums in (self._hits, self._mass)
        )
        return {
            "hits": hits,
            "mass": mass,
            "arcs": self._arcs.unflatten(0, names),
            "offset_hits": self._offset_hits.unflatten(0, names),
            "roots": self._roots,
            "left_out": self._left_out,
            "maps": self._maps.cpu(),
        }

    def _category(self, arcs: Arcs) -> Int[Tensor, " arc"]:
        kind = (arcs.offset != self._commonest[arcs.relation]).long()
        return (arcs.half * KINDS + kind) * len(self._gold.names) + arcs.relation

    def _add_gold(self, chosen: Sequence[int], arcs: Arcs, category: Int[Tensor, " arc"]) -> None:
        self._arcs += category.bincount(minlength=self._categories)
        hits = offset_hits(arcs.offset, causal=self._shape.causal)
        self._offset_hits.index_add_(0, category, hits.double())
        picked = torch.tensor(chosen)
        # With the first word hidden, a sentence of two words has no choice to make.
        scoreable = self._gold.words[picked] - int(self._shape.sink) >= 2
        roots = (self._gold.roots[picked] * scoreable).double()
        self._roots.index_add_(0, self._gold.half[picked], roots)

    def _batch(
        self,
        words: EncodedWords,
        chosen: Sequence[int],
        arcs: Arcs,
        category: Int[Tensor, " arc"],
    ) -> Batch:
        most = int(words.words[list(chosen)].max())
        places = words.word_of[list(chosen), : int(words.lengths[list(chosen)].max())]
        cells = visible_cells(most, causal=self._shape.causal, sink=self._shape.sink)
        return Batch(
            tokens=word_tokens(places, most, self._shape.heads).to(self._device),
            cells=cells.to(self._device),
            targets=Targets.of(
                arcs,
                self._gold.heads[list(chosen), :most],
                causal=self._shape.causal,
                device=self._device,
            ),
            category=category.to(self._hits.device),
            drawn={
                row: self._pictured[number]
                for row, number in enumerate(chosen)
                if number in self._pictured
            },
        )

    def _add_layer(
        self, layer: int, attention: Float[Tensor, "batch head query key"], batch: Batch
    ) -> None:
        weights = word_attention(attention, batch.tokens, batch.cells)
        hits, mass = arc_hits(weights, batch.targets)
        self._hits[layer].index_add_(0, batch.category, in_double(hits))
        self._mass[layer].index_add_(0, batch.category, in_double(mass))
        size = min(weights.shape[-1], self._maps.shape[-1])
        for row, place in batch.drawn.items():
            self._maps[place, layer, :, :size, :size] = weights[row, :, :size, :size]
