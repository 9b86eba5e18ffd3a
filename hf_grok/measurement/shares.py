"""What each process reads of a data set: every row counts once, on any number of processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.data_loader import BatchSamplerShard, DataLoaderDispatcher
from accelerate.utils import gather_object
from torch import Tensor, nn
from torch.utils.data import IterableDataset

from hf_grok.errors import UserError
from hf_grok.measurement.tally import Tally

Batch = Mapping[str, Any]
# Ways to run that hold a whole model in each process and average its gradients.
_AVERAGING = ("MULTI_CPU", "MULTI_GPU", "MULTI_NPU", "MULTI_XPU", "MULTI_MLU", "MULTI_HPU")


@contextmanager
def shared_evenly(accelerator: Accelerator, rows: Any) -> Iterator[None]:
    """Loaders made inside give every process as many batches, each read by the process itself.

    Of rows found by index, `even_batches=False` would leave a process without a last batch, where
    the others wait for it, and `dispatch_batches=True` joins batches that are padded to lengths of
    their own. Neither is needed: what fills a last batch up is told by `RealRows`, and counts for
    nothing. Which rows a step sees is the same.

    Args:
        accelerator: of a Trainer; its configuration is as before afterwards.
        rows: the data set. A stream is left to process zero, which deals its rows out.

    Raises:
        UserError: a stream that several processes were told to read for themselves.
    """
    config = accelerator.dataloader_config
    if isinstance(rows, IterableDataset) or not hasattr(rows, "__len__"):
        if accelerator.num_processes > 1 and config.dispatch_batches is False:
            raise UserError(
                f"{type(rows).__name__} is a stream, and dispatch_batches=False has each of "
                f"{accelerator.num_processes} processes read its own part, whose end nobody knows: "
                "leave dispatch_batches out, or give a data set with a length and rows by index"
            )
        yield
        return
    before = config.even_batches, config.dispatch_batches
    config.even_batches, config.dispatch_batches = True, False
    try:
        yield
    finally:
        config.even_batches, config.dispatch_batches = before


class RealRows:
    """Which rows of a process's batches are rows of the data, and which only fill the last one up.

    Where rows do not share out evenly, the loader repeats the first of them, and each repeated row
    would count twice. Of the last batch over all processes, process after process, the first ones
    are the rows that were left.

    Args:
        loader: made by `accelerator.prepare`; of others, all rows count.
        accelerator: which tells when the loader is at its end.
    """

    def __init__(self, loader: Any, accelerator: Accelerator) -> None:
        self._accelerator = accelerator
        self._dealt_out = isinstance(loader, DataLoaderDispatcher)
        self._full, self._left = 0, 0  # rows of a full batch; rows left for the last one, if any
        shard = getattr(loader, "batch_sampler", None)
        if isinstance(shard, BatchSamplerShard) and shard.num_processes > 1 and shard.batch_size:
            together = shard.batch_size * (1 if shard.split_batches else shard.num_processes)
            self._full = together // shard.num_processes
            if not shard.drop_last:
                self._left = len(shard.batch_sampler.sampler) % together

    def of(self, batch: Batch) -> int | None:
        """How many rows of this batch, which the loader gave last, are real; None for all."""
        state = self._accelerator.gradient_state
        left = state.remainder if self._dealt_out else self._left
        if self._accelerator.num_processes == 1 or not state.end_of_dataloader or left <= 0:
            return None
        size = _rows(batch)
        if not self._dealt_out and size != self._full:
            raise UserError(
                f"a batch of {self._full} rows became {size}, and the last one is filled up with "
                "rows that must not count twice: expected a collator that keeps a row a row. Set "
                "dataloader_drop_last=True, or give a number of rows that shares out evenly"
            )
        return min(max(left - self._accelerator.process_index * size, 0), size)


def ignoring(batch: Batch, real: int | None, ignored: Mapping[str, int]) -> dict[str, Any]:
    """The batch with `ignored[name]` in all but the first `real` rows of each column it names.

    Raises:
        UserError: there is such a row, and a column without an integer that says "ignore me".
    """
    if real is None or real == _rows(batch):
        return dict(batch)
    changed = dict(batch)
    for name in ignored.keys() & batch.keys():
        values = batch[name]
        if not isinstance(values, Tensor) or values.is_floating_point():
            raise UserError(
                f"{name} cannot be ignored in rows that fill the last batch up: expected integers. "
                "Give a number of rows that shares out evenly, or set dataloader_drop_last=True"
            )
        changed[name] = values.clone()
        changed[name][real:] = ignored[name]
    return changed


def _rows(batch: Batch) -> int:
    return next(len(values) for values in batch.values() if isinstance(values, Tensor))


def to_be_wrapped(model: nn.Module, accelerator: Accelerator) -> None:
    """Have the training that begins wrap the model, though an evaluation has prepared it before.

    What was prepared for an evaluation is not wrapped, and is not prepared again: every process
    would train a model of its own, without a word.
    """
    if accelerator.num_processes > 1 and str(accelerator.distributed_type.value) in _AVERAGING:
        vars(model).pop("_is_accelerate_prepared", None)


def summed(tally: Tally, accelerator: Accelerator | None) -> Tally:
    """The sum of all processes' tallies, in the same order on each of them.

    Every process must come here; their tallies need not have the same names.
    """
    if accelerator is None or accelerator.num_processes == 1:
        return tally

    return sum(map(Tally, gather_object([dict(tally)])), Tally())


def local_sum(values: list[Tensor]) -> float:
    """Their sum in double precision, on the CPU: not every accelerator has float64."""
    return float(torch.stack(values).cpu().double().sum()) if values else 0.0
