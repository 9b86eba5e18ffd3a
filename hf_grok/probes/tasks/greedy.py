"""Greedy decoding by drafts: the same words as one token at a time, in a few forward passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from hf_grok.probes.tasks.base import next_word_logits

# (draft [batch, length], final [batch]) -> which lines need no further word, [batch].
Settled: TypeAlias = Callable[[Tensor, Tensor], Tensor]


def greedy_is_gold(
    logits: Float[Tensor, "batch length vocabulary"],
    ids: Int[Tensor, "batch length"],
    starts: Int[Tensor, " batch"],
    stops: Int[Tensor, " batch"],
) -> Bool[Tensor, " batch"]:
    """all over t in [start, stop) of argmax p(. | ids[:t]) = ids[t].

    Exactly the lines whose greedy continuation of ids[:start] is ids[start:stop]: greedy decoding
    sees the gold tokens as long as it has not left them, so the first argmax that differs from
    gold is the first word that it decodes wrong, and one forward pass on gold settles the line.
    """
    right = logits[:, :-1].argmax(-1) == ids[:, 1:]
    return (right | ~_between(ids, starts, stops)).all(-1)


def redraft(
    logits: Float[Tensor, "batch length vocabulary"],
    draft: Int[Tensor, "batch length"],
    final: Int[Tensor, " batch"],
    stops: Int[Tensor, " batch"],
) -> tuple[Int[Tensor, "batch length"], Int[Tensor, " batch"]]:
    """A better draft, draft[t] := argmax p(. | draft[:t]) for t in [final, stop), and its final.

    Args:
        logits: of the model on `draft`.
        draft: prompt and a guess at what follows.
        final: draft[:final] holds the prompt and words that are greedy for certain.
        stops: where decoding ends.

    Returns:
        The new draft and the new `final`: where the guess was right the argmax saw greedy words
        only, so everything is greedy up to and with the first word where it was wrong. At least
        one word further than before, unless `final` was `stops`.
    """
    open_words = _between(draft, final, stops)
    predicted = logits[:, :-1].argmax(-1)
    wrong = (predicted != draft[:, 1:]) & open_words
    new = draft.clone()
    new[:, 1:] = torch.where(open_words, predicted, draft[:, 1:])
    # The place of a word in `wrong` is one less than in `draft`, and `final` is the place behind.
    return new, torch.where(wrong.any(-1), wrong.int().argmax(-1) + 2, stops)


def decode_greedily(
    model: nn.Module,
    ids: Int[Tensor, "batch length"],
    starts: Int[Tensor, " batch"],
    stops: Int[Tensor, " batch"],
    settled: Settled,
) -> tuple[Int[Tensor, "batch length"], Int[Tensor, " batch"]]:
    """Greedy continuation of ids[:start] up to `stop`, with ids[start:stop] as the first draft.

    Every pass checks a whole draft at once; one pass is enough where the draft is right, and each
    further pass fixes at least one word. Lines of different prompt lengths go together, padded
    on the right. Equal to decoding word by word.

    Args:
        model: the causal language model.
        ids: prompts and drafts (gold, where there is one), padded on the right.
        starts: length of each prompt.
        stops: where each line ends.
        settled: called with (draft, final) after each pass; tells which lines may stop before
            their last word because nothing that is asked of them depends on the rest.

    Returns:
        draft and final: draft[:final] is greedy; words behind it are not known.
    """
    draft, final = ids.clone(), starts.clone()
    pending = torch.arange(len(ids), device=ids.device)
    while len(pending):
        logits = next_word_logits(model, draft[pending])
        draft[pending], final[pending] = redraft(
            logits, draft[pending], final[pending], stops[pending]
        )
        pending = torch.nonzero((final < stops) & ~settled(draft, final)).squeeze(-1)
    return draft, final


def _between(
    ids: Int[Tensor, "batch length"], starts: Int[Tensor, " batch"], stops: Int[Tensor, " batch"]
) -> Bool[Tensor, "batch predicted"]:
    """Which of the tokens 1, 2, ... (those that have a prediction) lie in [start, stop)."""
    position = torch.arange(1, ids.shape[1], device=ids.device)
    return (position >= starts[:, None]) & (position < stops[:, None])
