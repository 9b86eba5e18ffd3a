"""Pooled masks: the right share, a function of the step, and gone in evaluation."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hf_grok.recipes.trainer.pooled_dropout import (
    STEPS_PER_POOL,
    MaskPool,
    MaskPools,
    PooledDropout,
    pool_dropout,
)


def test_masks_keep_the_right_share_and_the_mean() -> None:
    mask = MaskPool(0.1, seed=0).take(torch.empty(1000, 1000))
    kept = (mask > 0).double().mean()
    assert kept == pytest.approx(0.9, abs=4 * (0.09 / 1e6) ** 0.5)
    assert mask.unique().tolist() == pytest.approx([0.0, 1 / 0.9])


@pytest.mark.parametrize("step", [0, 7, STEPS_PER_POOL - 1, STEPS_PER_POOL, 12_345])
def test_masks_are_a_function_of_the_step(step: int) -> None:
    like = torch.empty(64, 64)
    straight, resumed = (MaskPool(0.3, seed=5, size=1 << 16) for _ in range(2))
    for earlier in range(max(0, step - 3), step):
        straight.seek(earlier)
        straight.take(like)
    for pool in (straight, resumed):
        pool.seek(step)
    for _ in range(3):
        assert torch.equal(straight.take(like), resumed.take(like))


def test_masks_do_not_depend_on_who_read_before() -> None:
    """Under bf16 autocast the embeddings' mask is in fp32 and the others' in bf16."""
    straight, resumed = (MaskPool(0.1, seed=5, size=1 << 16) for _ in range(2))
    like = torch.empty(64, 64)
    straight.seek(20)
    straight.take(like.bfloat16())
    for pool in (straight, resumed):
        pool.seek(21)
    for kind in (torch.float32, torch.bfloat16, torch.float32):
        assert torch.equal(straight.take(like.to(kind)), resumed.take(like.to(kind)))


def test_steps_seeds_ranks_and_sites_have_their_own_masks() -> None:
    like = torch.empty(50, 50)
    masks = []
    for seed, rank, step in [(0, 0, 0), (0, 0, 1), (0, 0, 2), (1, 0, 0), (0, 1, 0), (0, 0, 100)]:
        pool = MaskPool(0.5, seed=seed, rank=rank, size=1 << 18)
        pool.seek(step)
        masks += [pool.take(like), pool.take(like)]
    same = [(a == b).double().mean().item() for i, a in enumerate(masks) for b in masks[:i]]
    assert max(same) < 0.6  # independent masks agree on half of the entries


def test_a_mask_larger_than_the_pool_is_drawn_for_itself_and_by_the_step() -> None:
    """Eight strings of 400 brackets under eight heads have 10 million attention weights."""
    small, large = torch.empty(10), torch.empty(300, 400)
    straight, resumed = (MaskPool(0.1, seed=3, size=1 << 10) for _ in range(2))
    for like in (large, small, large):
        straight.take(like)
    for pool in (straight, resumed):
        pool.seek(41)
    taken = [pool.take(like) for like in (large, small, large) for pool in (straight, resumed)]
    for mine, again in zip(taken[::2], taken[1::2], strict=True):
        assert torch.equal(mine, again)
    first, _, second = taken[::2]
    assert not torch.equal(first, second)
    assert (first > 0).double().mean() == pytest.approx(0.9, abs=4 * (0.09 / 120_000) ** 0.5)
    straight.seek(42)
    assert not torch.equal(first, straight.take(large))
    wide = straight.take(large.bfloat16())
    assert wide.dtype == torch.bfloat16
    assert wide.shape == large.shape


def test_pooling_a_model_swaps_active_dropout_alone() -> None:
    class Attention(nn.Module):
        is_causal = True

        def __init__(self) -> None:
            super().__init__()
            self.drop = nn.Dropout(0.2)

    model = nn.Sequential(Attention(), nn.Dropout(0.0), nn.Linear(2, 2), nn.Dropout(0.1))
    names = list(model.state_dict())
    pool_dropout(model, MaskPools(seed=0))
    assert isinstance(model[0].drop, PooledDropout)
    assert isinstance(model[3], PooledDropout)
    assert type(model[1]) is nn.Dropout
    assert list(model.state_dict()) == names
    assert isinstance(model[0].mask_pools, MaskPools)


def test_evaluation_drops_nothing_and_backward_uses_the_same_mask() -> None:
    layer = PooledDropout(MaskPool(0.5, seed=0, size=1 << 12))
    masked = torch.ones(20, 20, requires_grad=True)
    assert torch.equal(layer.eval()(masked), masked)
    dropped = layer.train()(masked)
    dropped.sum().backward()
    assert torch.equal(masked.grad, dropped.detach())
