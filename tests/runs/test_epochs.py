"""Examples read, against accelerate's own sharing of batches, read one by one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from accelerate.data_loader import BatchSamplerShard
from torch.utils.data import BatchSampler, DataLoader, RandomSampler

from hf_grok.callbacks.loader_epoch import loader_epoch
from hf_grok.runs.epochs import Epoch, examples_read


def loaders(rows: int, batch: int, processes: int, **options: Any) -> list[Any]:
    """What each process of a run gets from accelerate, without starting any."""
    drop_last = options.pop("drop_last", False)
    made = []
    for process in range(processes):
        inner = BatchSampler(range(rows), batch, drop_last)
        shard = BatchSamplerShard(inner, processes, process, **options)
        sampler = inner if processes == 1 else shard
        made.append(SimpleNamespace(dataset=range(rows), batch_sampler=sampler))
    return made


def counted(made: list[Any], accumulation: int, epochs: int) -> list[int]:
    """Examples read by all processes after each optimiser step, batch by batch, as Trainer does."""
    read, by_step = 0, [0]
    for _ in range(epochs):
        turns = list(zip(*(list(one.batch_sampler) for one in made), strict=True))
        for start in range(0, len(turns), accumulation):
            step = turns[start : start + accumulation]
            read += sum(len(batch) for turn in step for batch in turn)
            by_step.append(read)
    return by_step


@pytest.mark.parametrize("rows", [5, 16, 19, 24])
@pytest.mark.parametrize("accumulation", [1, 3])
@pytest.mark.parametrize(
    ("processes", "options"),
    [
        (1, {}),
        (1, {"drop_last": True}),
        (2, {}),
        (3, {}),
        (2, {"drop_last": True}),
        (2, {"split_batches": True}),
        (2, {"split_batches": True, "drop_last": True}),
    ],
)
def test_examples_are_those_of_the_batches(
    rows: int, accumulation: int, processes: int, options: dict[str, Any]
) -> None:
    made = loaders(rows, 4, processes, **options)
    args: Any = SimpleNamespace(gradient_accumulation_steps=accumulation, world_size=processes)
    expected = counted(made, accumulation, epochs=3)
    epoch = loader_epoch(made[0], args)
    if epoch is None:
        assert expected == [0]  # there is not one whole batch
        return
    assert [epoch.read(step) for step in range(len(expected))] == expected


def test_uneven_processes_read_each_row_once() -> None:
    made = loaders(18, 4, 2, even_batches=False)
    args: Any = SimpleNamespace(gradient_accumulation_steps=1, world_size=2)
    assert loader_epoch(made[0], args) == Epoch(18, 8)


class Stream(torch.utils.data.IterableDataset):  # type: ignore[type-arg]
    def __iter__(self) -> Any:
        return iter(range(9))


class Halves(BatchSampler):
    """Batches of sizes of its own."""

    def __iter__(self) -> Any:
        return iter([[0], [1, 2, 3]])


def test_what_cannot_be_known_is_none() -> None:
    args: Any = SimpleNamespace(gradient_accumulation_steps=1, world_size=1)
    plain: Any = DataLoader(list(range(9)), batch_size=4)
    assert loader_epoch(plain, args) == Epoch(9, 4)
    sampled = DataLoader(list(range(9)), 4, sampler=RandomSampler(range(9), num_samples=21))
    assert loader_epoch(sampled, args) == Epoch(21, 4)
    args.world_size = 2
    assert loader_epoch(plain, args) is None
    args.world_size = 1
    assert loader_epoch(DataLoader(Stream(), batch_size=4), args) is None
    own = DataLoader(list(range(4)), batch_sampler=Halves(range(4), 2, False))
    assert loader_epoch(own, args) is None
    assert loader_epoch(None, args) is None


def test_batches_that_are_balanced_by_length() -> None:
    pytest.importorskip("transformers", reason="the stack is not installed")
    from transformers import trainer_pt_utils

    kind = getattr(trainer_pt_utils, "BatchRebalanceSampler", None)
    if kind is None:
        pytest.skip("this transformers has no BatchRebalanceSampler")
    for rows, drop_last in ((19, False), (17, False), (19, True)):
        lengths = [1 + 7 * row % 11 for row in range(rows)]
        made = [
            SimpleNamespace(
                dataset=lengths,
                batch_sampler=BatchSamplerShard(
                    kind(lengths, 8, dp_size=2, grad_accum=2, rank=rank, drop_last=drop_last), 1
                ),
            )
            for rank in range(2)
        ]
        args: Any = SimpleNamespace(gradient_accumulation_steps=2, world_size=2)
        expected = counted(made, 2, epochs=2)
        epoch = loader_epoch(made[0], args)
        assert epoch is not None
        assert [epoch.read(step) for step in range(len(expected))] == expected


def test_a_step_within_an_epoch() -> None:
    assert [examples_read(step, 10, 4) for step in range(7)] == [0, 4, 8, 10, 14, 18, 20]
