"""What a language model is asked to predict: the next token, or the tokens masked for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from hf_grok.annotation.alignment import NO_WORD, EncodedWords
from hf_grok.errors import UserError
from hf_grok.masking import IGNORED, evaluation_masks
from hf_grok.measurement.precision import log_probabilities_of
from hf_grok.models.text_model import logits_of

NOWHERE = -1
NOT_A_NUMBER = "the model's probabilities are not numbers: has training diverged?"


@dataclass(frozen=True)
class Predictions:
    """Row b of the logits predicts, at position t, token `place[b, t]` of sentence b.

    Attributes:
        ids: what the model sees, filled up on the right.
        lengths: tokens of each sentence.
        place: position of the predicted token in its sentence; -1 where nothing is predicted.
        gold: the predicted token; -100 where nothing is predicted.
        causal: the model sees the past only, so that padding on the right is out of its sight.
    """

    ids: Int[Tensor, "batch length"]
    lengths: Int[Tensor, " batch"]
    place: Int[Tensor, "batch length"]
    gold: Int[Tensor, "batch length"]
    causal: bool

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def predicted(self) -> Bool[Tensor, "batch length"]:
        """Where something is predicted."""
        return self.place != NOWHERE

    def only(self, row: int) -> Predictions:
        """Sentence `row` alone, without padding."""
        length = int(self.lengths[row])
        cut = {
            name: getattr(self, name)[row : row + 1, :length] for name in ("ids", "place", "gold")
        }
        return replace(self, lengths=self.lengths[row : row + 1], **cut)

    def to(self, device: torch.device) -> Predictions:
        """The same on another device."""
        moved = {
            name: getattr(self, name).to(device) for name in ("ids", "lengths", "place", "gold")
        }
        return replace(self, **moved)


def masked_tokens_of(encoded: EncodedWords, *, seed: int) -> Bool[Tensor, "sentence length"]:
    """`evaluation_masks` of the sentences; special tokens never.

    So a masked model is asked for what its run's validation loss asks for, given the same sentences
    and seed.
    """
    return torch.from_numpy(evaluation_masks((encoded.word_of != NO_WORD).numpy(), seed=seed))


def next_tokens(encoded: EncodedWords, indices: Sequence[int]) -> Predictions:
    """A causal model's predictions: every token but the first, from those before it."""
    ids, lengths = _batch(encoded, indices)
    after = torch.arange(1, ids.shape[1] + 1).expand_as(ids)
    place = torch.where(after < lengths[:, None], after, NOWHERE)
    return Predictions(ids, lengths, place, _gold(ids, place), causal=True)


def masked_tokens(
    encoded: EncodedWords,
    indices: Sequence[int],
    masked: Bool[Tensor, "sentence length"],
    mask_token: int,
) -> Predictions:
    """A masked model's predictions: every masked token, all of a sentence's at once."""
    ids, lengths = _batch(encoded, indices)
    here = masked[list(indices), : ids.shape[1]]
    place = torch.where(here, torch.arange(ids.shape[1]).expand_as(ids), NOWHERE)
    seen = ids.masked_fill(here, mask_token)
    return Predictions(seen, lengths, place, _gold(ids, place), causal=False)


def predictions_of(
    encoded: EncodedWords,
    indices: Sequence[int],
    masked: Bool[Tensor, "sentence length"],
    tokenizer: PreTrainedTokenizerBase,
    *,
    causal: bool,
) -> Predictions:
    """`next_tokens` where the model sees the past only, else `masked_tokens`; on the CPU.

    Raises:
        UserError: the model sees both sides and the tokenizer has no mask token.
    """
    if causal:
        return next_tokens(encoded, indices)
    return masked_tokens(encoded, indices, masked, mask_token_of(tokenizer))


def mask_token_of(tokenizer: PreTrainedTokenizerBase) -> int:
    """The id that stands for a masked token.

    Raises:
        UserError: the tokenizer has none.
    """
    if tokenizer.mask_token_id is None:
        raise UserError(
            "the model sees both sides, so that tokens must be masked for it, but "
            f"{type(tokenizer).__name__} has no mask token: set tokenizer.mask_token to the one "
            "that the model was trained with"
        )
    return int(tokenizer.mask_token_id)


def predict(model: nn.Module, predictions: Predictions) -> Float[Tensor, "batch length vocabulary"]:
    """The model's logits, as float32, for sentences that fit it (`check_words_fit`).

    Raises:
        UserError: the model has no language-model head.
    """
    # Masks are left out where they change nothing: padding on the right is no causal model's past.
    if predictions.causal:
        output = model(input_ids=predictions.ids, use_cache=False)
    else:
        real = torch.arange(predictions.ids.shape[1], device=predictions.ids.device)
        mask = (real < predictions.lengths[:, None]).long()
        output = model(input_ids=predictions.ids, attention_mask=mask)
    return logits_of(model, output, predictions.ids.shape).float()


def negative_log_likelihood(
    logits: Float[Tensor, "batch length vocabulary"], labels: Int[Tensor, "batch length"]
) -> Float[Tensor, "batch length"]:
    """-log softmax(logits)[label], in nats; 0 where the label is -100.

    Raises:
        UserError: the logits are not numbers.
    """
    asked = labels != IGNORED
    losses = torch.zeros_like(labels, dtype=torch.float32)
    losses[asked] = -log_probabilities_of(logits[asked], labels[asked])
    if losses.isnan().any():
        raise UserError(NOT_A_NUMBER)
    return losses


def _batch(
    encoded: EncodedWords, indices: Sequence[int]
) -> tuple[Int[Tensor, "batch length"], Int[Tensor, " batch"]]:
    lengths = encoded.lengths[list(indices)]
    return encoded.ids[list(indices), : int(lengths.max())], lengths


def _gold(
    ids: Int[Tensor, "batch length"], place: Int[Tensor, "batch length"]
) -> Int[Tensor, "batch length"]:
    tokens = ids.gather(1, place.clamp(min=0))
    return torch.where(place != NOWHERE, tokens, IGNORED)
