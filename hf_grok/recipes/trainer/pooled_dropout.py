"""Dropout from a pool of masks drawn beforehand: cheap on a CPU, and a function of the step."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

POOL_SIZE = 1 << 22
STEPS_PER_POOL = 100
_STRIDE = 0x9E3779B97F4A7C15  # odd, far from any small multiple: spreads neighbouring steps


class MaskPool:
    """mask ~ Bernoulli(1 - p) / (1 - p), read as windows of a pool of pre-drawn masks.

    Drawing a mask costs a small model on a CPU more than the product it protects; reading one
    costs a multiplication. The pool is redrawn every `STEPS_PER_POOL` steps from a generator
    seeded by (seed, rank, step // STEPS_PER_POOL), and each step reads it from an offset of its
    own: masks are a function of the step, so a resumed run repeats them, and evaluating between
    two steps disturbs nothing. Masks of different steps may share windows of a pool. A mask larger
    than the pool (attention over long rows) is drawn for itself, from a generator seeded by
    (seed, rank, step, how many such masks came before): slower, and a function of the step too.

    Args:
        probability: p, the share of entries set to zero, in (0, 1).
        seed: of the run.
        rank: of this process; each has its own masks.
        size: entries in the pool.
    """

    def __init__(
        self, probability: float, *, seed: int, rank: int = 0, size: int = POOL_SIZE
    ) -> None:
        self.probability, self.seed, self.rank, self.size = probability, seed, rank, size
        # One copy a type and device, each made from the drawn one: made from one another, what a
        # mask is would depend on which layer read first, and a resumed run would differ.
        self._pools: dict[tuple[torch.dtype, torch.device], torch.Tensor] = {}
        self._drawn = -1
        self._start = self._offset = 0
        self._step = self._large = 0

    def seek(self, step: int) -> None:
        """Start reading where step `step` (0-based) reads, redrawing the pool when it is due."""
        self._step, self._large = step, 0
        if self._drawn != step // STEPS_PER_POOL:
            self._drawn = step // STEPS_PER_POOL
            self._pools = {}
        self._start = self._offset = ((step + 1) * _STRIDE) % self.size

    def take(self, like: torch.Tensor) -> torch.Tensor:
        """The next mask: the shape, type and device of `like`."""
        count = like.numel()
        if count > self.size:
            return self._large_mask(count).view(like.shape).to(like.device, like.dtype)
        pool = self._pool_like(like)
        if self._offset + count > self.size:
            self._offset = (self._start * 31) % (self.size - count + 1)
        window = pool[self._offset : self._offset + count]
        self._offset += count
        return window.view(like.shape)

    def _pool_like(self, like: torch.Tensor) -> torch.Tensor:
        drawn = (torch.float32, torch.device("cpu"))
        if drawn not in self._pools:
            self._pools[drawn] = self._draw(self.size, max(self._drawn, 0))
        wanted = (like.dtype, like.device)
        if wanted not in self._pools:
            self._pools[wanted] = self._pools[drawn].to(like.device, like.dtype)
        return self._pools[wanted]

    def _large_mask(self, count: int) -> torch.Tensor:
        self._large += 1
        return self._draw(count, self._step, self._large)

    def _draw(self, count: int, *when: int) -> torch.Tensor:
        """`count` entries on the CPU, from a generator of their own."""
        entropy = np.random.SeedSequence([self.seed, self.rank, *when])
        generator = torch.Generator().manual_seed(int(entropy.generate_state(1)[0]))
        kept = torch.empty(count).bernoulli_(1 - self.probability, generator=generator)
        return kept.div_(1 - self.probability)


class PooledDropout(nn.Module):
    """x * mask in training, x in evaluation, the mask from a `MaskPool`."""

    def __init__(self, pool: MaskPool) -> None:
        super().__init__()
        self.pool = pool
        self.p = pool.probability  # some attention modules read their dropout's rate

    def forward(self, masked: torch.Tensor) -> torch.Tensor:
        """`masked` with the pool's next mask applied, any shape."""
        return masked * self.pool.take(masked) if self.training else masked


class MaskPools:
    """One pool for each dropout probability of a model, all at the same step."""

    def __init__(self, *, seed: int, rank: int = 0) -> None:
        self.seed, self.rank = seed, rank
        self._step = 0
        self._pools: dict[float, MaskPool] = {}

    def __getitem__(self, probability: float) -> MaskPool:
        if probability not in self._pools:
            self._pools[probability] = MaskPool(probability, seed=self.seed, rank=self.rank)
            self._pools[probability].seek(self._step)
        return self._pools[probability]

    def seek(self, step: int) -> None:
        """Put every pool at the masks of `step`."""
        self._step = step
        for pool in self._pools.values():
            pool.seek(step)


def pool_dropout(model: nn.Module, pools: MaskPools) -> None:
    """Replace every active `nn.Dropout` of `model` by one that reads from `pools`, in place.

    Attention modules get the attribute `mask_pools`, which `hf_grok.attention.batched` reads.
    Parameters, their names and the saved model are as before.
    """
    for module in list(model.modules()):
        for name, child in module.named_children():
            if type(child) is nn.Dropout and child.p > 0:
                setattr(module, name, PooledDropout(pools[child.p]).train(child.training))
        if hasattr(module, "is_causal"):
            object.__setattr__(module, "mask_pools", pools)


class MaskPoolCallback(TrainerCallback):
    """Puts the pools of dropout masks at each step's own masks.

    Args:
        pools: of the model.
    """

    def __init__(self, pools: MaskPools) -> None:
        self._pools = pools

    def on_step_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Seek to the masks of the step about to run."""
        self._pools.seek(state.global_step)
