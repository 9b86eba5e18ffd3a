"""Exact on every device: sums in float64, log-probabilities of large vocabularies.

Apple's GPUs, and some others, have no float64. There what is summed goes to the CPU first, as one
number a token or a row: never a weight, a map or a vocabulary's scores.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor

# Of every other kind of device some at least have no float64.
_HAVE_FLOAT64 = ("cpu", "cuda", "meta")


def has_float64(device: torch.device) -> bool:
    """Whether tensors of float64 may be made on this device."""
    return device.type in _HAVE_FLOAT64


def device_of_sums(device: torch.device) -> torch.device:
    """Where sums in float64 over what is on `device` are kept: there, else on the CPU."""
    return device if has_float64(device) else torch.device("cpu")


def in_double(values: Tensor) -> Float64[Tensor, ...]:
    """`values` as float64 on `device_of_sums`. For small tensors: on some devices it moves them."""
    return values.to(device_of_sums(values.device)).double()


def squared_norms(values: Float[Tensor, ...], kept: int = 0) -> Float64[Tensor, ...]:
    """sum of squares over all axes but the first `kept`, in float64 on `device_of_sums`.

    Without float64 on the device the last axis is summed there in float32, and the rest on the CPU.
    """
    axes = tuple(range(kept, values.ndim)) if kept else None
    # vector_norm casts inside its loop: `.double()` would copy a whole embedding matrix.
    if has_float64(values.device):
        norms: Tensor = torch.linalg.vector_norm(values, dim=axes, dtype=torch.float64)
        return norms.square()
    rows = in_double(torch.linalg.vector_norm(values, dim=-1, dtype=torch.float32)).square()
    others = tuple(range(kept, values.ndim - 1))
    return rows.sum(others) if others else rows


def inner_products(
    left: Float[Tensor, "batch rows columns"], right: Float[Tensor, "batch rows columns"]
) -> Float64[Tensor, " batch"]:
    """sum over rows and columns of left x right, as `squared_norms` sums."""
    if has_float64(left.device):
        return (left.double() * right.double()).sum((1, 2))
    return in_double((left * right).sum(2)).sum(1)


def log_softmax(scores: Float[Tensor, "... vocabulary"]) -> Float[Tensor, "... vocabulary"]:
    """log p(v) = scores[v] - log sum over w of exp scores[w]; float32, nats.

    Within 1e-5 of float64 for scores below 100 in size. torch's own, in single precision on a CPU,
    adds the exponentials one after the other: at 50,000 words each log-probability is then too high
    by about 1e-5, and the errors of a sentence's tokens add up.
    """
    scores = scores.float()
    return scores - scores.logsumexp(-1, keepdim=True)


def log_probabilities_of(
    scores: Float[Tensor, "*rows vocabulary"], tokens: Int[Tensor, "*rows"]
) -> Float[Tensor, "*rows"]:
    """`log_softmax(scores)` at one token of each row, without a second copy of the scores."""
    scores = scores.float()
    chosen = scores.gather(-1, tokens[..., None]).squeeze(-1)
    return chosen - scores.logsumexp(-1)
