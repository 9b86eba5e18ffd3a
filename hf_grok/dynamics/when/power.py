"""How many seeds a difference needs, by simulation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hf_grok.dynamics.when.seeds import counts_differ
from hf_grok.errors import UserError

ALPHA, POWER = 0.05, 0.8
_SIMULATIONS = 2000
_MOST = 500


@dataclass(frozen=True)
class Power:
    """How often a difference of that size would be found.

    Attributes:
        seeds: of each arm.
        power: fraction of the simulated sweeps in which the test says p <= alpha.
    """

    seeds: int
    power: float


def seeds_needed(
    first: float, second: float, *, power: float = POWER, alpha: float = ALPHA, seed: int = 0
) -> Power:
    """The fewest seeds an arm at which Fisher's exact test finds fractions this far apart.

    Args:
        first: fraction of seeds that generalise in one arm, in 0..1.
        second: in the other.
        power: how often it should be found.
        alpha: two-sided.
        seed: of the simulation.

    Raises:
        UserError: fractions that are equal or outside 0..1; more than 500 seeds an arm.
    """
    if not (0 <= first <= 1 and 0 <= second <= 1) or first == second:
        raise UserError(f"fractions {first} and {second}: expected two different ones in 0..1")
    if not (0 < power < 1 and 0 < alpha < 1):
        raise UserError(f"power {power} and alpha {alpha}: expected numbers between 0 and 1")
    low, high = 1, 2
    while (found := _power(first, second, high, alpha, seed)) < power:
        low, high = high, 2 * high
        if low > _MOST:
            raise UserError(
                f"fractions {first} and {second} take more than {_MOST} seeds an arm: a difference "
                "that small is not to be had from runs"
            )
    while high - low > 1:
        middle = (low + high) // 2
        reached = _power(first, second, middle, alpha, seed)
        low, high, found = (low, middle, reached) if reached >= power else (middle, high, found)
    return Power(high, found)


def _power(first: float, second: float, seeds: int, alpha: float, seed: int) -> float:
    draws = np.random.default_rng(seed).binomial(seeds, [first, second], (_SIMULATIONS, 2))
    pairs, counts = np.unique(draws, axis=0, return_counts=True)
    rejected = [counts_differ((a, seeds), (b, seeds)) <= alpha for a, b in pairs.tolist()]
    return float(counts[np.array(rejected)].sum() / _SIMULATIONS)
