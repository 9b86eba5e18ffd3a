"""Scores of whole sentences: log-probability, and pseudo-log-likelihood by masking."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Float64, Int
from torch import Tensor, nn

from hf_grok.measurement.length_batches import length_batches, token_budget
from hf_grok.measurement.precision import log_probabilities_of, log_softmax
from hf_grok.probes.base import device_of
from hf_grok.probes.pairs.logits import logits_at
from hf_grok.probes.pairs.sentences import EncodedSentences


def log_probability(
    model: nn.Module, sentences: EncodedSentences, chosen: Int[Tensor, " chosen"]
) -> Float64[Tensor, " sentence"]:
    """score[i] = sum over t >= 1 of log p(w_t | w_0 ... w_{t-1}); nats, <= 0, higher is likelier.

    The first token is given, never scored: a start token where there is one, else the sentence's
    own. Every other token is scored, an end token behind the sentence too.

    Args:
        model: a causal language model, in evaluation mode.
        sentences: of two tokens or more.
        chosen: which of them are scored; the others get 0.
    """
    device = device_of(model)
    scores = torch.zeros(len(sentences), dtype=torch.float64)
    for batch in length_batches(sentences.lengths, chosen.tolist(), token_budget(device)):
        lengths = sentences.lengths[batch]
        # No mask: padding is on the right, out of sight of every token that counts.
        ids = sentences.ids[batch, : int(lengths.max())].to(device)
        before = torch.arange(ids.shape[1] - 1).expand(len(batch), -1)
        logits = logits_at(model, ids, before.to(device), use_cache=False)
        each = log_probabilities_of(logits, ids[:, 1:]).cpu().double()
        scores[batch] = each.masked_fill(before + 1 >= lengths[:, None], 0.0).sum(-1)
    return scores


def pseudo_log_likelihood(
    model: nn.Module, sentences: EncodedSentences, chosen: Int[Tensor, " chosen"], mask_token: int
) -> Float64[Tensor, " sentence"]:
    """score[i] = sum over t of log p(w_t | sentence i with token t masked); nats, <= 0.

    t runs over the sentence's own tokens; special tokens are seen but never masked, never scored.

    Args:
        model: a masked language model, in evaluation mode.
        sentences: which.
        chosen: which of them are scored; the others get 0.
        mask_token: id of the mask.

    Source: Salazar et al. 2020 (arXiv 1910.14659).
    """
    scores = torch.zeros(len(sentences), dtype=torch.float64)
    row, position = (~sentences.special[chosen]).nonzero(as_tuple=True)
    sentence = chosen[row]
    for copies in groups_of_equal(sentences.lengths[sentence]):
        of = sentence[copies]
        ids = sentences.ids[of, : int(sentences.lengths[of[0]])]
        each = masked_log_probabilities(model, ids, position[copies], mask_token)
        scores.index_add_(0, of, each)
    return scores


def masked_log_probabilities(
    model: nn.Module,
    ids: Int[Tensor, "copy length"],
    position: Int[Tensor, " copy"],
    mask_token: int,
) -> Float64[Tensor, " copy"]:
    """log p(ids[c, position[c]] | ids[c] with that token masked), one masked copy a row; nats.

    Copies are of one length, so that a batch holds no padding. Equal ones are run once: the
    sentences of a pair that differ in one token share the copy in which it is masked.
    """
    device = device_of(model)
    masked = ids.scatter(1, position[:, None], mask_token)
    distinct, place = torch.cat([position[:, None], masked], 1).unique(dim=0, return_inverse=True)
    gold = ids.gather(1, position[:, None]).squeeze(1)
    found = torch.zeros(len(ids), dtype=torch.float64)
    for batch in even_ranges(len(distinct), max(1, token_budget(device) // ids.shape[1])):
        rows = distinct[batch.start : batch.stop].to(device)
        every = log_softmax(logits_at(model, rows[:, 1:].contiguous(), rows[:, :1]))
        here = ((place >= batch.start) & (place < batch.stop)).nonzero().squeeze(1)
        wanted = (place[here] - batch.start).to(device), gold[here].to(device)
        found[here] = every[:, 0][wanted].cpu().double()
    return found


def groups_of_equal(values: Int[Tensor, " item"]) -> Iterator[Int[Tensor, " group"]]:
    """Places of equal values, a group for each value, in ascending order of value and place."""
    counts = values.unique(return_counts=True)[1]
    yield from values.argsort(stable=True).split(counts.tolist())


def even_ranges(count: int, most: int) -> Iterator[range]:
    """0 to count - 1, cut into as few ranges of at most `most` as can be, of about one size."""
    parts = -(-count // most)
    for part in range(parts):
        yield range(count * part // parts, count * (part + 1) // parts)
