"""Batches and their order, against padding and sorting done the obvious way."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pad_sequence

from hf_grok.recipes.data.batches import IGNORED, LengthBucketSampler, TokenSequences


@pytest.fixture
def sequences() -> list[list[int]]:
    generator = np.random.default_rng(0)
    return [generator.integers(4, 50, size=n).tolist() for n in generator.integers(2, 12, size=97)]


def test_a_batch_is_the_padded_sequences(sequences: list[list[int]]) -> None:
    dataset = TokenSequences(sequences, padding_id=0)
    for indices in ([0], [5, 6, 7, 96], [96, 1]):
        rows = [torch.tensor(sequences[i]) for i in indices]
        batch = dataset.batch(indices)
        assert torch.equal(batch["input_ids"], pad_sequence(rows, batch_first=True))
        expected = pad_sequence(rows, batch_first=True, padding_value=IGNORED)
        assert torch.equal(batch["labels"], expected)


def test_a_batch_of_one_length_has_no_ignored_label(sequences: list[list[int]]) -> None:
    dataset = TokenSequences(sequences, padding_id=0)
    same = np.flatnonzero(dataset.lengths == dataset.lengths[0])[:3]
    assert (dataset.batch(same.tolist())["labels"] != IGNORED).all()


def test_an_epoch_reads_every_example_once() -> None:
    lengths = np.random.default_rng(1).integers(2, 30, size=203)
    for bucketed in (True, False):
        sampler = LengthBucketSampler(lengths, 8, seed=3, bucketed=bucketed)
        assert sorted(sampler) == list(range(203))


def test_bucketing_leaves_next_to_no_padding() -> None:
    lengths = np.random.default_rng(1).integers(2, 30, size=4000)

    def padding(bucketed: bool) -> float:
        order = np.array(list(LengthBucketSampler(lengths, 8, seed=0, bucketed=bucketed)))
        rows = lengths[order].reshape(-1, 8)
        return float(1 - rows.sum() / (8 * rows.max(axis=1).sum()))

    assert padding(bucketed=True) < 0.01
    assert padding(bucketed=False) > 0.2


def test_the_order_follows_from_seed_and_epoch() -> None:
    lengths = np.random.default_rng(1).integers(2, 30, size=400)

    def order(seed: int, epoch: int) -> list[int]:
        sampler = LengthBucketSampler(lengths, 8, seed=seed)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert order(0, 0) == order(0, 0)
    assert len({tuple(order(seed, epoch)) for seed in (0, 1, 2) for epoch in (0, 1, 2)}) == 9


def test_batches_come_in_random_order_of_length() -> None:
    lengths = np.repeat(np.arange(2, 22), 80)
    order = np.array(list(LengthBucketSampler(lengths, 8, seed=0)))
    firsts = lengths[order].reshape(-1, 8)[:, 0]
    assert abs(np.corrcoef(firsts, np.arange(len(firsts)))[0, 1]) < 0.25
