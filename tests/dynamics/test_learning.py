"""Whether a run has learnt its language."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hf_grok.dynamics.learning import Learning, learning_of

NAN = float("nan")


def evaluations(seen: list[float] | None, whole: list[float] | None) -> pd.DataFrame:
    columns = {
        "eval_in_distribution_accuracy": seen,
        "eval_in_distribution_exact_match": whole,
        "eval_generalization_accuracy": [0.5, 0.5, 0.5],
    }
    steps = pd.Index([0, 100, 200], name="step")
    return pd.DataFrame({name: v for name, v in columns.items() if v is not None}, index=steps)


@pytest.mark.parametrize(
    ("seen", "whole", "step", "in_part", "learnt"),
    [
        ([0.2, 0.99, 0.9], [0, 0.95, 0.9], 100, False, True),  # touching .99 is enough
        ([0.2, 0.98, 0.98], [0, 0.95, 1.0], None, False, False),  # whole lines do not stand for it
        (
            [0.2, 1.0, 1.0],
            [0, 1.0, 0.89],
            100,
            True,
            False,
        ),  # it is the last evaluation that counts
        ([0.2, 1.0, 1.0], [0, 0.5, NAN], 100, True, False),  # the last that measured it
        ([0.2, 1.0, 1.0], [NAN, NAN, NAN], 100, False, True),
        ([0.2, 1.0, 1.0], None, 100, False, True),
        (None, [0, 0.5, 0.5], 0, True, False),
        ([NAN, NAN, NAN], None, 0, False, True),  # not asked, so nothing against it
        ([NAN, 0.98, 0.99], None, 200, False, True),
    ],
)
def test_what_counts_as_learnt(
    seen: list[float] | None,
    whole: list[float] | None,
    step: float | None,
    in_part: bool,
    learnt: bool,
) -> None:
    found = learning_of(evaluations(seen, whole))
    assert (found.step, found.in_part, found.learnt) == (step, in_part, learnt)


def test_before_is_until_accuracy_was_there() -> None:
    assert [Learning(100, None).before(step) for step in (0, 99, 100, 200)] == [
        True,
        True,
        False,
        False,
    ]
    assert Learning(None, 1.0).before(np.inf)
    assert not Learning(0.0, None).before(0)
