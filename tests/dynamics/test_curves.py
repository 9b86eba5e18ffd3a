from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from hf_grok.dynamics.curves import (
    Crossing,
    Point,
    first_crossing,
    highest,
    last_part,
    lowest,
    share_at_or_above,
    total_variation,
)

STEPS = np.array([0, 10, 20, 40, 80])
VALUES = np.array([0.25, 0.75, 0.5, 1.0, 0.75])


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (0.5, Crossing(0.5, 10, 0)),
        (0.75, Crossing(0.75, 10, 0)),  # reaching it is enough
        (0.76, Crossing(0.76, 40, 20)),
        (0.2, Crossing(0.2, 0, None)),
        (1.1, None),
    ],
)
def test_first_crossing_and_its_interval(threshold: float, expected: Crossing | None) -> None:
    assert first_crossing(STEPS, VALUES, threshold) == expected


def test_extremes_name_the_first_step_that_has_them() -> None:
    assert highest(STEPS, VALUES) == Point(40, 1.0)
    assert highest(STEPS[:3], np.array([0.5, 0.75, 0.75])) == Point(10, 0.75)
    assert lowest(STEPS, VALUES) == Point(0, 0.25)


def test_the_last_part_is_a_part_of_the_steps_not_of_the_evaluations() -> None:
    steps = np.array([0, 1, 2, 4, 8, 74, 75, 100])
    assert steps[last_part(steps)].tolist() == [75, 100]
    assert steps[last_part(steps, share=0.5)].tolist() == [74, 75, 100]
    assert last_part(np.array([0])).tolist() == [True]


def test_total_variation_equals_the_sum_of_moves() -> None:
    by_hand = 0.0
    for before, after in pairwise(VALUES):
        by_hand += abs(after - before)
    assert total_variation(VALUES) == by_hand == 1.5
    assert total_variation(VALUES[:1]) == 0.0


def test_share_at_or_above() -> None:
    assert share_at_or_above(VALUES, 0.75) == pytest.approx(3 / 5)
    assert share_at_or_above(VALUES[:0], 0.75) is None
