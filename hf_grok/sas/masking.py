"""Which pieces a masked language model must guess: a function of (seed, epoch, example)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hf_grok.errors import UserError

IGNORED = -100


@dataclass(frozen=True)
class Masking:
    """Of n pieces, floor(share n + u) are guessed, u uniform in [0, 1), at least one.

    Thus `share` of them on average, in sentences of any length. A guessed piece is shown as the
    mask token with probability `mask`, as a random ordinary token with `random`, else as it is.

    Args:
        share: of the pieces, in (0, 1].
        mask: share of the guessed pieces that are masked.
        random: share of the guessed pieces that are replaced.
        seed: of all masks; 0 or more.

    Raises:
        UserError: a value out of its range.

    Source: Devlin et al. 2019, section 3.1 (15 %, 80/10/10).
    """

    share: float = 0.15
    mask: float = 0.8
    random: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise UserError(f"share={self.share}: expected more than 0 and at most 1")
        if not (self.mask >= 0 and self.random >= 0 and self.mask + self.random <= 1):
            raise UserError(
                f"mask={self.mask}, random={self.random}: expected shares of 0 or more that come "
                "to at most 1 together"
            )
        if self.seed < 0:
            raise UserError(f"seed={self.seed}: expected 0 or more")


def mask_pieces(
    ids: np.ndarray,
    maskable: np.ndarray,
    masking: Masking,
    *,
    epoch: int,
    index: int,
    mask_token: int,
    ordinary: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The ids that the model sees, and the labels: -100 wherever there is nothing to guess.

    Args:
        ids: [pieces], those of the text.
        maskable: [pieces], False at special tokens.
        masking: how many, and what they are shown as.
        epoch: from 0.
        index: of the example in its data set.
        mask_token: id.
        ordinary: the ids that random replacements are drawn from.
    """
    places = np.flatnonzero(maskable)
    seen, labels = ids.copy(), np.full_like(ids, IGNORED)
    # Uniform numbers alone, which no release of numpy has ever drawn otherwise.
    draws = np.random.default_rng([masking.seed, epoch, index]).random((3, len(places) + 1))
    rank, fate, replacement = draws[:, 1:]
    count = max(1, int(masking.share * len(places) + draws[0, 0]))
    chosen = np.argsort(rank, kind="stable")[:count]
    labels[places[chosen]] = ids[places[chosen]]
    masked = chosen[fate[chosen] < masking.mask]
    seen[places[masked]] = mask_token
    replaced = chosen[fate[chosen] >= 1 - masking.random]
    drawn = (replacement[replaced] * len(ordinary)).astype(np.int64)
    seen[places[replaced]] = ordinary[drawn]
    return seen, labels
