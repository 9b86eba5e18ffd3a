"""Attention on chosen pairs at the cost of the fused kernel, with its exact gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.autograd.function import once_differentiable

from hf_grok.attention.fused_kernels import KERNELS, Settings
from hf_grok.attention.pairs import ATTENDED, ATTENDING, add_rows_at, hidden_pairs, rows_at

# Far below any gradient that matters, and 1 / FLOOR still far from the largest number.
FLOOR = 1e-20

Mask: TypeAlias = Bool[Tensor, "#batch #heads queries keys"] | None


def fused_arcs(
    query: Float[Tensor, "batch heads tokens size"],
    key: Float[Tensor, "batch heads tokens size"],
    value: Float[Tensor, "batch heads tokens size"],
    mask: Mask,
    pairs: Int64[Tensor, "batch pairs 2"],
    *,
    scale: float,
    is_causal: bool = False,
    dropout: float = 0.0,
) -> tuple[Float[Tensor, "batch heads tokens size"], Float[Tensor, "batch heads pairs"]]:
    """O = softmax(scale Q K^T + mask) V by the fused kernel, and that softmax at `pairs`.

    alpha_ij = exp(scale q_i . k_j - lse_i), lse_i being the kernel's log-sum-exp of row i: no map
    of queries by keys is formed, in either direction. Both outputs have gradients. That of alpha
    reaches every score of its row: with g the gradient at alpha, and P the map,

        dS_im = P_im (dP_im - D_i - c_i) + [(i, m) is a pair] g_im alpha_im,
        D_i = dO_i . O_i,    c_i = sum over the pairs of i of g_ij alpha_ij.

    The fused backward reads O for D_i and for nothing else, so it is handed an O' with
    dO_i . O'_i = D_i + c_i: c_i / dO_i0 is added to the first column. Where dO_i0 is smaller than
    1e-20 (exactly 0 in a row without a loss of its own) that number stands in for it, which changes
    no gradient by more than 1e-20 of a value vector. In float32 and bfloat16, whose range this
    needs, the product that the kernel forms is c_i to the last bit or two of that type, whatever
    the sizes of dO and c. Padding every head by a column of ones does the same, and copies query,
    key and value to do it.

    Args:
        query: after position embeddings; bfloat16, float32 or, on a CPU, float64.
        key: heads repeated where several queries share one.
        value: as `key`.
        mask: True where the query may look at the key; None hides nothing.
        pairs: (attending, attended) position; -1 is padding.
        scale: of the scores.
        is_causal: hide later keys; takes no mask beside it.
        dropout: of the attention; 0 on a CPU, whose kernel has none.

    Returns:
        O, and the attention before dropout at `pairs`: float32 (float64 for float64), exactly 0 at
        padding and where the mask hides the key.

    Source: ours; shown equal to explicit softmax in tests/sas/test_fused_arcs.py.
    """
    settings = Settings(scale, is_causal, dropout)
    apply: Callable[..., tuple[Tensor, Tensor]] = _FusedArcs.apply
    return apply(query, key, value, mask, pairs, settings)


class _FusedArcs(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None,
        pairs: Tensor,
        settings: Settings,
    ) -> tuple[Tensor, Tensor]:
        kernel = KERNELS[query.device.type]
        output, saved = kernel.forward(query, key, value, mask, settings)
        logsumexp = saved[0][..., : query.shape[2]]
        alpha = _alpha(query, key, mask, pairs, logsumexp, settings)
        ctx.save_for_backward(query, key, value, mask, pairs, output, alpha, *saved)
        ctx.settings = settings
        return output, alpha

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor, grad_alpha: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, mask, pairs, output, alpha, *saved = ctx.saved_tensors
        weighted = grad_alpha * alpha
        gradient, moved = _moved(grad_output, output, _summed_by_row(weighted, pairs, output))
        grad_query, grad_key, grad_value = KERNELS[query.device.type].backward(
            gradient, (query, key, value), mask, moved, tuple(saved), ctx.settings
        )
        at_scores = (ctx.settings.scale * weighted).transpose(1, 2).unsqueeze(-1)
        to_query = at_scores * rows_at(key, pairs, ATTENDED)
        grad_query = add_rows_at(grad_query, to_query, pairs, ATTENDING)
        to_key = at_scores * rows_at(query, pairs, ATTENDING)
        grad_key = add_rows_at(grad_key, to_key, pairs, ATTENDED)
        return grad_query, grad_key, grad_value, None, None, None


def _alpha(
    query: Tensor,
    key: Tensor,
    mask: Tensor | None,
    pairs: Tensor,
    logsumexp: Tensor,
    settings: Settings,
) -> Tensor:
    """exp(scale q_i . k_j - lse_i) at the pairs; 0 where j is hidden: [batch, heads, pairs]."""
    attending, attended = rows_at(query, pairs, ATTENDING), rows_at(key, pairs, ATTENDED)
    # Products of bfloat16 are exact in float32, where the kernel too sums them.
    scores = (attending.to(logsumexp.dtype) * attended.to(logsumexp.dtype)).sum(-1)
    normaliser = rows_at(logsumexp.unsqueeze(-1), pairs, ATTENDING).squeeze(-1)
    alpha = (settings.scale * scores - normaliser).exp().transpose(1, 2)
    hidden = hidden_pairs(mask, pairs, is_causal=settings.is_causal)
    return alpha.masked_fill(hidden, 0.0)


def _summed_by_row(weighted: Tensor, pairs: Tensor, output: Tensor) -> Tensor:
    """c_i = sum of `weighted` [batch, heads, pairs] over the pairs that attend from i."""
    rows = pairs[:, None, :, ATTENDING].clamp(min=0).expand_as(weighted)
    return weighted.new_zeros(output.shape[:3]).scatter_add_(2, rows, weighted)


def _moved(grad_output: Tensor, output: Tensor, row_sums: Tensor) -> tuple[Tensor, Tensor]:
    """dO' and O' with dO'_i . O'_i = dO_i . O_i + c_i; see `fused_arcs`."""
    gradient, moved = grad_output.clone(), output.clone()
    first = gradient[..., 0]
    first.masked_fill_(first.abs() < FLOOR, FLOOR)
    moved[..., 0] += row_sums / first.to(row_sums.dtype)
    return gradient, moved
