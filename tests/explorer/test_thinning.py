"""What is kept where there is too much to keep."""

from __future__ import annotations

import numpy as np
import pytest

from hf_grok.explorer.thinning import kept_pictures, kept_steps


def extremes_by_hand(steps: np.ndarray, curves: list[np.ndarray], stretches: int) -> set[int]:
    kept: set[int] = set()
    for part in np.array_split(np.arange(steps.size), stretches):
        kept |= {part[0], part[-1]}
        for values in curves:
            measured = [place for place in part if not np.isnan(values[place])]
            if measured:
                kept.add(min(measured, key=lambda place: (values[place], place)))
                kept.add(max(measured, key=lambda place: (values[place], -place)))
    return {int(steps[place]) for place in kept}


@pytest.mark.parametrize("count", [1, 59, 60])
def test_few_evaluations_are_kept_whole(count: int) -> None:
    steps = np.arange(count)
    assert kept_steps(steps, [np.zeros(count)], 60).tolist() == steps.tolist()


def test_of_many_the_extremes_of_every_stretch_stay() -> None:
    random = np.random.default_rng(0)
    steps = np.cumsum(random.integers(1, 9, 5_000))
    curves = [random.normal(size=5_000), np.where(random.random(5_000) < 0.3, np.nan, 1.0)]
    kept = kept_steps(steps, curves, 300)
    assert set(kept.tolist()) == extremes_by_hand(steps, curves, 300 // 6)
    assert kept.size <= 300
    assert (np.diff(kept) > 0).all()


def test_what_is_marked_always_stays() -> None:
    steps, marked = np.arange(0, 50_000, 10), {30, 1_230, 49_980}
    kept = kept_steps(steps, [np.zeros(steps.size)], 40, marked)
    assert marked <= set(kept.tolist())
    assert {0, 49_990} <= set(kept.tolist())
    assert kept.size <= 40 + len(marked)


def test_a_curve_that_was_never_measured_keeps_nothing_and_breaks_nothing() -> None:
    steps = np.arange(1_000)
    assert kept_steps(steps, [np.full(1_000, np.nan)], 100).size <= 100


def test_pictures_are_kept_evenly_with_those_of_the_marks() -> None:
    steps = list(range(0, 1_000, 10))
    kept = kept_pictures(steps, 5, near={123, 990, -1})
    assert kept == [0, 120, 250, 500, 740, 990] or kept == [0, 120, 250, 500, 730, 740, 990]
    assert kept_pictures(steps[:5], 5) == steps[:5]
    assert kept_pictures([7], 4) == [7]
