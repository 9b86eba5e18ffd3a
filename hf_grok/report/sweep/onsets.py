"""When the numbers of an arm of a sweep began to get better, by one yardstick for all arms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hf_grok.dynamics import Run
from hf_grok.dynamics.columns import curve
from hf_grok.dynamics.curves import Steps, Values
from hf_grok.dynamics.onsets.existence import ExistenceTest, Onset
from hf_grok.dynamics.onsets.find import Rule, default_window, find_onset
from hf_grok.dynamics.onsets.study import LEAST_RISE_OF_A_SHARE
from hf_grok.errors import UserError
from hf_grok.report.sweep.numbers import LOSS, Quantity, Spread, has, spread
from hf_grok.report.sweep.runs import Arm

# Ours: a loss has dropped when it has covered this share of what the reference's covers.
LOSS_SHARE = 0.25


@dataclass(frozen=True)
class LossLevel:
    """From where the loss has dropped, for every arm alike.

    Args:
        start: the reference's best loss in its first window, mean over its runs.
        end: its last loss, likewise.
    """

    start: float
    end: float

    @property
    def margin(self) -> float:
        """How far below `start`."""
        return LOSS_SHARE * (self.start - self.end)

    @property
    def value(self) -> float:
        """The loss that has dropped so far."""
        return self.start - self.margin


def loss_level(reference: Arm) -> LossLevel | None:
    """The level for a sweep's losses; None if the reference's does not fall after the start."""
    pairs = [curve(run.evaluations, LOSS.column) for run in reference.runs if has(run, LOSS.column)]
    starts = [
        float(values[steps <= steps[0] + window].min())
        for steps, values in pairs
        if (window := window_of(steps)) is not None
    ]
    if not starts:
        return None
    level = LossLevel(float(np.mean(starts)), float(np.mean([values[-1] for _, values in pairs])))
    return level if level.margin > 0 else None


def window_of(steps: Steps) -> float | None:
    """The default window of onsets; None where there are too few evaluations to look."""
    try:
        return default_window(steps)
    except UserError:
        return None


def onset_of(run: Run, quantity: Quantity, rule: Rule, level: LossLevel | None) -> Onset | None:
    """The onset of one run's curve, or None.

    "crossing": the first of two evaluations in a row that are beyond the baseline by the margin.
    "acceleration": where the curve speeds up most, if that is a lasting rise
    (`hf_grok.dynamics.find_onset`).
    """
    if not has(run, quantity.column):
        return None
    steps, values = curve(run.evaluations, quantity.column)
    window = window_of(steps)
    if window is None:
        return None
    least = LEAST_RISE_OF_A_SHARE if quantity.metric.is_share else 0.0
    baseline, margin = beyond(run, quantity, steps, level)
    if quantity.metric.direction is None or (rule == "crossing" and baseline is None):
        return None
    found = find_onset(
        steps,
        values,
        window=window,
        direction=quantity.metric.direction,
        rule=rule,
        baseline=baseline,
        margin=margin,
        test=ExistenceTest(least=least),
    )
    return found if isinstance(found, Onset) else None


def beyond(
    run: Run, quantity: Quantity, steps: Steps, level: LossLevel | None
) -> tuple[Values | float | None, float]:
    """Baseline and margin of a crossing; no baseline where there is none to be had.

    Args:
        run: whose crossing.
        quantity: of what.
        steps: at which the baseline is wanted, where it is a curve.
        level: of the sweep's losses.
    """
    if quantity.column == LOSS.column and level is not None:
        return level.start, level.margin
    if not isinstance(quantity.baseline, str):
        return quantity.baseline, quantity.metric.margin
    if not has(run, quantity.baseline):
        return None, quantity.metric.margin
    at, values = curve(run.evaluations, quantity.baseline)
    return np.interp(steps, at, values), quantity.metric.margin


def onsets(arm: Arm, quantity: Quantity, rule: Rule, level: LossLevel | None) -> Spread | None:
    """Steps of the onsets of those of the arm's runs that have one; None if none has."""
    found = [onset_of(run, quantity, rule, level) for run in arm.runs]
    return spread([onset.step for onset in found if onset is not None])
