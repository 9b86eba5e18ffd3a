"""Token sequences in memory, and the order in which a run reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset, Sampler

from hf_grok.masking import IGNORED
from hf_grok.sas.batches.ragged import Ragged
from hf_grok.sas.batches.rows import ArcRows


class TokenSequences(Dataset[dict[str, torch.Tensor]]):
    """Sequences of token ids in one flat array: a batch is cut out of it, not read from rows.

    Reading Arrow rows in the hot loop costs a small model half as much again as its forward pass.
    `__getitems__` returns a finished batch, so the loader's collator is `first_of`.

    Args:
        sequences: token ids of each example, at least two tokens long, or all in one array.
        padding_id: fills a batch up to its longest example; padding has label -100. It stands to
            the right, where a causal model's real positions cannot see it, so no mask is needed.
        arcs: heads of the sequences' words, which batches then carry too.
    """

    # Words of each example, where they are known.
    words: NDArray[np.int64] | None = None

    def __init__(
        self,
        sequences: Sequence[Sequence[int]] | Ragged,
        padding_id: int,
        arcs: ArcRows | None = None,
    ) -> None:
        self.padding_id, self.arcs = padding_id, arcs
        flat = sequences if isinstance(sequences, Ragged) else Ragged.of_rows(sequences)
        self.lengths, self._starts = flat.lengths, flat.starts
        self._tokens = torch.from_numpy(flat.values)

    def __len__(self) -> int:
        return len(self.lengths)

    def set_epoch(self, epoch: int) -> None:
        """Told the epoch that begins; these sequences are the same in each."""

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return self.batch([index])

    def __getitems__(self, indices: Sequence[int]) -> list[dict[str, torch.Tensor]]:
        return [self.batch(indices)]

    def batch(self, indices: Sequence[int]) -> dict[str, torch.Tensor]:
        """`input_ids` and `labels` [batch, longest], int64, padded on the right; and the arcs."""
        chosen = np.asarray(indices)
        batch = self._tokens_at(chosen)
        if self.arcs is not None:
            batch |= self.arcs.batch(chosen, batch["input_ids"].shape[1])
        return batch

    def _tokens_at(self, indices: NDArray[np.int64]) -> dict[str, torch.Tensor]:
        lengths = self.lengths[indices]
        longest = int(lengths.max())
        columns = np.arange(longest)
        places = torch.from_numpy(self._starts[indices][:, None] + columns)
        if (lengths == longest).all():
            input_ids = self._tokens[places].long()
            return {"input_ids": input_ids, "labels": input_ids}
        real = torch.from_numpy(columns < lengths[:, None])
        tokens = self._tokens[places.clamp(max=len(self._tokens) - 1)].long()
        return {
            "input_ids": torch.where(real, tokens, self.padding_id),
            "labels": torch.where(real, tokens, IGNORED),
        }


def first_of(batches: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """The batch that `TokenSequences.__getitems__` has already put together."""
    return batches[0]


class LengthBucketSampler(Sampler[int]):
    """A permutation of the examples in which every `batch_size` in a row are of like length.

    Examples are shuffled, sorted by length (equal lengths stay shuffled), cut into batches, and
    the batches are shuffled: an epoch reads each example once, with next to no padding. The order
    is a function of (seed, epoch) alone, so a resumed run reads on where it stopped, and seeds
    that differ by one share nothing (Trainer's own sampler adds seed and epoch).

    Args:
        lengths: length of each example in tokens.
        batch_size: examples read together, over all processes.
        seed: of the order.
        bucketed: False gives a plain permutation.
        tell_epoch: is told each epoch that begins. The loader itself tells a data set so in a run
            of one process that was not resumed, and in no other.
    """

    def __init__(
        self,
        lengths: np.ndarray,
        batch_size: int,
        seed: int,
        *,
        bucketed: bool = True,
        tell_epoch: Callable[[int], None] | None = None,
    ) -> None:
        self.lengths, self.batch_size = lengths, batch_size
        self.seed, self.bucketed, self.epoch = seed, bucketed, 0
        self._tell_epoch = tell_epoch

    def set_epoch(self, epoch: int) -> None:
        """Called by the loader at the start of each epoch."""
        self.epoch = epoch
        if self._tell_epoch is not None:
            self._tell_epoch(epoch)

    def tokens_read(self, examples: int) -> int:
        """Tokens in the first `examples` examples of a run, over its epochs."""
        return self.read(self.lengths, examples)

    def read(self, counts: NDArray[np.int64], examples: int) -> int:
        """Sum of `counts`, one of each example, over the first `examples` of a run."""
        epochs, rest = divmod(examples, len(self.lengths))
        order = self._order(epochs)[:rest]
        return epochs * int(counts.sum()) + int(counts[order].sum())

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        return iter(self._order(self.epoch).tolist())

    def _order(self, epoch: int) -> np.ndarray:
        generator = np.random.default_rng([self.seed, epoch])
        order = generator.permutation(len(self.lengths))
        if self.bucketed:
            order = order[np.argsort(self.lengths[order], kind="stable")]
            order = _shuffle_batches(order, self.batch_size, generator)
        return order


def _shuffle_batches(
    order: np.ndarray, batch_size: int, generator: np.random.Generator
) -> np.ndarray:
    """Full batches in random order; the ragged rest stays last, where a loader expects it."""
    full = len(order) - len(order) % batch_size
    batches = order[:full].reshape(-1, batch_size)
    return np.concatenate([generator.permutation(batches).ravel(), order[full:]])
