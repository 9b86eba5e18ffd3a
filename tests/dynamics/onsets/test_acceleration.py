"""The sharpest break against a search of every step, and how noise is measured."""

from __future__ import annotations

import numpy as np
import pytest

from hf_grok.dynamics.onsets.acceleration import (
    acceleration,
    candidate_steps,
    evaluation_noise,
    lasting_rise,
    sharpest_break,
)
from tests.dynamics.onsets.shapes import first_fall, log_spaced, ramp


def line_between(steps: list[float], values: list[float], at: float) -> float:
    """The value at `at` on the straight line between the evaluations around it."""
    for (left, low), (right, high) in zip(
        zip(steps, values, strict=True), zip(steps[1:], values[1:], strict=True), strict=False
    ):
        if left <= at <= right:
            return low + (high - low) * (at - left) / (right - left)
    raise AssertionError(f"{at} is outside {steps[0]}..{steps[-1]}")


def objective(steps: list[float], values: list[float], window: float, at: float) -> float:
    before, here, after = (
        line_between(steps, values, at + shift) for shift in (-window, 0.0, window)
    )
    return (after - here) - (here - before)


def uneven(seed: int) -> tuple[list[float], list[float], int]:
    """Whole, unevenly spaced steps with random values, and a window that fits."""
    random = np.random.default_rng(seed)
    steps = np.sort(random.choice(np.arange(1, 120), 14, replace=False))
    steps = np.concatenate([[0], steps])
    values = random.normal(size=steps.size)
    window = int(random.integers(1, steps[-1] // 2 + 1))
    return steps.astype(float).tolist(), values.tolist(), window


@pytest.mark.parametrize("seed", range(60))
def test_equals_a_search_of_every_step(seed: int) -> None:
    """All knots are whole numbers here, so whole steps hold every maximum."""
    steps, values, window = uneven(seed)
    every = range(window, int(steps[-1]) - window + 1)
    found = sharpest_break(np.array(steps), np.array(values), window)
    searched = {at: objective(steps, values, window, at) for at in every}
    best = max(searched.values())
    assert found.step == max(at for at, value in searched.items() if value > best - 1e-9)
    gained, _ = acceleration(np.array(steps), np.array(values), window, np.array([found.step]))
    assert gained[0] == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_strength_is_the_least_of_break_rise_and_lasting_rise(seed: int) -> None:
    steps, values, window = uneven(seed)
    found = sharpest_break(np.array(steps), np.array(values), window)
    broken = objective(steps, values, window, found.step)
    risen = line_between(steps, values, found.step + window)
    risen -= line_between(steps, values, found.step)
    lasting = lasting_rise(np.array(steps), np.array(values), window, found.step)
    assert found.strength == pytest.approx(min(broken, risen, lasting))
    assert found.ends_a_fall == (risen < broken / 2)


@pytest.mark.parametrize("seed", range(20))
def test_no_step_between_the_knots_is_better(seed: int) -> None:
    """A window that is no whole number, against a fine grid."""
    steps, values, whole = uneven(seed)
    window = whole * 0.737
    at = candidate_steps(np.array(steps), window)
    gained, _ = acceleration(np.array(steps), np.array(values), window, at)
    grid = np.linspace(window, steps[-1] - window, 3_000)
    searched = [objective(steps, values, window, min(t, steps[-1] - window)) for t in grid]
    assert gained.max() >= max(searched) - 1e-9
    assert gained.max() == pytest.approx(max(searched), abs=0.1)


def test_candidates_leave_a_window_on_either_side() -> None:
    steps = np.array([0.0, 1.0, 4.0, 10.0])
    assert candidate_steps(steps, 3.0).tolist() == [3.0, 4.0, 7.0]
    assert candidate_steps(steps, 5.0).tolist() == [5.0]


@pytest.mark.parametrize("window", [100, 300, 700])
def test_a_long_ramp_breaks_at_its_corner(window: int) -> None:
    steps = log_spaced(4_000, 100)
    found = sharpest_break(steps, ramp(steps, 1_200, 1_000), window)
    assert found.step == 1_200
    assert found.strength == pytest.approx(window / 1_000, rel=0.3)
    assert found.noise == 0.0


def test_a_rise_shorter_than_the_window_breaks_last_where_it_begins() -> None:
    """Any t with the whole rise between t and t + D is a maximum: the ties say so."""
    steps = np.arange(0.0, 4_001.0, 100.0)
    found = sharpest_break(steps, ramp(steps, 1_200, 200), 600)
    assert (found.lowest, found.step, found.highest) == (800, 1_200, 1_200)


def test_the_rival_is_the_strongest_rise_a_window_away() -> None:
    steps = np.arange(0.0, 4_001.0, 100.0)
    values = ramp(steps, 800, 300) + ramp(steps, 2_500, 300, 0.6)
    found = sharpest_break(steps, values, 300)
    assert (found.step, found.rival) == (800, 2_500)
    assert found.rival_strength == pytest.approx(0.6)
    alone = sharpest_break(steps, ramp(steps, 2_000, 300), 2_000)
    assert (alone.step, alone.rival, alone.rival_strength) == (2_000, None, -np.inf)


def test_the_end_of_a_fall_is_told_from_the_beginning_of_a_rise() -> None:
    steps = np.arange(0.0, 4_001.0, 100.0)
    fall = sharpest_break(steps, -ramp(steps, 1_000, 500), 300)
    assert fall.step == 1_500
    assert fall.ends_a_fall
    assert fall.strength <= 0.0
    assert not sharpest_break(steps, ramp(steps, 1_000, 500), 300).ends_a_fall


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_one_evaluation_that_sticks_out_is_no_lasting_rise(sign: float) -> None:
    steps = np.arange(0.0, 4_001.0, 100.0)
    values = np.zeros(steps.size)
    values[20] = sign
    found = sharpest_break(steps, values, 300)
    assert found.strength == 0.0
    assert lasting_rise(steps, values, 300, found.step) == 0.0


def test_lasting_rise_by_hand() -> None:
    steps = np.array([0.0, 10.0, 20.0, 30.0, 40.0, 50.0])
    values = np.array([0.0, 1.0, 2.0, 9.0, 4.0, 6.0])
    # before 20: evaluations 0, 10, 20; around 40: 30, 40, 50
    assert lasting_rise(steps, values, 20.0, 20.0) == 6.0 - 1.0
    # no evaluation within 2 of 38, none from 30 - 4 to 30 but the one at 30
    assert lasting_rise(steps, values, 4.0, 32.0) == pytest.approx(
        np.interp(36.0, steps, values) - 9.0
    )


@pytest.mark.parametrize("spacing", ["even", "uneven"])
def test_noise_is_the_deviation_of_one_evaluation(spacing: str) -> None:
    random = np.random.default_rng(0)
    steps = np.arange(4_000.0)
    if spacing == "uneven":
        steps = np.cumsum(random.uniform(1.0, 9.0, 4_000))
    values = 0.01 * steps + random.normal(0, 0.3, 4_000)
    assert evaluation_noise(steps, values) == pytest.approx(0.3, rel=0.05)


def test_a_line_and_a_jump_are_no_noise() -> None:
    steps = log_spaced(4_000, 100)
    assert evaluation_noise(steps, 3.0 - 0.001 * steps) == pytest.approx(0.0, abs=1e-12)
    assert evaluation_noise(steps, (steps > 2_000).astype(float)) == 0.0
    assert evaluation_noise(steps[:2], np.array([0.0, 1.0])) == 0.0


def test_evaluations_between_which_nothing_happens_do_not_hide_noise() -> None:
    random = np.random.default_rng(0)
    dense, regular = np.arange(0.0, 500.0), np.arange(600.0, 40_001.0, 100.0)
    steps = np.concatenate([dense, regular])
    values = np.concatenate([np.zeros(dense.size), random.normal(0, 0.1, regular.size)])
    assert evaluation_noise(steps, values) == pytest.approx(0.1, rel=0.1)


def test_noise_before_a_step_needs_enough_of_the_curve() -> None:
    random = np.random.default_rng(0)
    steps = np.arange(0.0, 10_000.0, 100.0)
    values = np.where(steps < 3_000, 0.0, random.normal(0, 0.2, steps.size))
    assert evaluation_noise(steps, values, before=2_900) == 0.0
    everywhere = evaluation_noise(steps, values)
    assert everywhere > 0.05
    assert evaluation_noise(steps, values, before=800) == everywhere  # seven residuals
    assert evaluation_noise(steps, values, before=900) == 0.0  # eight


def test_a_fall_that_slows_down_never_accelerates() -> None:
    steps = log_spaced(4_000, 100)
    found = sharpest_break(steps, -first_fall(steps, 150.0), 300)
    assert found.strength < 1e-3
