"""What must be found in curves whose onset is known, and what must not in curves without one."""

from __future__ import annotations

import numpy as np
import pytest

from hf_grok.dynamics import ExistenceTest, NoOnset, Onset, default_window, find_onset
from hf_grok.dynamics.onsets.existence import amount, differing
from tests.dynamics.onsets.shapes import Curve

STEPS = np.arange(0.0, 4_001.0, 100.0)
WINDOW = default_window(STEPS)
# A sigmoid bends most at centre - log(2 + sqrt(3)) * width.
BEND = float(np.log(2.0 + np.sqrt(3.0)))


def sigmoid(centre: float, width: float) -> Curve:
    return 1.0 / (1.0 + np.exp(np.clip((centre - STEPS) / width, -500.0, 500.0)))


def noise(deviation: float, seed: int) -> Curve:
    return deviation * np.random.default_rng(seed).normal(size=STEPS.size)


@pytest.mark.parametrize("direction", ["rise", "fall"])
@pytest.mark.parametrize("deviation", [0.0, 0.002, 0.01])
@pytest.mark.parametrize("width", [1.0, 10.0, 30.0, 60.0, 100.0, 150.0, 200.0, 250.0])
@pytest.mark.parametrize("centre", [1_400.0, 2_000.0, 2_750.0])
def test_a_sigmoid_is_found_from_a_step_to_a_sixteenth_of_the_run(
    centre: float, width: float, deviation: float, direction: str
) -> None:
    """Where it bends most lies in the interval, which is the wider the slower it rises."""
    sign = 1.0 if direction == "rise" else -1.0
    values = sign * (sigmoid(centre, width) + noise(deviation, int(width)))
    found = find_onset(STEPS, values, window=WINDOW, direction=direction)
    assert isinstance(found, Onset), found
    low, high = found.interval
    assert low <= centre - BEND * width <= high + 100
    assert high <= centre + 100
    if width == 250.0:
        assert high - low >= 400


@pytest.mark.parametrize("width", [400.0, 600.0, 800.0, 1_000.0])
def test_what_is_slower_than_the_window_is_refused_for_that_reason(width: float) -> None:
    found = find_onset(STEPS, sigmoid(2_000.0, width), window=WINDOW)
    assert isinstance(found, NoOnset)
    assert "swings" not in found.reason
    assert "more than before, less than" in found.reason
    longer = find_onset(STEPS, sigmoid(2_000.0, width), window=1_200)
    assert isinstance(longer, Onset)
    assert "more slowly than this window sees" in found.reason


@pytest.mark.parametrize("plateau", [600, 1_200])
@pytest.mark.parametrize("second", [0.6, 0.9])
def test_two_steps_with_a_plateau_between_have_no_single_onset(second: float, plateau: int) -> None:
    values = sigmoid(1_000.0, 30.0) + second * sigmoid(1_000.0 + plateau, 30.0)
    found = find_onset(STEPS, values, window=WINDOW)
    assert isinstance(found, NoOnset)
    assert "it swings, or has several onsets" in found.reason


@pytest.mark.parametrize(
    "values",
    [
        0.3 + 0.0 * STEPS,
        STEPS / 4_000.0,
        -STEPS / 4_000.0,
        np.exp(-STEPS / 300.0),
        1.0 - np.exp(-STEPS / 100.0),
        np.sin(STEPS / 300.0),
    ],
    ids=["flat", "line up", "line down", "decay", "saturation", "waves"],
)
def test_a_curve_without_an_onset_has_none(values: Curve) -> None:
    assert isinstance(find_onset(STEPS, values, window=WINDOW), NoOnset)


def test_pure_noise_has_none() -> None:
    found = [find_onset(STEPS, noise(1.0, seed), window=WINDOW) for seed in range(300)]
    assert sum(one.exists for one in found) <= 1


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (0.0149, 0.0152, ("0.0149", "0.0152")),
        (0.0150001, 0.0149999, ("0.0150001", "0.0149999")),
        (0.1, 0.5, ("0.1", "0.5")),
        (0.2, 0.2, ("0.2", "0.2")),
        (1_234.1, 1_234.2, ("1,234.1", "1,234.2")),
        (1.0, 1.0 + 2.0**-52, ("1.0", "1.0000000000000002")),
    ],
)
def test_two_amounts_are_told_apart(one: float, other: float, told: tuple[str, str]) -> None:
    assert differing(one, other) == told


def test_a_rise_just_short_of_what_is_needed_does_not_seem_to_reach_it() -> None:
    """Both numbers in full where two digits would be the same."""
    needed = 0.0152
    values = np.where(STEPS > 2_000, 0.0149, 0.0)
    found = find_onset(STEPS, values, window=WINDOW, test=ExistenceTest(least=needed))
    assert isinstance(found, NoOnset)
    assert "by 0.0149" in found.reason
    assert "less than 0.0152" in found.reason
    assert amount(0.0149) == amount(needed)
