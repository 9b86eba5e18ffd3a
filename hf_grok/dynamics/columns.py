"""How columns of a run's evaluations become arrays, and some that have names here."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from hf_grok.dynamics.curves import Steps, Values
from hf_grok.errors import UserError, unknown_name
from hf_grok.metrics import GENERALIZATION
from hf_grok.text.printable import quoted

if TYPE_CHECKING:
    import pandas

STEP = "step"
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
        UserError: if the column is unknown, no row has a value, a value is no finite number, or
            the index is not of steps that increase.
    """
    if column not in evaluations.columns:
        raise unknown_name("column of the evaluations", column, map(str, evaluations.columns))
    present = evaluations[column].dropna()
    if present.empty:
        raise UserError(f"{column} has no value at any of {len(evaluations)} evaluations")
    steps, values = _steps(present, evaluations), _numbers(present)
    if np.any(np.diff(steps) <= 0):
        raise UserError(f"the steps of {column} must increase strictly; sort and merge them first")
    if not np.isfinite(values).all():
        worst = int(steps[~np.isfinite(values)][0])
        raise UserError(f"{column} is not finite at step {worst}: expected a number")
    return steps, values


def _steps(present: pandas.Series, evaluations: pandas.DataFrame) -> Steps:
    """The index as whole numbers; positions beside a column of steps are none."""
    if STEP in evaluations.columns and evaluations.index.name != STEP:
        raise UserError(
            "the evaluations have a column step, and another index: expected them indexed by step, "
            'as `load_run` of a run or of a log has them, or as evaluations.set_index("step")'
        )
    index = present.index
    whole = index.dtype.kind in "iu" or (index.dtype.kind == "f" and (index % 1 == 0).all())
    if not whole:
        raise UserError(
            f"the evaluations are indexed by {quoted(list(index[:3]))}, ...: expected steps, which "
            "are whole numbers"
        )
    return index.to_numpy(dtype=np.int64)


def _numbers(present: pandas.Series) -> Values:
    for step, value in present.items() if present.dtype.kind not in "iuf" else ():
        if not isinstance(value, Real):
            raise UserError(f"{present.name} is {quoted(value)} at step {step}: expected a number")
    return present.to_numpy(dtype=np.float64)


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
