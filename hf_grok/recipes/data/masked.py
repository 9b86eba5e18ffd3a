"""Training sequences of a masked language model, masked anew in each epoch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from hf_grok.masking import Masking, mask_tokens
from hf_grok.recipes.data.batches import TokenSequences
from hf_grok.sas.batches.ragged import Ragged
from hf_grok.sas.batches.rows import ArcRows


class MaskedSequences(TokenSequences):
    """Sequences of which a fraction of the tokens is masked, and to be predicted.

    What is masked is a function of (seed, epoch, number of the example): it is the same in every
    batch and on every process, and a resumed run masks on where it stopped. `LengthBucketSampler`
    tells the epoch.

    Args:
        sequences: token ids of each example, special tokens included.
        tokenizer: theirs, with a padding and a mask token. Its special tokens are never masked, nor
            shown in the place of what is masked, but for the mask token.
        masking: what is masked.
        arcs: heads of the sequences' words, if they are known.
    """

    def __init__(
        self,
        sequences: Sequence[Sequence[int]] | Ragged,
        tokenizer: PreTrainedTokenizerBase,
        masking: Masking,
        arcs: ArcRows | None = None,
    ) -> None:
        super().__init__(sequences, int(tokenizer.pad_token_id), arcs)
        self.masking, self.epoch = masking, 0
        self._mask_id = int(tokenizer.mask_token_id)
        self._special = np.isin(np.arange(len(tokenizer)), tokenizer.all_special_ids)
        self._ordinary = np.flatnonzero(~self._special)

    def set_epoch(self, epoch: int) -> None:
        """Mask what `epoch` masks."""
        self.epoch = epoch

    def _tokens_at(self, indices: NDArray[np.int64]) -> dict[str, torch.Tensor]:
        """`input_ids`, `labels` (-100 where nothing is masked), `attention_mask` if filled up."""
        tokens = super()._tokens_at(indices)["input_ids"].numpy()
        seen, labels = mask_tokens(
            tokens,
            ~self._special[tokens],
            self.masking,
            epoch=self.epoch,
            sentences=indices,
            mask_id=self._mask_id,
            ordinary=self._ordinary,
        )
        batch = {"input_ids": torch.from_numpy(seen), "labels": torch.from_numpy(labels)}
        lengths = self.lengths[indices][:, None]
        if (lengths < tokens.shape[1]).any():
            real = np.arange(tokens.shape[1]) < lengths
            batch["attention_mask"] = torch.from_numpy(real.astype(np.int64))
        return batch
