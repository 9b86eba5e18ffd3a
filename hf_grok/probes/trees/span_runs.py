"""The last layer's states of a span that the model sees alone: run apart, or masked."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers.utils import logging

from hf_grok.attention.modules import shortest_window
from hf_grok.attention.spans import sees_span_alone
from hf_grok.measurement.requirements import require_finite
from hf_grok.models.text_model import transformer_of, without_cache
from hf_grok.probes.trees.span_rows import SpanRows, SpanSentences

logger = logging.get_logger(__name__)

# Relative. Both ways of running a span agree but for rounding; positions that are not honoured show
# in the first decimals.
LEAST_TOLERANCE, ROUNDINGS = 1e-3, 16


def last_states(
    model: nn.Module, ids: Int[Tensor, "row length"], **inputs: Any
) -> Float[Tensor, "row length width"]:
    """float32 states of the last layer; logits are not computed.

    Raises:
        UserError: they are not finite.
    """
    transformer = transformer_of(model)
    inputs |= without_cache(transformer)
    states: Tensor = transformer(input_ids=ids, **inputs).last_hidden_state
    require_finite(f"the last layer of {type(model).__name__}", states)
    return states.float()


def states_apart(
    model: nn.Module, sentences: SpanSentences, rows: SpanRows
) -> Float[Tensor, "row subword width"]:
    """Run the subwords of each row and the special tokens only, positions kept.

    In a bidirectional model the rows must be of one length; in a causal one they may be filled on
    the right, out of sight.

    Returns:
        States at each row's subwords, then anything.
    """
    position = _positions(sentences, rows)
    ids = sentences.ids[rows.sentence[:, None], position]
    # The mask hides nothing. Without it transformers takes a jump in the positions for the border
    # between packed texts, and hides the start token.
    mask = torch.ones_like(ids)
    states = last_states(model, ids, position_ids=position, attention_mask=mask)
    return states[:, sentences.before : states.shape[1] - sentences.after]


def states_masked(
    model: nn.Module, sentences: SpanSentences, rows: SpanRows, threshold: int
) -> Float[Tensor, "row subword width"]:
    """Run each row's whole sentence, from layer `threshold` on seeing the row's span alone.

    The definition as it stands, at the cost of the whole sentence.

    Returns:
        States at each row's subwords, then anything.
    """
    length = int(sentences.lengths[rows.sentence].max())
    token = torch.arange(length, device=sentences.ids.device)
    first, subwords = sentences.subwords_of(rows)
    real = token < sentences.lengths[rows.sentence, None]
    special = (token < sentences.before) | (token >= sentences.ends[rows.sentence, None])
    inside = (token >= first[:, None]) & (token < (first + subwords)[:, None])
    ids = sentences.ids[rows.sentence, :length]
    with sees_span_alone(model, real & (special | inside), threshold):
        states = last_states(model, ids, attention_mask=real.long())
    row = torch.arange(len(rows), device=token.device)
    return states[row[:, None], sentences.tokens_of(rows)]


def can_run_apart(model: nn.Module, sentences: SpanSentences) -> Bool[Tensor, " sentence"]:
    """Whether `states_apart` is what `states_masked` is at threshold 0.

    It is not in a sentence longer than a window of local attention. Nor is it in a model that
    counts positions or distances in a way of its own; no list of those is complete, so the last
    word of the longest sentence is run both ways, and where they differ nothing is run apart.
    """
    # Local attention is cut by distances within the row, and a span run apart stands nearer to the
    # special tokens than it does in its sentence.
    fits = sentences.lengths <= shortest_window(model)
    if not fits.any():
        return fits
    longest = torch.where(fits, sentences.lengths, 0).argmax()[None]
    words = sentences.words[longest]
    last_word = SpanRows(longest, words - 1, words)
    apart = states_apart(model, sentences, last_word)
    masked = states_masked(model, sentences, last_word, 0)
    if float((apart - masked).norm()) <= _tolerance(model) * float(masked.norm()):
        return fits
    logger.warning(
        "%s gives a word run apart, at its position, other states than the word masked in its "
        "sentence: every span is run masked, which gives the right numbers more slowly",
        type(model).__name__,
    )
    return torch.zeros_like(fits)


def _positions(sentences: SpanSentences, rows: SpanRows) -> Int[Tensor, "row slot"]:
    """Special tokens in front, the row's subwords, special tokens behind, as places in a sentence.

    Padding repeats the last token.
    """
    first, subwords = (each[:, None] for each in sentences.subwords_of(rows))
    slots = sentences.before + int(subwords.max()) + sentences.after
    slot = torch.arange(slots, device=first.device)
    inside = slot - sentences.before
    behind = sentences.ends[rows.sentence, None] + inside - subwords
    position = torch.where(inside < subwords, first + inside, behind)
    position = torch.where(inside < 0, slot, position)
    return position.minimum(sentences.lengths[rows.sentence, None] - 1)


def _tolerance(model: nn.Module) -> float:
    return max(LEAST_TOLERANCE, ROUNDINGS * torch.finfo(next(model.parameters()).dtype).eps)
