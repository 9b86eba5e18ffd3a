"""The library's fused attention kernels, called where their log-sum-exp can be had."""

from __future__ import annotations

from typing import NamedTuple, Protocol, TypeAlias

import torch
from torch import Tensor

from hf_grok.errors import UserError

# The log-sum-exp of every row first, then what this kernel's backward needs besides.
Saved: TypeAlias = tuple[Tensor, ...]
Gradients: TypeAlias = tuple[Tensor, Tensor, Tensor]

# CUDA's kernel reads the mask in vectors of up to this many numbers, each row at such a boundary.
MASK_ALIGNMENT = 16


class Settings(NamedTuple):
    """scale of the scores; whether later keys are hidden; probability of dropout."""

    scale: float
    is_causal: bool
    dropout: float


class Kernel(Protocol):
    """softmax(scale Q K^T + mask) V, forward and backward, without the map of queries by keys."""

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, settings: Settings
    ) -> tuple[Tensor, Saved]:
        """Output [batch, heads, queries, size], and what `backward` needs, log-sum-exp first."""

    def backward(
        self,
        gradient: Tensor,
        inputs: tuple[Tensor, Tensor, Tensor],
        mask: Tensor | None,
        output: Tensor,
        saved: Saved,
        settings: Settings,
    ) -> Gradients:
        """Gradients at query, key and value. `output` enters as the rows' gradient . output."""


class CpuKernel:
    """The flash kernel of CPUs: any head size, no dropout."""

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, settings: Settings
    ) -> tuple[Tensor, Saved]:
        """See `Kernel.forward`.

        Raises:
            UserError: a dropout above 0.
        """
        if settings.dropout > 0:
            raise UserError(
                f"the fused attention kernel of a CPU has no dropout, and {settings.dropout} was "
                "asked of it: set the attention dropout of the model's config to 0, or take the "
                "attention on arcs from the batched implementation"
            )
        output, logsumexp = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
            query,
            key,
            value,
            0.0,
            settings.is_causal,
            attn_mask=additive(mask, query.dtype),
            scale=settings.scale,
        )
        return output, (logsumexp,)

    def backward(
        self,
        gradient: Tensor,
        inputs: tuple[Tensor, Tensor, Tensor],
        mask: Tensor | None,
        output: Tensor,
        saved: Saved,
        settings: Settings,
    ) -> Gradients:
        """See `Kernel.backward`."""
        found: Gradients = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward(
            gradient,
            *inputs,
            output,
            *saved,
            0.0,
            settings.is_causal,
            attn_mask=additive(mask, gradient.dtype),
            scale=settings.scale,
        )
        return found


class CudaKernel:
    """The memory-efficient kernel of CUDA, with its own dropout; heads of whole 16 bytes."""

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, settings: Settings
    ) -> tuple[Tensor, Saved]:
        """See `Kernel.forward`; rows of the log-sum-exp are filled up to a multiple of 32."""
        output, *saved = torch.ops.aten._scaled_dot_product_efficient_attention(
            query,
            key,
            value,
            aligned(mask, query),
            True,  # the log-sum-exp too
            settings.dropout,
            settings.is_causal,
            scale=settings.scale,
        )
        return output, tuple(saved)

    def backward(
        self,
        gradient: Tensor,
        inputs: tuple[Tensor, Tensor, Tensor],
        mask: Tensor | None,
        output: Tensor,
        saved: Saved,
        settings: Settings,
    ) -> Gradients:
        """See `Kernel.backward`."""
        logsumexp, seed, offset = saved
        query, key, value, _ = torch.ops.aten._scaled_dot_product_efficient_attention_backward(
            gradient,
            *inputs,
            aligned(mask, gradient),
            output,
            logsumexp,
            seed,
            offset,
            settings.dropout,
            [True, True, True, False],  # none at the mask
            settings.is_causal,
            scale=settings.scale,
        )
        return query, key, value


KERNELS: dict[str, Kernel] = {"cpu": CpuKernel(), "cuda": CudaKernel()}


def additive(mask: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    """0 where the boolean mask is True, -inf where it is False.

    Made again for the backward: kept as booleans, one mask serves every layer.
    """
    if mask is None:
        return None
    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill_(~mask, -torch.inf)


def aligned(mask: Tensor | None, like: Tensor) -> Tensor | None:
    """The additive mask of CUDA's kernel for queries `like`: as many heads, rows at boundaries."""
    bias = additive(mask, like.dtype)
    if bias is None:
        return None
    keys = bias.shape[-1]
    padded = torch.nn.functional.pad(bias, (0, -keys % MASK_ALIGNMENT))
    return padded[..., :keys].expand(*like.shape[:2], -1, -1)
