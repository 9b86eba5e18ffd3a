"""What every behavioural measure shares: encoded lines, batches, one tally."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from hf_grok.annotation.alignment import EncodedWords
from hf_grok.behaviour.encoding import EncodedLines, length_batches, token_budget
from hf_grok.errors import UserError
from hf_grok.positions import position_limit
from hf_grok.tally import Tally
from hf_grok.text_model import vocabulary_of


class Behaviour(ABC):
    """tally(all lines) = sum of the tallies of any split of the lines.

    Works on any causal language model that is called as `model(input_ids=...)` and returns
    `.logits`, on the device of its parameters. Nothing is drawn at random.

    Args:
        lines: the scored lines, encoded once.
    """

    def __init__(self, lines: EncodedLines) -> None:
        self._lines = lines

    def __len__(self) -> int:
        """The number of scored lines."""
        return len(self._lines)

    def tally(self, model: nn.Module, indices: Sequence[int] | None = None) -> Tally:
        """Sums and counts of every measure over the lines at `indices` (default: all of them).

        Process r of w takes `range(len(self))[r::w]`, and the processes' tallies add up.

        Raises:
            UserError: the model has too few positions or too small a vocabulary for the lines.
            RuntimeError: the model is in training mode, where dropout would be measured too.
        """
        if model.training:
            raise RuntimeError("the model is in training mode: call model.eval() before measuring")
        check_model_fits(model, self._lines)
        device = next(model.parameters()).device
        chosen = range(len(self)) if indices is None else indices
        total = Tally()
        with torch.no_grad():
            for batch in length_batches(self._lines.lengths, chosen, token_budget(device)):
                longest = int(self._lines.lengths[batch].max())
                ids = self._lines.ids[batch, :longest].to(device)
                total = total + self._score(model, ids, torch.tensor(batch))
        return total

    @abstractmethod
    def _score(
        self, model: nn.Module, ids: Int[Tensor, "batch length"], indices: Int[Tensor, " batch"]
    ) -> Tally:
        """The tally of one batch.

        Args:
            model: the causal language model, in evaluation mode.
            ids: tokens on the model's device, padded on the right.
            indices: which line each row is, on the CPU.
        """


def next_word_logits(
    model: nn.Module, ids: Int[Tensor, "batch length"]
) -> Float[Tensor, "batch length vocabulary"]:
    """logits[b, t] = the model's scores for the token at t + 1, given tokens 0 to t."""
    # No mask: padding is on the right, out of sight of every token that counts.
    logits: Tensor = model(input_ids=ids, use_cache=False).logits
    return logits


def check_words_fit(model: nn.Module, words: EncodedWords) -> None:
    """`check_model_fits` of sentences as pieces.

    Raises:
        UserError: the model has too few positions or too small a vocabulary for them.
    """
    check_model_fits(model, EncodedLines(words.ids, words.lengths, offset=0))


def check_model_fits(model: nn.Module, lines: EncodedLines) -> None:
    """Longest line <= the model's positions, and largest token id < its vocabulary.

    Checked before the forward pass: on a GPU an index beyond a table ends the whole process.

    Raises:
        UserError: either is not so.
    """
    size = vocabulary_of(model)
    largest = int(lines.ids.max())
    if size is not None and largest >= size:
        raise UserError(
            f"the lines hold token id {largest} and the model's vocabulary ends at {size - 1}:"
            " measure a model with the tokenizer that it was trained with"
        )
    positions = position_limit(model)
    longest = int(lines.lengths.max())
    if positions is not None and longest > positions:
        raise UserError(
            f"the longest line has {longest} tokens and the model only {positions} positions:"
            " train with more (max_position_embeddings), or measure on shorter lines"
        )
