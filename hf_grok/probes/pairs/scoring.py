"""Which score a model's sentences get, and what that score asks of them."""

from __future__ import annotations

from torch import nn
from transformers import PreTrainedTokenizerBase

from hf_grok.attention.facts import is_causal
from hf_grok.errors import UserError
from hf_grok.probes.inputs.wrappers import refuse_encoder_decoder, sees_past_only
from hf_grok.probes.pairs.sentences import EncodedSentences

AUTO, CAUSAL, PSEUDO_LOG_LIKELIHOOD = SCORINGS = ("auto", "causal", "pseudo_log_likelihood")


def scores_causally(model: nn.Module, scoring: str) -> bool:
    """Whether sentences get their log-probability (else the pseudo-log-likelihood).

    Raises:
        UserError: an encoder-decoder, or a scoring that the model's attention contradicts.
    """
    if scoring == AUTO:
        return sees_past_only(model)
    refuse_encoder_decoder(model)
    causal = scoring == CAUSAL
    if _shown(model) is (not causal):
        raise UserError(
            f"scoring={scoring!r}, but the attention of {type(model).__name__} is "
            f"{'not ' if causal else ''}causal: expected {AUTO!r}, or the other scoring"
        )
    return causal


def _shown(model: nn.Module) -> bool | None:
    """Whether the model is causal; None where it cannot be told, and the user's word counts."""
    try:
        return is_causal(model)
    except UserError:
        return None


def require_second_token(sentences: EncodedSentences) -> None:
    """Refuse a sentence of one token, which a causal model is given and never asked for.

    Raises:
        UserError: there is one.
    """
    shortest = int(sentences.lengths.argmin())
    if sentences.lengths[shortest] < 2:
        raise UserError(
            f"the sentence {sentences.texts[shortest]!r} is a single token, and a causal model is "
            "given the first one: put a start token in front of every sentence (add_start=True)"
        )


def require_mask_token(tokenizer: PreTrainedTokenizerBase) -> int:
    """The id of the mask.

    Raises:
        UserError: the tokenizer has none.
    """
    if tokenizer.mask_token_id is None:
        raise UserError(
            f"{type(tokenizer).__name__} has no mask token, which pseudo-log-likelihood puts in "
            "each token's place: load the tokenizer that the model was trained with"
        )
    return int(tokenizer.mask_token_id)
