"""Grokking: how long after in-distribution accuracy saturates does generalization arrive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from hf_grok.dynamics.columns import OBJECT_RELATIVES, SUBJECT_RELATIVES, accuracy_curve
from hf_grok.dynamics.curves import (
    Crossing,
    Point,
    Steps,
    Values,
    first_crossing,
    highest,
    last_part,
    lowest,
    share_at_or_above,
    total_variation,
)
from hf_grok.dynamics.delay import SATURATION, delay_between, delay_bounds
from hf_grok.dynamics.early_stopping import EarlyStopping, early_stopping_gap
from hf_grok.errors import UserError
from hf_grok.metrics import GENERALIZATION, IN_DISTRIBUTION

if TYPE_CHECKING:
    import pandas

THRESHOLDS = (0.8, 0.95)
# A rule about adjacency gets every subject relative right and every object relative wrong. Our
# margins: the published definition is the pattern itself (class means of the last quarter).
ADJACENCY_SUBJECT_FLOOR = 0.8
ADJACENCY_OBJECT_CEILING = 0.2


@dataclass(frozen=True)
class GrokkingSummary:
    """What generalization did in one run. A curve swings, so no single number stands for it.

    Accuracies are in 0..1, steps are optimiser steps, higher is better.

    Args:
        saturation: first evaluation with in-distribution accuracy >= .99; None if never.
        in_distribution_maximum: highest in-distribution accuracy.
        crossings: one for each threshold (.8 and .95), of generalization; None if never.
        delay: step of the last threshold's crossing over the step of saturation; None if either
            is missing or saturation is at step 0. At most 1 means that nothing was delayed.
        delay_interval: the delays that the spacing of the evaluations leaves open (exclusive).
        maximum: highest generalization. A best-of-N-evaluations number.
        final: the last evaluation's. A lottery where the curve swings.
        last_quarter_mean: unweighted mean over the evaluations at or after 3/4 of the last step.
        last_quarter_range: lowest and highest of these evaluations.
        share_above: fraction of the evaluations after the first threshold's crossing that are at or
            above it; None if it was never crossed or nothing was evaluated after.
        total_variation: sum of |differences| of generalization between evaluations.
        lowest_after_saturation: lowest generalization from saturation on; None if never saturated.
        range_after_crossing: lowest and highest generalization after the last threshold's
            crossing; None if never crossed or nothing was evaluated after.
        object_relatives_at_crossing: accuracy on object relatives at the last threshold's
            crossing; None if never crossed or not measured.
        hierarchical: the last threshold was crossed and, at some evaluation at or above it, object
            relatives were at or above the first threshold (if they are measured at all).
        adjacency_heuristic: means over the last quarter: every subject relative >= .8, object
            relatives <= .2. None if the classes are not measured.
        early_stopping: what stopping on in-distribution accuracy would have kept; None if it was
            still improving at the end.
    """

    saturation: Crossing | None
    in_distribution_maximum: Point
    crossings: tuple[Crossing | None, ...]
    delay: float | None
    delay_interval: tuple[float, float] | None
    maximum: Point
    final: Point
    last_quarter_mean: float
    last_quarter_range: tuple[float, float]
    share_above: float | None
    total_variation: float
    lowest_after_saturation: Point | None
    range_after_crossing: tuple[float, float] | None
    object_relatives_at_crossing: float | None
    hierarchical: bool
    adjacency_heuristic: bool | None
    early_stopping: EarlyStopping | None


def grokking_summary(
    evaluations: pandas.DataFrame,
    *,
    saturation: float = SATURATION,
    thresholds: Sequence[float] = THRESHOLDS,
) -> GrokkingSummary:
    """Crossings, delay, maximum, late mean, swings and verdicts of one run, together.

    Args:
        evaluations: one row an evaluation, indexed by step (`load_run(...).evaluations`).
        saturation: in-distribution accuracy that counts as saturated, in 0..1.
        thresholds: increasing generalization accuracies in 0..1; the last one is the grokking
            threshold.

    Raises:
        UserError: if a column is missing or holds no accuracies, or the thresholds do not
            increase within 0..1.

    Source: Murty et al. 2023 (arXiv 2305.18741) for saturation and thresholds; the swings after
        the crossing are in its published curves.
    """
    _check_thresholds(saturation, thresholds)
    seen_steps, seen = accuracy_curve(evaluations, IN_DISTRIBUTION)
    saturated = first_crossing(seen_steps, seen, saturation)
    steps, values = accuracy_curve(evaluations, GENERALIZATION)
    crossings = tuple(first_crossing(steps, values, threshold) for threshold in thresholds)
    late = values[last_part(steps)]
    after = _after(crossings[0], steps, values)
    return GrokkingSummary(
        saturation=saturated,
        in_distribution_maximum=highest(seen_steps, seen),
        crossings=crossings,
        delay=delay_between(saturated, crossings[-1]),
        delay_interval=delay_bounds(saturated, crossings[-1]),
        maximum=highest(steps, values),
        final=Point(int(steps[-1]), float(values[-1])),
        last_quarter_mean=float(late.mean()),
        last_quarter_range=(float(late.min()), float(late.max())),
        share_above=share_at_or_above(after, thresholds[0]),
        total_variation=total_variation(values),
        lowest_after_saturation=_lowest_from(saturated, steps, values),
        range_after_crossing=_range(_after(crossings[-1], steps, values)),
        object_relatives_at_crossing=_object_relatives(evaluations, crossings[-1]),
        hierarchical=_hierarchical(evaluations, thresholds[0], thresholds[-1]),
        adjacency_heuristic=_adjacency_heuristic(evaluations),
        early_stopping=early_stopping_gap(evaluations),
    )


def _check_thresholds(saturation: float, thresholds: Sequence[float]) -> None:
    increasing = all(low < high for low, high in pairwise(thresholds))
    if not thresholds or not increasing or not all(0 < t <= 1 for t in (saturation, *thresholds)):
        raise UserError(
            f"saturation {saturation} and thresholds {tuple(thresholds)}: expected accuracies in "
            "0..1, the thresholds at least one and increasing"
        )


def _after(crossing: Crossing | None, steps: Steps, values: Values) -> Values:
    """The values measured after a crossing; none if it never happened."""
    return values[steps > crossing.step] if crossing else values[:0]


def _range(values: Values) -> tuple[float, float] | None:
    return (float(values.min()), float(values.max())) if values.size else None


def _lowest_from(crossing: Crossing | None, steps: Steps, values: Values) -> Point | None:
    if crossing is None or steps[-1] < crossing.step:
        return None
    since = steps >= crossing.step
    return lowest(steps[since], values[since])


def _object_relatives(evaluations: pandas.DataFrame, crossing: Crossing | None) -> float | None:
    if crossing is None or OBJECT_RELATIVES not in evaluations.columns:
        return None
    value = float(evaluations[OBJECT_RELATIVES].loc[crossing.step])
    return None if np.isnan(value) else value


def _hierarchical(evaluations: pandas.DataFrame, floor: float, threshold: float) -> bool:
    passed = evaluations[evaluations[GENERALIZATION] >= threshold]
    if OBJECT_RELATIVES not in evaluations.columns:
        return not passed.empty
    return bool((passed[OBJECT_RELATIVES] >= floor).any())


def _adjacency_heuristic(evaluations: pandas.DataFrame) -> bool | None:
    if not {OBJECT_RELATIVES, *SUBJECT_RELATIVES} <= set(evaluations.columns):
        return None
    subjects = (_late_mean(evaluations, column) for column in SUBJECT_RELATIVES)
    object_mean = _late_mean(evaluations, OBJECT_RELATIVES)
    return min(subjects) >= ADJACENCY_SUBJECT_FLOOR and object_mean <= ADJACENCY_OBJECT_CEILING


def _late_mean(evaluations: pandas.DataFrame, column: str) -> float:
    steps, values = accuracy_curve(evaluations, column)
    return float(values[last_part(steps)].mean())
