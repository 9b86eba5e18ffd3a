"""Curves with known breaks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Curve = NDArray[np.float64]


def log_spaced(last: int, every: int) -> Curve:
    """0, 1, 2, 4, ... below `every`, then every `every` steps: how runs are evaluated."""
    powers = [2**power for power in range(40) if 2**power < every]
    return np.array([0, *powers, *range(every, last + 1, every)], dtype=np.float64)


def ramp(steps: Curve, corner: float, length: float, height: float = 1.0) -> Curve:
    """0 up to `corner`, then a straight rise by `height` over `length`, then level."""
    return height * np.clip((steps - corner) / length, 0.0, 1.0)


def first_fall(steps: Curve, scale: float) -> Curve:
    """A loss from 6.4 to the unigram level of 5."""
    return 5.0 + 1.4 * np.exp(-steps / scale)


def structural_loss(steps: Curve, corner: float, scale: float = 100.0) -> Curve:
    """The first fall, a plateau, and from `corner` on a second fall by 1.7."""
    late = np.clip(steps - corner, 0.0, None)
    return first_fall(steps, scale) - 1.7 * (1.0 - np.exp(-late / 250.0))


def correlated(size: int, memory: float, random: np.random.Generator) -> Curve:
    """Noise of variance 1 that forgets a share of 1 - `memory` from one evaluation to the next."""
    fresh = random.normal(size=size)
    values = fresh.copy()
    for position in range(1, size):
        values[position] = memory * values[position - 1]
        values[position] += np.sqrt(1.0 - memory**2) * fresh[position]
    return values
