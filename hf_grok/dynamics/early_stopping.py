"""What stopping early on in-distribution data would have missed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hf_grok.dynamics.columns import accuracy_curve, curve
from hf_grok.dynamics.curves import Point, Steps, Values, last_part
from hf_grok.errors import UserError, unknown_name
from hf_grok.metrics import GENERALIZATION, IN_DISTRIBUTION, VALIDATION_LOSS

if TYPE_CHECKING:
    import pandas

# Evaluations without an improvement after which training would have been stopped.
PATIENCE = 5


@dataclass(frozen=True)
class EarlyStopping:
    """The checkpoint that early stopping keeps, against the end of the same run.

    Args:
        watched: the column that had to improve.
        window: steps without an improvement after which training would have stopped.
        kept: the step that early stopping keeps and generalization accuracy there.
        final: the last evaluation's step and generalization accuracy.
        last_quarter: mean generalization accuracy over the last quarter of the run's steps.
    """

    watched: str
    window: int
    kept: Point
    final: Point
    last_quarter: float

    @property
    def gap(self) -> float:
        """Generalization at the last evaluation minus that at the kept step, in -1..1."""
        return self.final.value - self.kept.value

    @property
    def last_quarter_gap(self) -> float:
        """Mean generalization over the last quarter minus that at the kept step, in -1..1."""
        return self.last_quarter - self.kept.value


def patience_window(steps: Steps, patience: int) -> int:
    """window = patience x the largest spacing of two consecutive evaluations, in steps.

    Evaluations are log-spaced at first: five of them would end before the warm-up does. Where
    they are evenly spaced, this is `patience` evaluations.
    """
    return patience * int(np.diff(steps).max()) if steps.size > 1 else patience


def stopping_position(steps: Steps, values: Values, window: int) -> int | None:
    """First e such that value(t) <= value(e) for every t in (step(e), step(e) + window].

    That evaluation is the best one so far, so it is also what a callback that counts
    evaluations since the last improvement keeps. None if the run ends before a window does.

    Args:
        steps: evaluated steps [evaluations], increasing.
        values: what had to improve, higher being better [evaluations].
        window: steps to wait for an improvement, at least 1.
    """
    for position, step in enumerate(steps):
        if step + window > steps[-1]:
            return None
        later = values[(steps > step) & (steps <= step + window)]
        if (later <= values[position]).all():
            return position
    return None


def early_stopping_gap(
    evaluations: pandas.DataFrame, *, watch: str = IN_DISTRIBUTION, patience: int = PATIENCE
) -> EarlyStopping | None:
    """gap = generalization(last) - generalization(e).

    e is the first evaluation whose watched value does not improve within patience.

    Args:
        evaluations: one row an evaluation, indexed by step.
        watch: in-distribution accuracy (must rise) or validation loss (must fall).
        patience: how many evaluations, at the run's widest spacing, may pass without an
            improvement (`patience_window`). Equal values are no improvement.

    Returns:
        None if the watched value still improved when the run ended.

    Raises:
        UserError: for a patience below 1, another column to watch, or bad columns.

    Source: Murty et al. 2023 (arXiv 2305.18741), the gap between early stopping on
        in-distribution data and training far beyond it.
    """
    if patience < 1:
        raise UserError(f"patience is {patience}: expected at least 1 evaluation")
    if watch not in (IN_DISTRIBUTION, VALIDATION_LOSS):
        raise unknown_name("column to watch", watch, (IN_DISTRIBUTION, VALIDATION_LOSS))
    watched_steps, watched = curve(evaluations.loc[_measured(evaluations)], watch)
    steps, values = accuracy_curve(evaluations.loc[watched_steps], GENERALIZATION)
    window = patience_window(steps, patience)
    position = stopping_position(steps, watched if watch == IN_DISTRIBUTION else -watched, window)
    if position is None:
        return None
    return EarlyStopping(
        watched=watch,
        window=window,
        kept=Point(int(steps[position]), float(values[position])),
        final=Point(int(steps[-1]), float(values[-1])),
        last_quarter=float(values[last_part(steps)].mean()),
    )


def _measured(evaluations: pandas.DataFrame) -> pandas.Series[bool]:
    if GENERALIZATION not in evaluations.columns:
        raise unknown_name("column of the evaluations", GENERALIZATION, map(str, evaluations))
    return evaluations[GENERALIZATION].notna()
