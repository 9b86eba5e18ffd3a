"""How much of a span's representation is left when the model sees the span alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from hf_grok.attention.facts import AttentionFacts, attention_facts
from hf_grok.errors import UserError
from hf_grok.probes.trees.span_rows import SpanRows, SpanSentences, batches, every_span, every_start
from hf_grok.probes.trees.span_runs import can_run_apart, last_states, states_apart, states_masked


def span_similarities(
    model: nn.Module, sentences: SpanSentences, *, threshold: int = 0
) -> Float[Tensor, "sentence edges edges"]:
    """SCI(i, j) = cosine(v_full, v_span) for every span [i, j) of every sentence, in [-1, 1].

    v_full is the sum of the last layer's states at the span's subwords, in the whole sentence.
    v_span is the same sum when, in every layer from `threshold` on, positions attend only inside
    the span and to the special tokens (in a causal model: to the start token).

    A causal model is run once on each start of a sentence: its state at a subword depends on the
    span's start only, so one row has the sums up to every end. A bidirectional model is run on each
    span. At `threshold` 0 a row holds the span's subwords and the special tokens only, at the
    positions that they have in the sentence; above, it is the sentence, masked.

    Args:
        model: a transformer of the library, in evaluation mode.
        sentences: on the model's device.
        threshold: first layer that sees the span alone, 0 to layers - 1.

    Returns:
        float32; 0 where there is no span.

    Raises:
        UserError: no such layer, a bidirectional model without an end token, or a model that is no
            stock transformer.

    Source: Murty et al. 2023, "Characterizing intrinsic compositionality in transformers with tree
        projections" (ICLR).
    """
    facts = attention_facts(model)
    causal = facts.causal
    _check(model, sentences, threshold, facts)
    if causal:
        sentences = sentences.without_end()
    whole = _states_in_sentence(model, sentences, equal=not causal)
    similarities = _Similarities.start(sentences, whole, every_end=causal)
    rows = every_start(sentences.words) if causal else every_span(sentences.words)
    apart = torch.zeros_like(sentences.words, dtype=torch.bool)
    if threshold == 0 and len(rows):
        apart = can_run_apart(model, sentences)
    for batch in _batches_apart(sentences, rows[apart[rows.sentence]], equal=not causal):
        similarities.fill(batch, states_apart(model, sentences, batch))
    for batch in _batches_masked(sentences, rows[~apart[rows.sentence]]):
        similarities.fill(batch, states_masked(model, sentences, batch, threshold))
    return similarities.chart


def cumulative_cosines(
    full: Float[Tensor, "row subword width"], span: Float[Tensor, "row subword width"]
) -> Float[Tensor, "row subword"]:
    """cosine(sum of full[r, :t + 1], sum of span[r, :t + 1]) for every t; 0 if a sum is zero."""
    full, span = full.cumsum(1), span.cumsum(1)
    norms = torch.linalg.vector_norm(full, dim=-1) * torch.linalg.vector_norm(span, dim=-1)
    smallest = torch.finfo(norms.dtype).tiny
    return torch.linalg.vecdot(full, span) / norms.clamp(min=smallest)


@dataclass(frozen=True)
class _Similarities:
    """The chart while it is filled, batch of rows by batch of rows.

    Attributes:
        chart: SCI of every span so far.
        sentences: whose spans they are.
        whole: states of each sentence's tokens in the whole sentence.
        ended: the number of the word that ends at each token, from 1; 0 where none does.
        every_end: whether a row counts for every end of a word in it, or for its own end only.
    """

    chart: Float[Tensor, "sentence edges edges"]
    sentences: SpanSentences
    whole: Float[Tensor, "sentence length width"]
    ended: Int[Tensor, "sentence length"]
    every_end: bool

    @classmethod
    def start(
        cls,
        sentences: SpanSentences,
        whole: Float[Tensor, "sentence length width"],
        every_end: bool,
    ) -> _Similarities:
        """The cells of the spans that see all they would see in the sentence are 1."""
        edges = sentences.edges.shape[1]
        edge = torch.arange(edges, device=whole.device)
        last = sentences.words[:, None]
        same = (edge > 0) & (edge <= last) if every_end else edge == last
        chart = whole.new_zeros(len(whole), edges, edges)
        chart[:, 0] = same.to(whole.dtype)
        return cls(chart, sentences, whole, sentences.words_ended(), every_end)

    def fill(self, rows: SpanRows, states: Float[Tensor, "row subword width"]) -> None:
        """Enter what the rows say, given the states at their subwords."""
        tokens = self.sentences.tokens_of(rows)
        sentence = rows.sentence[:, None]
        cosines = cumulative_cosines(self.whole[sentence, tokens], states)
        _, subwords = self.sentences.subwords_of(rows)
        slot = torch.arange(tokens.shape[1], device=tokens.device)
        end = self.ended[sentence, tokens]
        counts = (end > 0) if self.every_end else (end == rows.end[:, None])
        row, subword = (counts & (slot < subwords[:, None])).nonzero(as_tuple=True)
        self.chart[rows.sentence[row], rows.start[row], end[row, subword]] = cosines[row, subword]


def _states_in_sentence(
    model: nn.Module, sentences: SpanSentences, *, equal: bool
) -> Float[Tensor, "sentence length width"]:
    """States of every token in its whole sentence, at positions that the model itself counts."""
    lengths = sentences.lengths
    runs = []
    for batch in batches(lengths, equal=equal):
        states = last_states(model, sentences.ids[batch, : int(lengths[batch].max())])
        runs.append((batch, states))
    whole = states.new_zeros(len(lengths), int(lengths.max()), states.shape[-1])
    for batch, states in runs:
        whole[batch, : states.shape[1]] = states
    return whole


def _batches_apart(sentences: SpanSentences, rows: SpanRows, *, equal: bool) -> Iterator[SpanRows]:
    _, subwords = sentences.subwords_of(rows)
    lengths = sentences.before + subwords + sentences.after
    for batch in batches(lengths, equal=equal):
        yield rows[batch]


def _batches_masked(sentences: SpanSentences, rows: SpanRows) -> Iterator[SpanRows]:
    lengths = sentences.lengths[rows.sentence]
    for batch in batches(lengths, equal=False):
        yield rows[batch]


def _check(
    model: nn.Module, sentences: SpanSentences, threshold: int, facts: AttentionFacts
) -> None:
    layers = facts.layers
    if not 0 <= threshold < layers:
        raise UserError(
            f"threshold={threshold}, but {type(model).__name__} has {layers} layers: expected the "
            f"first layer that sees a span alone, from 0 to {layers - 1}"
        )
    if not facts.causal and sentences.after == 0:
        raise UserError(
            f"{type(model).__name__} sees both ways, and the tokenizer puts no end token behind a "
            "sentence: expected one in front and one behind, as in the text that the model was "
            "trained on"
        )
