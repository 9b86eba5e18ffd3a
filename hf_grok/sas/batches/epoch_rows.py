"""A data set whose rows know their index and the epoch, so that masks can be drawn from those."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.utils.data import Dataset
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from hf_grok.errors import UserError

EXAMPLE_INDEX = "example_index"
EPOCH = "epoch"
_UNTOLD = -1


class EpochRows(Dataset[dict[str, Any]]):
    """The rows of a map-style data set, each with `example_index` and `epoch` beside its columns.

    A mask drawn from (seed, epoch, index) is the same in every batch size, worker, process and
    resumed run; one drawn from the global generator is not, since the loader reads one batch ahead
    of the step and a resumed run restores the generator only after its first batch. With a plain
    Trainer:

        Trainer(
            model, args, data_collator=ArcCollator(tokenizer), callbacks=[EpochCallback()],
            train_dataset=EpochRows(train), eval_dataset=EpochRows(evaluation, fixed=True),
        )

    The callback tells the epoch. The loader of accelerate does so too, but only with one process
    and outside a resumed epoch; where nobody does, `epoch` is None and the collator stops.

    The epoch lies in shared memory, so that workers which outlive it (`persistent_workers`) see the
    next one too.

    Args:
        dataset: rows as mappings, found by index; of known length.
        fixed: stay at epoch 0 for good, as an evaluation set must, whose masks (and so its loss)
            are then the same each time.

    Raises:
        UserError: the data set has no length or no rows by index (an iterable one).
    """

    def __init__(self, dataset: Any, *, fixed: bool = False) -> None:
        if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")):
            raise UserError(
                f"{type(dataset).__name__} gives its rows in a stream: expected a data set with a "
                "length and rows by index, since masks are drawn from a row's index"
            )
        self.dataset = dataset
        self.fixed = fixed
        self._epoch = torch.tensor(0 if fixed else _UNTOLD).share_memory_()

    @property
    def epoch(self) -> int | None:
        """The epoch that was told last; None before."""
        told = int(self._epoch)
        return None if told == _UNTOLD else told

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch begins, 0 for the first; rows that are `fixed` stay at 0."""
        if not self.fixed:
            self._epoch.fill_(epoch)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self._numbered(self.dataset[index], index)

    def __getitems__(self, indices: Sequence[int]) -> list[dict[str, Any]]:
        """Several rows at once, as the data set's own `__getitems__` where it has one."""
        at_once = getattr(self.dataset, "__getitems__", None)
        rows = at_once(indices) if at_once else [self.dataset[index] for index in indices]
        return [self._numbered(row, index) for row, index in zip(rows, indices, strict=True)]

    def _numbered(self, row: Mapping[str, Any], index: int) -> dict[str, Any]:
        return {**row, EXAMPLE_INDEX: int(index), EPOCH: self.epoch}


class EpochCallback(TrainerCallback):
    """Tells the epoch to a training set of `EpochRows`, in any Trainer."""

    def on_epoch_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        train_dataloader: Any = None,
        **kwargs: Any,
    ) -> None:
        """Before the first batch of an epoch is read; a resumed epoch begins in its middle."""
        rows = getattr(train_dataloader, "dataset", None)
        if isinstance(rows, EpochRows):
            rows.set_epoch(math.floor(state.epoch or 0))
