"""Training sequences of a masked language model, hidden anew in each epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from hf_grok.errors import UserError
from hf_grok.hiding import HIDDEN_SHARE, hidden_pieces, uniform_numbers
from hf_grok.training.arcs import Arcs
from hf_grok.training.tensors import IGNORED, TokenSequences

# Streams of numbers of one piece: whether it is hidden, what stands there, which word if a word.
_HIDDEN, _FATE, _WORD = range(3)


@dataclass(frozen=True)
class Masking:
    """What is hidden, and what is seen in its place.

    Attributes:
        mask_id: the mask token.
        special_ids: tokens that are never hidden nor put in the place of a hidden one; the mask
            token among them.
        vocabulary: number of token ids.
        seed: of the draws.
        share: of a sentence's pieces that are hidden, at least one.
        random: of the hidden, the share that another piece is seen for.
        kept: of the hidden, the share that is seen as it is.
    """

    mask_id: int
    special_ids: Sequence[int]
    vocabulary: int
    seed: int
    share: float = HIDDEN_SHARE
    random: float = 0.0
    kept: float = 0.0
    special: NDArray[np.bool_] = field(init=False, repr=False)
    ordinary: NDArray[np.int64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_shares(self.share, self.random, self.kept)
        special = np.isin(np.arange(self.vocabulary), list(self.special_ids))
        object.__setattr__(self, "special", special)
        object.__setattr__(self, "ordinary", np.flatnonzero(~special))


def check_shares(share: float, random: float, kept: float) -> None:
    """0 < share < 1, and random and kept are shares of the hidden that add up to at most 1.

    Raises:
        UserError: they are not.
    """
    if not 0 < share < 1:
        raise UserError(f"mask_share={share}: expected a share between 0 and 1, such as 0.15")
    if min(random, kept) < 0 or random + kept > 1:
        raise UserError(
            f"mask_random={random}, mask_kept={kept}: expected shares of the hidden pieces that "
            "are not negative and add up to at most 1 (BERT's: 0.1 and 0.1)"
        )


class MaskedSequences(TokenSequences):
    """Sequences of which a share of the pieces is hidden, and to be predicted.

    What is hidden is a function of (seed, epoch, number of the example): it is the same in every
    batch and on every process, and a resumed run hides on where it stopped. `LengthBucketSampler`
    tells the epoch.

    Args:
        sequences: token ids of each example, special tokens included.
        padding_id: fills a batch up to its longest example, unseen; a special token.
        masking: what is hidden.
        arcs: heads of the sequences' words, if they are known.
    """

    def __init__(
        self,
        sequences: Sequence[Sequence[int]],
        padding_id: int,
        masking: Masking,
        arcs: Arcs | None = None,
    ) -> None:
        super().__init__(sequences, padding_id, arcs)
        self.masking, self.epoch = masking, 0

    def set_epoch(self, epoch: int) -> None:
        """Hide what `epoch` hides."""
        self.epoch = epoch

    def _tokens_at(self, indices: NDArray[np.int64]) -> dict[str, torch.Tensor]:
        """`input_ids`, `labels` (-100 where nothing is hidden), `attention_mask` if filled up."""
        whole = super()._tokens_at(indices)["input_ids"]
        tokens = whole.numpy()
        hidden = hidden_pieces(
            self._numbers(indices, tokens.shape[1], _HIDDEN),
            ~self.masking.special[tokens],
            self.masking.share,
        )
        seen = np.where(hidden, self._in_place_of(tokens, indices), tokens)
        batch = {
            "input_ids": torch.from_numpy(seen),
            "labels": torch.from_numpy(np.where(hidden, tokens, IGNORED)),
        }
        lengths = self.lengths[indices][:, None]
        if (lengths < tokens.shape[1]).any():
            real = np.arange(tokens.shape[1]) < lengths
            batch["attention_mask"] = torch.from_numpy(real.astype(np.int64))
        return batch

    def _in_place_of(
        self, tokens: NDArray[np.int64], indices: NDArray[np.int64]
    ) -> NDArray[np.int64] | int:
        """What would be seen at each piece, were it hidden."""
        masking = self.masking
        if not masking.random and not masking.kept:
            return masking.mask_id
        fate = self._numbers(indices, tokens.shape[1], _FATE)
        word = self._numbers(indices, tokens.shape[1], _WORD)
        drawn = masking.ordinary[(word * len(masking.ordinary)).astype(np.int64)]
        seen = np.where(fate < masking.random, drawn, masking.mask_id)
        return np.where(fate >= 1 - masking.kept, tokens, seen)

    def _numbers(self, indices: NDArray[np.int64], length: int, stream: int) -> NDArray[np.float64]:
        return uniform_numbers(self.masking.seed, self.epoch, indices, length, stream=stream)
