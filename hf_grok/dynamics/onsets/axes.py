"""How far a run had come at each evaluation, in steps or in what the steps did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hf_grok.dynamics.curves import Steps, Values
from hf_grok.errors import UserError, unknown_name
from hf_grok.runs.read import Run

if TYPE_CHECKING:
    import pandas

TOKENS = "eval_tokens_seen"
LEARNING_RATE = "learning_rate"
DISTANCE = "eval_distance_from_start"


def progress_axis(run: Run, name: str) -> Values:
    """The progress of a run at each of its evaluations, aligned with `run.evaluations.index`.

    - `steps`: optimiser steps.
    - `tokens`: tokens read, where an evaluation logged it (`eval_tokens_seen`); NaN where not.
    - `cumulative_learning_rate`: sum of the learning rate over the steps until then, which is how
      far an optimiser of fixed step length can have gone. The rate follows straight lines through
      the logged rows, and through the first (last) two before (after) them; never below 0. A
      warm-up that is over before the second logged row is not seen.
    - `distance_from_start`: L2 distance of the weights from the initial ones, where an evaluation
      measured it (`eval_distance_from_start`); NaN where it did not. It may shrink.

    Raises:
        UserError: for a name that is none of these, or that this run did not log; lists those
            that it has.
    """
    if name not in AXES:
        raise unknown_name("progress axis", name, AXES)
    if name not in available_axes(run):
        raise UserError(
            f"{run.path} has no axis {name!r}: {_MISSING[name]}; it has "
            f"{', '.join(available_axes(run))}"
        )
    return AXES[name](run)


def available_axes(run: Run) -> list[str]:
    """The names that `progress_axis` can give for this run."""
    measured = {"tokens": TOKENS, "distance_from_start": DISTANCE}
    there = {name for name, column in measured.items() if _logged(run.evaluations, column)}
    if _logged(run.training, LEARNING_RATE):
        there.add("cumulative_learning_rate")
    return [name for name in AXES if name == "steps" or name in there]


def _steps(run: Run) -> Values:
    return run.evaluations.index.to_numpy(dtype=np.float64)


def _tokens(run: Run) -> Values:
    return run.evaluations[TOKENS].to_numpy(dtype=np.float64)


def _cumulative_learning_rate(run: Run) -> Values:
    steps, rates = _column(run.training, LEARNING_RATE)
    evaluated = run.evaluations.index.to_numpy(dtype=np.int64)
    every = np.arange(1, int(evaluated.max()) + 1)
    rate = np.maximum(along(steps, rates, every), 0.0)
    return np.append(0.0, np.cumsum(rate))[evaluated]


def _distance_from_start(run: Run) -> Values:
    return run.evaluations[DISTANCE].to_numpy(dtype=np.float64)


# name -> how it is read from a run
AXES: Mapping[str, Callable[[Run], Values]] = {
    "steps": _steps,
    "tokens": _tokens,
    "cumulative_learning_rate": _cumulative_learning_rate,
    "distance_from_start": _distance_from_start,
}

_MISSING = {
    "tokens": f"{TOKENS} is not logged",
    "cumulative_learning_rate": f"{LEARNING_RATE} is not logged",
    "distance_from_start": f"{DISTANCE} is not logged",
}


def along(steps: Steps, values: Values, at: NDArray[np.float64] | NDArray[np.int64]) -> Values:
    """Straight lines through (steps, values), the first and the last one carried on."""
    inside = np.interp(at, steps, values)
    if steps.size < 2:
        return inside
    slopes = np.diff(values)[[0, -1]] / np.diff(steps)[[0, -1]]
    inside = np.where(at < steps[0], values[0] + slopes[0] * (at - steps[0]), inside)
    return np.where(at > steps[-1], values[-1] + slopes[1] * (at - steps[-1]), inside)


def _logged(frame: pandas.DataFrame, column: str) -> bool:
    return column in frame.columns and bool(frame[column].notna().any())


def _column(frame: pandas.DataFrame, column: str) -> tuple[Steps, Values]:
    present = frame[column].dropna()
    return present.index.to_numpy(dtype=np.int64), present.to_numpy(dtype=np.float64)
