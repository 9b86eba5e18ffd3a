"""Gold arcs of sentences, as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from hf_grok.annotation.heads import NONE, head_places
from hf_grok.annotation.sentences import Sentence
from hf_grok.probes.uas.offsets import arc_offsets, commonest_offsets

NO_HEAD = NONE
HALVES = 2  # of the sentences: those at even rows, those at odd rows
KINDS = 2  # of arcs: those at the commonest offset of their relation, the atypical ones


@dataclass(frozen=True)
class Arcs:
    """The arcs of a batch, one after the other.

    Attributes:
        sentence: number in the batch.
        dependent: 0-based word.
        head: 0-based word.
        relation: number of the relation.
        half: 0 if its sentence stands at an even row of the data, else 1.
        offset: head - dependent; its absolute value for a causal model.
    """

    sentence: Int[Tensor, " arc"]
    dependent: Int[Tensor, " arc"]
    head: Int[Tensor, " arc"]
    relation: Int[Tensor, " arc"]
    half: Int[Tensor, " arc"]
    offset: Int[Tensor, " arc"]

    def __len__(self) -> int:
        return len(self.sentence)

    def keep(self, chosen: Bool[Tensor, " arc"]) -> Arcs:
        """Those of them that are chosen."""
        return Arcs(**{name: values[chosen] for name, values in vars(self).items()})


@dataclass(frozen=True)
class Gold:
    """The gold arcs of all sentences.

    Attributes:
        heads: 0-based head of each word; -1 for roots and padding.
        relations: number of each word's relation in `names`; 0 at padding.
        words: words of each sentence.
        roots: words without a head in each sentence.
        half: 0 or 1 for each sentence.
        names: the relations, sorted.
    """

    heads: Int[Tensor, "sentence word"]
    relations: Int[Tensor, "sentence word"]
    words: Int[Tensor, " sentence"]
    roots: Int[Tensor, " sentence"]
    half: Int[Tensor, " sentence"]
    names: tuple[str, ...]

    @classmethod
    def of(cls, sentences: Sequence[Sentence], rows: Sequence[int]) -> Gold:
        """The arcs of `sentences`, which stand at `rows` of the data."""
        names = tuple(
            sorted(
                {
                    relation
                    for sentence in sentences
                    for relation, head in zip(sentence.deprels, sentence.heads, strict=True)
                    if head
                }
            )
        )
        number = {name: index for index, name in enumerate(names)}
        longest = max(len(sentence.words) for sentence in sentences)
        heads = torch.full((len(sentences), longest), NO_HEAD)
        relations = torch.zeros_like(heads)
        for row, sentence in enumerate(sentences):
            heads[row, : len(sentence.heads)] = torch.tensor(head_places(sentence.heads))
            # A root's relation may be that of no arc.
            numbers = [number.get(relation, 0) for relation in sentence.deprels]
            relations[row, : len(numbers)] = torch.tensor(numbers)
        return cls(
            heads=heads,
            relations=relations,
            words=torch.tensor([len(sentence.words) for sentence in sentences]),
            roots=torch.tensor([sentence.heads.count(0) for sentence in sentences]),
            half=torch.tensor(list(rows)) % HALVES,
            names=names,
        )

    def arcs(self, chosen: Sequence[int], *, causal: bool) -> Arcs:
        """The arcs of the sentences at `chosen`, in their order."""
        picked = torch.tensor(chosen, dtype=torch.int64)
        heads = self.heads[picked]
        sentence, dependent = (heads != NO_HEAD).nonzero(as_tuple=True)
        head = heads[sentence, dependent]
        return Arcs(
            sentence=sentence,
            dependent=dependent,
            head=head,
            relation=self.relations[picked][sentence, dependent],
            half=self.half[picked][sentence],
            offset=arc_offsets(dependent, head, causal=causal),
        )

    def commonest(self, *, causal: bool) -> Int[Tensor, " relation"]:
        """The commonest offset of each relation, over all sentences."""
        arcs = self.arcs(range(len(self.words)), causal=causal)
        return commonest_offsets(arcs.offset, arcs.relation, len(self.names))
