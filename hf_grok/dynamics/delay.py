"""The grokking delay: how many times as long generalization took as saturation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hf_grok.dynamics.columns import accuracy_curve
from hf_grok.dynamics.curves import Crossing, first_crossing
from hf_grok.metrics import GENERALIZATION, IN_DISTRIBUTION

if TYPE_CHECKING:
    import pandas

# Murty et al. 2023: in-distribution accuracy has saturated.
SATURATION = 0.99


def grokking_delay(
    evaluations: pandas.DataFrame, *, saturation: float = SATURATION, threshold: float = 0.95
) -> float | None:
    """delay = (first step of generalization >= threshold) / (first step of saturation).

    Saturated means in-distribution accuracy >= `saturation`.

    Returns:
        None if either is never reached or the model is saturated at step 0; at most 1 if
        generalization was there no later than saturation.

    Raises:
        UserError: if a column is missing or holds no accuracies.
    """
    steps, values = accuracy_curve(evaluations, IN_DISTRIBUTION)
    saturated = first_crossing(steps, values, saturation)
    steps, values = accuracy_curve(evaluations, GENERALIZATION)
    return delay_between(saturated, first_crossing(steps, values, threshold))


def delay_between(saturation: Crossing | None, generalization: Crossing | None) -> float | None:
    """generalization.step / saturation.step, or None if there is no such ratio."""
    if saturation is None or generalization is None or saturation.step == 0:
        return None
    return generalization.step / saturation.step


def delay_bounds(
    saturation: Crossing | None, generalization: Crossing | None
) -> tuple[float, float] | None:
    """The open interval of delays between (earliest / latest) and (latest / earliest) crossing.

    The upper end is infinite if saturation may have come at any step from 0 on.
    """
    if saturation is None or generalization is None or saturation.step == 0:
        return None
    earliest = 0 if generalization.previous is None else generalization.previous
    upper = generalization.step / saturation.previous if saturation.previous else float("inf")
    return earliest / saturation.step, upper
