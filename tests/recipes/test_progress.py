"""Tokens and distance, against a run followed batch by batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from hf_grok.recipes.data.batches import LengthBucketSampler
from hf_grok.recipes.trainer.progress import Progress
from hf_grok.runs.epochs import examples_read

LENGTHS = np.random.default_rng(0).integers(2, 30, size=53)


@pytest.mark.parametrize("bucketed", [True, False])
def test_tokens_are_those_of_the_batches_that_were_read(bucketed: bool) -> None:
    sampler = LengthBucketSampler(LENGTHS, 8, seed=3, bucketed=bucketed)
    tokens, step = 0, 0
    for epoch in range(3):
        sampler.set_epoch(epoch)
        order = np.array(list(sampler))
        for start in range(0, len(order), 8):
            assert sampler.tokens_read(examples_read(step, len(LENGTHS), 8)) == tokens
            tokens += int(LENGTHS[order[start : start + 8]].sum())
            step += 1
    assert sampler.tokens_read(examples_read(step, len(LENGTHS), 8)) == tokens == 3 * LENGTHS.sum()


def test_distance_is_from_the_first_weights() -> None:
    model = nn.Linear(3, 2)
    progress = Progress(model)
    sampler = LengthBucketSampler(LENGTHS, 8, seed=3)
    assert progress.measure(model, sampler, 0, 8)["distance_from_start"] == 0.0
    with torch.no_grad():
        model.weight += 2.0
        model.bias -= 1.0
    assert progress.measure(model, sampler, 5, 8)["distance_from_start"] == pytest.approx(26**0.5)
