"""Attention sparsity: how few positions the heads of a model attend to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from hf_grok.annotation.alignment import EncodedWords, encode_words
from hf_grok.annotation.rows import Rows
from hf_grok.annotation.sentences import constituency_sentences, words_of
from hf_grok.attention.facts import AttentionFacts, attention_facts
from hf_grok.attention.maps import Reduce
from hf_grok.attention.modules import shortest_window
from hf_grok.errors import UserError
from hf_grok.measurement.precision import device_of_sums, in_double
from hf_grok.metrics import PROBES, Metric
from hf_grok.probes.base import State, device_of
from hf_grok.probes.shared_pass import Masks, Reader, ReadingProbe


def attention_entropy(
    attention: Float[Tensor, "batch head query key"],
) -> Float[Tensor, "batch head query"]:
    """H[b, h, i] = - sum over keys j of A[b, h, i, j] log A[b, h, i, j], with 0 log 0 = 0; nats.

    In [0, log of the number of keys that i sees].

    Source: Murty et al. 2023 (arXiv 2305.18741).
    """
    # Numbers below the smallest normal one are slow, and add nothing: 1e-38 x 87.
    logarithm = attention.clamp_min(torch.finfo(attention.dtype).tiny).log_()
    return -logarithm.mul_(attention).sum(-1)


def visible_positions(
    mask: Tensor | None, real: Bool[Tensor, "batch query"], *, causal: bool
) -> Int[Tensor, "batch query"]:
    """Number of keys that each query may look at.

    Args:
        mask: what eager attention adds to its scores, [batch or 1, 1, queries, keys]; None where
            nothing is hidden but padding and, in a causal model, what comes later.
        real: which of the keys, which are the queries, are no padding.
        causal: whether the model sees earlier positions only.
    """
    batch, length = real.shape
    if mask is None and causal:
        seen = torch.arange(1, length + 1)
    elif mask is None:
        seen = real.sum(-1, keepdim=True)
    elif mask.dtype == torch.bool:
        seen = mask[:, 0].sum(-1)
    else:
        seen = (mask[:, 0] > torch.finfo(mask.dtype).min / 2).sum(-1)
    return seen.expand(batch, length)


def entropy_sums(
    attention: Float[Tensor, "batch head query key"],
    visible: Int[Tensor, "batch query"],
    real: Bool[Tensor, "batch query"],
) -> tuple[Float[Tensor, " head"], Float[Tensor, " head"], Float[Tensor, ""]]:
    """Sums over the real queries of each head: entropy, and entropy / log(visible positions).

    A query that sees one position has entropy 0 of at most 0: it has no part in the second sum.

    Returns:
        Both sums, and the number of queries in the second one; float64.
    """
    entropy = in_double(attention_entropy(attention))
    visible, real = visible.to(entropy.device), real.to(entropy.device)
    choosing = real & (visible > 1)
    bound = torch.where(choosing, visible, 2).double().log()
    share = torch.where(choosing, 1 / bound, 0.0)
    plain = torch.einsum("bhq,bq->h", entropy, real.double())
    return plain, torch.einsum("bhq,bq->h", entropy, share), choosing.sum().double()


class AttentionSparsity(ReadingProbe):
    """sparsity_negative_entropy = - mean over layers, heads and positions of H(A[position]); nats.

    `sparsity_normalised` divides each H by the log of the number of positions that the query may
    look at, before the mean: 0 where every head looks at one position, -1 where all look at every
    position alike. Longer sentences have larger entropies; this makes them, and layers with a
    sliding window, comparable. Queries that see one position only (the first of a causal model) are
    left out of it.

    Positions are the tokens of the sentences and their special tokens; padding is left out. Higher
    is sparser, which in itself is neither better nor worse.

    Args:
        rows_or_words: rows with a column words, or a list of sentences, each a list of words.
        tokenizer: a fast tokenizer, the model's.
        allow_unknown: let words through that the tokenizer does not know.
        add_start: put the tokenizer's start token in front where it adds none (GPT-2).

    Raises:
        UserError: there is no sentence, or one does not fit the tokenizer.

    Source: Murty et al. 2023 (arXiv 2305.18741); the normalised value is ours.
    """

    name: ClassVar[str] = "sparsity"
    version: ClassVar[int] = 1
    source: ClassVar[str] = "Murty et al. 2023 (arXiv 2305.18741)"
    metrics: ClassVar[Mapping[str, Metric]] = PROBES["sparsity"]

    def __init__(
        self,
        rows_or_words: Rows,
        tokenizer: PreTrainedTokenizerBase,
        *,
        allow_unknown: bool = False,
        add_start: bool = False,
    ) -> None:
        self.words = encode_words(
            _words(rows_or_words), tokenizer, add_start=add_start, allow_unknown=allow_unknown
        )

    def reader(self, model: nn.Module) -> Reader:
        """Sums over sentences; of one layer's maps at a time.

        The state has
            `entropy` and `normalised` [layer, head], `positions` [] and `choosing` [layer], the
            number of positions in either, in float64.

        Raises:
            UserError: the model's attention cannot be read.
        """
        facts = attention_facts(model)
        longest = int(self.words.lengths.max())
        if facts.reported and longest > shortest_window(model):
            raise UserError(
                f"{type(model).__name__} has attention code of its own, with a window of "
                f"{shortest_window(model)} tokens, and does not say what lies in it for sentences "
                f"of {longest}: measure on shorter ones"
            )
        return _Sums(self.words, facts, device_of(model))

    def compute(self, state: State) -> dict[str, float]:
        """Both numbers; what has no position is left out."""
        layers, heads = state["entropy"].shape
        numbers: dict[str, float] = {}
        for name, sums, cases in (
            ("negative_entropy", state["entropy"], state["positions"] * layers),
            ("normalised", state["normalised"], state["choosing"].sum()),
        ):
            if cases:
                numbers[f"{self.name}_{name}"] = -float(sums.sum() / (cases * heads))
        return numbers


class _Sums(Reader):
    """The sums of `AttentionSparsity.state` while they grow, on the model's device if it can."""

    needs_maps: ClassVar[bool] = True
    needs_masks: ClassVar[bool] = True

    def __init__(self, words: EncodedWords, facts: AttentionFacts, device: torch.device) -> None:
        self._words, self.causal, self._device = words, facts.causal, device
        sums: dict[str, Any] = {"dtype": torch.float64, "device": device_of_sums(device)}
        self._entropy = torch.zeros(facts.layers, facts.heads, **sums)
        self._normalised = torch.zeros_like(self._entropy)
        self._choosing = torch.zeros(facts.layers, **sums)
        self._positions = torch.zeros((), **sums)

    def begin(self, batch: Sequence[int], masks: Masks) -> Reduce:
        longest = int(self._words.lengths[list(batch)].max())
        real = self._words.mask[list(batch), :longest].to(self._device)
        self._positions += real.sum().to(self._positions.device)

        def add(layer: int, attention: Tensor) -> None:
            visible = visible_positions(masks.get(layer), real, causal=self.causal)
            plain, share, rows = entropy_sums(attention, visible, real)
            self._entropy[layer] += plain
            self._normalised[layer] += share
            self._choosing[layer] += rows

        return add

    def state(self) -> State:
        """The sums, on the CPU."""
        return {
            "entropy": self._entropy.cpu(),
            "normalised": self._normalised.cpu(),
            "positions": self._positions.cpu(),
            "choosing": self._choosing.cpu(),
        }


def _words(rows_or_words: Rows) -> list[tuple[str, ...]]:
    """Words of each sentence, whether they are rows or words already."""
    first = next(iter(rows_or_words), None)
    if isinstance(first, str):
        raise UserError(f"sentence 0 is the text {first!r}: expected a list of words. Split it.")
    if isinstance(first, list | tuple):
        return [tuple(words) for words in rows_or_words]
    return words_of(constituency_sentences(rows_or_words))
