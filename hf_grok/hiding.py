"""Which pieces are hidden from a masked model: a function of (seed, epoch, sentence), no state."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import NDArray

# Source: Chen et al. 2024 (arXiv 2309.07311), unverified in its text.
HIDDEN_SHARE = 0.15

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
    that a resumed run hides what the uninterrupted one would have hidden. A sentence's numbers do
    not change with `length`.

    Args:
        seed: of the run; not negative.
        epoch: not negative.
        sentences: index of each sentence in its data set.
        length: numbers a sentence.
        stream: tells apart several numbers for one piece; not negative.
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


def hidden_pieces(
    numbers: Float[NDArray[np.float64], "sentence length"],
    hideable: Bool[NDArray[np.bool_], "sentence length"],
    share: float = HIDDEN_SHARE,
) -> Bool[NDArray[np.bool_], "sentence length"]:
    """Of n hideable pieces the max(1, round(share n)) with the smallest numbers; none where n = 0.

    Args:
        numbers: one for each piece, all different within a sentence.
        hideable: False at special tokens and filling.
        share: in (0, 1).
    """
    pieces = hideable.sum(axis=1)
    counts = np.maximum(np.rint(share * pieces).astype(np.int64), 1)
    drawn = np.where(hideable, numbers, np.inf)
    bound = np.take_along_axis(np.sort(drawn, axis=1), counts[:, None] - 1, axis=1)
    hidden: NDArray[np.bool_] = (drawn <= bound) & hideable
    return hidden
