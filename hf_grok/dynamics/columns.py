"""How columns of a run's evaluations become arrays, and some that have names here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hf_grok.dynamics.curves import Steps, Values
from hf_grok.errors import UserError, unknown_name
from hf_grok.metrics import GENERALIZATION

if TYPE_CHECKING:
    import pandas

# The L2 norm of all parameters; of runs of earlier versions under the second name.
WEIGHT_NORMS = ("eval_norm_l2", "eval_weight_norm")
OBJECT_RELATIVES = f"{GENERALIZATION}_rc_object"
SUBJECT_RELATIVES = (
    f"{GENERALIZATION}_rc_subject_intransitive",
    f"{GENERALIZATION}_rc_subject_transitive",
)


def curve(evaluations: pandas.DataFrame, column: str) -> tuple[Steps, Values]:
    """The evaluated steps [evaluations] and one column's values [evaluations].

    Rows that lack the value are left out: not every evaluation measures everything.

    Raises:
        UserError: if the column is unknown, no row has a value, a value is not finite, or the
            steps do not increase.
    """
    if column not in evaluations.columns:
        raise unknown_name("column of the evaluations", column, map(str, evaluations.columns))
    present = evaluations[column].dropna()
    if present.empty:
        raise UserError(f"{column} has no value at any of {len(evaluations)} evaluations")
    steps = present.index.to_numpy(dtype=np.int64)
    values = present.to_numpy(dtype=np.float64)
    if np.any(np.diff(steps) <= 0):
        raise UserError(f"the steps of {column} must increase strictly; sort and merge them first")
    if not np.isfinite(values).all():
        worst = int(steps[~np.isfinite(values)][0])
        raise UserError(f"{column} is not finite at step {worst}: expected a number")
    return steps, values


def accuracy_curve(evaluations: pandas.DataFrame, column: str) -> tuple[Steps, Values]:
    """As `curve`, for values in 0..1.

    Raises:
        UserError: as `curve`, and for a value outside 0..1 (a percentage, for one).
    """
    steps, values = curve(evaluations, column)
    outside = (values < 0.0) | (values > 1.0)
    if outside.any():
        step, value = int(steps[outside][0]), float(values[outside][0])
        raise UserError(f"{column} is {value:g} at step {step}: expected an accuracy in 0..1")
    return steps, values
