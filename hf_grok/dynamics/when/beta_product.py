"""The beta product interval of a survival curve: exact without censoring, with any seeds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hf_grok.dynamics.when.on_scipy import scipy_stats

Array = NDArray[np.float64]


def beta_product_interval(
    at_risk: Array, arrived: Array, at_risk_after: Array, level: float
) -> tuple[Array, Array]:
    """The ends of a pointwise interval of S(t), at each step of its Kaplan-Meier estimate.

    Until the k-th step S has fallen by a product of Beta(at risk - arrived + 1, arrived); at worst
    the next seed arrives just after it, a Beta(at risk after, 1) more. The upper end is a quantile
    of the first product, the lower of the second. With Greenwood's variance instead, 95 % intervals
    of five seeds hold the truth in as little as half of the sweeps, and there is none where no seed
    or every seed has arrived.

    Args:
        at_risk: seeds that have neither arrived nor ended before the step [steps].
        arrived: of these at it [steps].
        at_risk_after: seeds that are left after it [steps].
        level: of confidence, central.

    Returns:
        Lower and upper ends, in 0..1 [steps]. Where no seed was cut short before, those of
        Clopper and Pearson.

    Source: Fay, Brittain and Proschan 2013, Biostatistics 14(4), with products of betas as betas
    of the same two moments, as their `bpcp` has by default.
    """
    falls = arrived > 0  # Beta(n + 1, 0) is 1: nothing falls
    a, b = np.where(falls, at_risk - arrived + 1, 1.0), np.where(falls, arrived, 0.0)
    first, second = np.cumprod(a / (a + b)), np.cumprod(a * (a + 1) / ((a + b) * (a + b + 1)))
    left = at_risk_after
    tail = (1 - level) / 2
    return (
        _quantile(first * left / (left + 1), second * left / (left + 2), tail),
        _quantile(first, second, 1 - tail),
    )


def _quantile(first: Array, second: Array, probability: float) -> Array:
    """Of the beta with these moments about 0, or of the point where its variance is 0."""
    variance = second - first**2
    spread = variance > 1e-15
    size = first * (1 - first) / np.where(spread, variance, 1.0) - 1
    a, b = np.where(spread, first * size, 1.0), np.where(spread, (1 - first) * size, 1.0)
    return np.where(spread, scipy_stats().beta.ppf(probability, a, b), first)
