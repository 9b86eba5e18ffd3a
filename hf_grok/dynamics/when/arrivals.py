"""When a run first comes to a level and holds it, or that it had not by its last evaluation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hf_grok.dynamics.curves import as_curve
from hf_grok.dynamics.onsets.held_crossing import first_held
from hf_grok.errors import UserError

HOLD = 2


@dataclass(frozen=True)
class Arrival:
    """One seed's time.

    Attributes:
        step: of the first of the evaluations in a row that are at the level; None if there are
            none: censored.
        last: the run's last evaluation.
    """

    step: float | None
    last: float

    def __post_init__(self) -> None:
        if self.step is not None and not 0 <= self.step <= self.last:
            raise UserError(
                f"an arrival at step {self.step:g} of a run to step {self.last:g}: expected a "
                "step of the run"
            )


def arrival_of(
    steps: ArrayLike, values: ArrayLike, level: float, *, hold: int = HOLD, falling: bool = False
) -> Arrival:
    """min { t : f >= level at t and at the evaluations after it, `hold` in all }.

    Args:
        steps: evaluated steps, increasing [evaluations].
        values: f [evaluations]; NaN where it was not measured, which is left out.
        level: to be reached.
        hold: evaluations in a row. A curve that only touches the level has not arrived.
        falling: f <= level instead, as for a loss.

    Raises:
        UserError: no evaluation that measured f; what is no curve (`as_curve`); a level that is
            not finite; fewer than one in a row.
    """
    if hold < 1:
        raise UserError(f"hold {hold}: expected at least one evaluation in a row")
    if not np.isfinite(level):
        raise UserError(f"level {level}: expected a finite number, to be reached")
    at, measured = as_curve(steps, values)
    there = np.isfinite(measured)
    if not there.any():
        raise UserError("no evaluation measured the metric: nothing can be said of its arrival")
    at, measured = at[there], measured[there]
    reached = measured <= level if falling else measured >= level
    position = first_held(reached, hold)
    return Arrival(None if position is None else float(at[position]), float(at[-1]))


def arrivals(steps: Iterable[float | None], last: float) -> list[Arrival]:
    """Arrivals of runs of one length, from their steps; None for those that never came."""
    return [Arrival(step, last) for step in steps]
