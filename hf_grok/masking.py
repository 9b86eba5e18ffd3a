"""Masked-LM masking as a pure function of (seed, epoch, sentence).

Everything that masks goes through here: training, the validation loss, `ArcCollator` and the probes
of masked models. With one seed they mask the same positions of the same sentences.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from hf_grok.errors import UserError

# Source: Chen et al. 2024 (arXiv 2309.07311), unverified in its text.
MASKED_SHARE = 0.15

# The label of a token that is not to be predicted: what torch's cross_entropy leaves out.
IGNORED = -100

# Streams of numbers of one token: whether it is masked, what stands there, which word if a word.
_MASKED, _FATE, _WORD = range(3)

# SplitMix64: the increment of its counter, and the two multipliers of its output function.
# Source: Steele, Lea and Flood 2014 (doi 10.1145/2660193.2660195).
_INCREMENT = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_UNIT = 2.0**-53


def uniform_numbers(
    seed: int, epoch: int, sentences: NDArray[np.int64], length: int, *, stream: int = 0
) -> Float[NDArray[np.float64], "sentence length"]:
    """u[i, t] in [0, 1), a hash of (seed, epoch, stream, sentences[i], t): no generator, no state.

    Independent of which sentences share a batch, of the process and of what was drawn before, so
    that a resumed run masks what the uninterrupted one would have masked. A sentence's numbers do
    not change with `length`.

    Args:
        seed: of the run; not negative.
        epoch: not negative.
        sentences: index of each sentence in its data set.
        length: numbers a sentence.
        stream: tells apart several numbers for one token; not negative.
    """
    key = np.zeros(1, dtype=np.uint64)  # an array: numpy warns where a lone number wraps around
    for part in (seed, epoch, stream):
        key = _mixed((key ^ np.uint64(part)) + _INCREMENT)
    rows = _mixed(key + sentences.astype(np.uint64) * _INCREMENT)
    counters = np.arange(1, length + 1, dtype=np.uint64) * _INCREMENT
    return (_mixed(rows[:, None] + counters) >> np.uint64(11)).astype(np.float64) * _UNIT


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's output function, a bijection of 64-bit words; products wrap around."""
    words = (words ^ (words >> np.uint64(30))) * _FIRST
    words = (words ^ (words >> np.uint64(27))) * _SECOND
    return words ^ (words >> np.uint64(31))


def masked_positions(
    numbers: Float[NDArray[np.float64], "sentence length"],
    maskable: Bool[NDArray[np.bool_], "sentence length"],
    share: float = MASKED_SHARE,
) -> Bool[NDArray[np.bool_], "sentence length"]:
    """Of n maskable tokens the max(1, round(share n)) with the smallest numbers; none where n = 0.

    Args:
        numbers: one for each token, all different within a sentence.
        maskable: False at special tokens and padding.
        share: in (0, 1).
    """
    counts = np.maximum(np.rint(share * maskable.sum(axis=1)).astype(np.int64), 1)
    drawn = np.where(maskable, numbers, np.inf)
    bound = np.take_along_axis(np.sort(drawn, axis=1), counts[:, None] - 1, axis=1)
    masked: NDArray[np.bool_] = (drawn <= bound) & maskable
    return masked


def evaluation_masks(
    maskable: Bool[NDArray[np.bool_], "sentence length"],
    *,
    seed: int = 0,
    share: float = MASKED_SHARE,
) -> Bool[NDArray[np.bool_], "sentence length"]:
    """What is masked of sentences 0, 1, 2, ... whenever they are measured: as in epoch 0.

    A sentence's masks depend on `seed`, its number and how many of its tokens are maskable, and so
    do not change with the batch, the process or the evaluation.

    Args:
        maskable: False at special tokens and padding.
        seed: 0 or more.
        share: in (0, 1].

    Raises:
        UserError: a seed or share out of its range.
    """
    masking = Masking(share, seed=seed)
    numbers = uniform_numbers(masking.seed, 0, np.arange(len(maskable)), maskable.shape[1])
    return masked_positions(numbers, maskable, masking.share)


@dataclass(frozen=True)
class Masking:
    """Of n tokens max(1, round(share n)) are masked: shown as the mask token, another, or as is.

    A masked token is replaced by an ordinary one, drawn evenly, with probability `random`, stays as
    it is with `kept`, and is shown as the mask token otherwise: always, by default.

    Args:
        share: of a sentence's tokens that are masked, in (0, 1].
        random: fraction of the masked that are replaced.
        kept: fraction of the masked that stay.
        seed: of all draws; 0 or more.

    Raises:
        UserError: a value out of its range.

    Source: Devlin et al. 2019, section 3.1 (15 %, of which 80 % masked, 10 % random, 10 % kept).
    """

    share: float = MASKED_SHARE
    random: float = 0.0
    kept: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_shares(self.share, self.random, self.kept)
        if self.seed < 0:
            raise UserError(f"seed={self.seed}: expected 0 or more")


def check_shares(share: float, random: float, kept: float, prefix: str = "") -> None:
    """0 < share <= 1, and random and kept are fractions of the masked that add up to at most 1.

    Args:
        share: of a sentence's tokens that are masked.
        random: of the masked, the share that is replaced.
        kept: of the masked, the share that stays.
        prefix: of the names that the user knows the three by.

    Raises:
        UserError: they are not.
    """
    if not 0 < share <= 1:
        raise UserError(f"{prefix}share={share}: expected more than 0 and at most 1, such as 0.15")
    if min(random, kept) < 0 or random + kept > 1:
        raise UserError(
            f"{prefix}random={random}, {prefix}kept={kept}: expected fractions of the masked "
            "tokens that are not negative and add up to at most 1 (BERT's: 0.1 and 0.1)"
        )


def mask_tokens(
    tokens: Int[NDArray[np.int64], "sentence length"],
    maskable: Bool[NDArray[np.bool_], "sentence length"],
    masking: Masking,
    *,
    epoch: int,
    sentences: NDArray[np.int64],
    mask_id: int,
    ordinary: Int[NDArray[np.int64], " word"],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The tokens that the model sees, and the labels: `IGNORED` where nothing is to be predicted.

    Args:
        tokens: ids, special ones and padding included.
        maskable: False at special tokens and padding.
        masking: how many are masked, and what is seen in their place.
        epoch: not negative.
        sentences: index of each sentence in its data set.
        mask_id: the mask token.
        ordinary: ids that random replacements are drawn from.
    """
    length = tokens.shape[1]

    def numbers(stream: int) -> NDArray[np.float64]:
        return uniform_numbers(masking.seed, epoch, sentences, length, stream=stream)

    masked = masked_positions(numbers(_MASKED), maskable, masking.share)
    labels = np.where(masked, tokens, IGNORED)
    if not masking.random and not masking.kept:
        return np.where(masked, mask_id, tokens), labels
    fate = numbers(_FATE)
    drawn = ordinary[(numbers(_WORD) * len(ordinary)).astype(np.int64)]
    shown = np.where(fate < masking.random, drawn, mask_id)
    shown = np.where(fate >= 1 - masking.kept, tokens, shown)
    return np.where(masked, shown, tokens), labels
