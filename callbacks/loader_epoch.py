"""What one pass of a training loader reads, told from how it makes its batches."""

from __future__ import annotations

from typing import Any

from accelerate.data_loader import BatchSamplerShard, DataLoaderDispatcher
from torch.utils.data import BatchSampler, IterableDataset
from transformers import TrainingArguments

from hf_grok.runs.epochs import Epoch, rows_in_epoch


def loader_epoch(loader: Any, args: TrainingArguments) -> Epoch | None:
    """The epoch of a Trainer's loader as it is, whatever batch size was asked for.

    None where it cannot be known before the data have been read: an iterable data set, or batches
    that a sampler of somebody's own makes.
    """
    accumulated, processes = args.gradient_accumulation_steps, args.world_size
    if loader is None or isinstance(loader.dataset, IterableDataset):
        return None
    sampler = loader.batch_sampler
    shard = sampler if isinstance(sampler, BatchSamplerShard) else None
    dispatched = isinstance(loader, DataLoaderDispatcher)
    if shard is not None:
        sampler, processes = shard.batch_sampler, shard.num_processes
    elif processes > 1 and not dispatched:
        return None  # each process has a loader of its own making
    if hasattr(sampler, "effective_batch_size"):  # BatchRebalanceSampler, new in transformers
        return _rebalanced(sampler)
    if type(sampler).__iter__ is not BatchSampler.__iter__:
        return None
    split = bool(getattr(loader if shard is None else shard, "split_batches", False))
    rows = rows_in_epoch(
        len(sampler.sampler),
        sampler.batch_size,
        processes,
        drop_last=sampler.drop_last,
        even_batches=shard is None or shard.even_batches,
        split_batches=split,
        dispatched=dispatched,
    )
    turn = sampler.batch_size * (1 if split else processes)
    return Epoch(rows, turn * accumulated) if rows else None


def _rebalanced(sampler: Any) -> Epoch:
    """Batches of many sizes, as many examples in each step; the last has one for each of them."""
    per_step = sampler.effective_batch_size
    last = max(sampler.remainder, sampler.dp_size * sampler.grad_accum) if sampler.has_tail else 0
    return Epoch(int(sampler.num_full_batches * per_step + last), int(per_step))
