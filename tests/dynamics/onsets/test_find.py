"""Onsets of curves with known breaks, and none where there is nothing."""

from __future__ import annotations

import numpy as np
import pytest

from hf_grok.dynamics import ExistenceTest, NoOnset, Onset, default_window, find_onset
from hf_grok.dynamics.onsets.find import RULES
from hf_grok.errors import UserError
from tests.dynamics.onsets.shapes import (
    Curve,
    correlated,
    first_fall,
    log_spaced,
    ramp,
    structural_loss,
)

STEPS = log_spaced(4_000, 100)


def onset(steps: Curve, values: Curve, **options: object) -> Onset:
    found = find_onset(steps, values, **options)
    assert isinstance(found, Onset), found
    return found


def reason(steps: Curve, values: Curve, **options: object) -> str:
    found = find_onset(steps, values, **options)
    assert isinstance(found, NoOnset), found
    assert not found.exists
    return found.reason


# --- the rule of acceleration


def test_a_corner_and_what_is_said_of_it() -> None:
    found = onset(STEPS, ramp(STEPS, 1_200, 500), window=300)
    assert found.exists
    assert found.step == 1_200
    assert found.interval == (1_100, 1_300)
    assert found.rise == pytest.approx(0.6)
    assert found.needed == pytest.approx(0.1)


@pytest.mark.parametrize("corner", [1_200, 1_234, 2_950])
def test_a_corner_between_two_evaluations_is_inside_the_interval(corner: int) -> None:
    found = onset(STEPS, ramp(STEPS, corner, 500), window=300)
    assert abs(found.step - corner) <= 100
    assert found.interval[0] <= corner <= found.interval[1]
    assert found.interval[1] - found.interval[0] >= 200


@pytest.mark.parametrize("seed", range(40))
def test_the_interval_reaches_the_evaluations_around_the_onset(seed: int) -> None:
    random = np.random.default_rng(seed)
    steps = np.sort(random.choice(4_000, 40, replace=False)).astype(float)
    corner = float(random.uniform(1_000, 2_500))
    values = ramp(steps, corner, 600) + random.normal(0, 0.005, 40)
    found = onset(steps, values, window=400)
    assert found.interval[0] <= steps[steps < found.step].max()
    assert found.interval[1] >= steps[steps > found.step].min()


@pytest.mark.parametrize("noise", [0.005, 0.02])
def test_the_interval_covers_a_noisy_corner(noise: float) -> None:
    covered = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        values = ramp(STEPS, 1_200, 400, 0.6) + random.normal(0, noise, STEPS.size)
        found = onset(STEPS, values, window=300)
        covered += found.interval[0] <= 1_200 <= found.interval[1]
    assert covered >= 57


def test_the_interval_of_a_jump_covers_where_the_window_cannot_tell() -> None:
    random = np.random.default_rng(0)
    values = 0.6 * (STEPS > 1_200) + random.normal(0, 0.01, STEPS.size)
    found = onset(STEPS, values, window=600)
    assert found.interval[0] <= 800
    assert found.interval[1] >= 1_200


def test_falling_is_rising_upside_down() -> None:
    random = np.random.default_rng(0)
    values = ramp(STEPS, 1_500, 500) + random.normal(0, 0.01, STEPS.size)
    for rule in RULES:
        rising = find_onset(STEPS, values, window=300, rule=rule)
        assert find_onset(STEPS, -values, window=300, rule=rule, direction="fall") == rising
    assert not find_onset(STEPS, -values, window=300).exists


def test_units_do_not_matter() -> None:
    random = np.random.default_rng(0)
    values = ramp(STEPS, 1_500, 500) + random.normal(0, 0.01, STEPS.size)
    plain = onset(STEPS, values, window=300)
    scaled = onset(STEPS * 512, 7.0 + 100.0 * values, window=300 * 512)
    assert scaled.step == plain.step * 512
    assert scaled.interval == tuple(512 * end for end in plain.interval)
    assert scaled.rise == pytest.approx(100 * plain.rise)


# --- what exists and what does not


def test_a_flat_curve_has_no_onset() -> None:
    for rule in RULES:
        said = reason(STEPS, np.full(STEPS.size, 0.25), window=300, rule=rule)
        assert said == f"flat: 0.25 at all {STEPS.size} evaluations"


@pytest.mark.parametrize("slope", [1e-4, -1e-4])
def test_a_straight_line_has_no_onset(slope: float) -> None:
    assert "sharpest break" in reason(STEPS, slope * STEPS, window=300)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("evaluations", [30, 80, 200])
def test_noise_has_no_onset(rule: str, evaluations: int) -> None:
    steps = np.arange(0.0, 100.0 * evaluations, 100.0)
    window = default_window(steps)
    found = 0
    for seed in range(150):
        values = np.random.default_rng(seed).normal(size=evaluations)
        found += find_onset(steps, values, window=window, rule=rule).exists
    assert found <= 2


@pytest.mark.parametrize("memory", [0.8, 0.95, 1.0])
def test_a_curve_that_wanders_has_hardly_ever_an_onset(memory: float) -> None:
    steps = np.arange(0.0, 8_000.0, 100.0)
    found = 0
    for seed in range(150):
        random = np.random.default_rng(seed)
        values = correlated(80, memory, random) if memory < 1 else random.normal(size=80).cumsum()
        found += find_onset(steps, values, window=400).exists
    assert found <= 7


def test_noise_of_rare_flips_has_no_onset() -> None:
    for seed in range(50):
        flips = np.random.default_rng(seed).random(STEPS.size) < 0.15
        assert not find_onset(STEPS, 0.002 * flips, window=300).exists


@pytest.mark.parametrize("noise", [0.0, 0.02])
@pytest.mark.parametrize("scale", [50.0, 150.0, 400.0])
@pytest.mark.parametrize("rule", RULES)
def test_a_loss_that_only_falls_to_the_unigram_level_has_no_onset(
    rule: str, scale: float, noise: float
) -> None:
    for seed in range(20):
        values = first_fall(STEPS, scale)
        values += np.random.default_rng(seed).normal(0, noise, STEPS.size)
        assert not find_onset(STEPS, values, window=300, direction="fall", rule=rule).exists


def test_a_curve_that_is_still_moving_has_no_baseline_of_its_own() -> None:
    options = {"window": 300, "direction": "fall", "rule": "crossing"}
    said = reason(STEPS, first_fall(STEPS, 400.0), **options)
    assert said == (
        "no baseline: it moves by 0.31 in the second half of the first window, to 300, more than "
        "the margin of 0.14; give a baseline, or a longer window"
    )
    assert onset(STEPS, first_fall(STEPS, 400.0), baseline=5.4, margin=0.1, **options).step == 700


def test_the_reason_tells_of_a_first_window_that_hides_a_rise() -> None:
    values = ramp(STEPS, 100, 150)
    said = reason(STEPS, values, window=300)
    assert said.startswith("100 % of its range lies in the first window, to 300, where only a ")
    assert find_onset(STEPS, values, window=100).exists


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_a_structural_fall_after_the_first_one_is_found(noise: float) -> None:
    random = np.random.default_rng(0)
    values = structural_loss(STEPS, 600) + random.normal(0, noise, STEPS.size)
    found = onset(STEPS, values, window=300, direction="fall")
    assert found.step == 600
    crossed = onset(STEPS, values, window=300, direction="fall", rule="crossing")
    assert crossed.interval == (600, 700)


def test_a_window_that_reaches_into_the_first_fall_hides_the_second() -> None:
    """The steep part before t cancels the fall after it; a known baseline does not mind."""
    values = structural_loss(STEPS, 500, scale=200.0)
    assert onset(STEPS, values, window=200, direction="fall").step == 500
    assert "first window" in reason(STEPS, values, window=600, direction="fall")
    options = {"window": 600, "direction": "fall", "rule": "crossing"}
    assert onset(STEPS, values, baseline=5.0, margin=0.1, **options).step == 600


def test_a_floored_run_is_floored_by_the_least_rise_and_by_its_baseline() -> None:
    """Suppressed attention: .05 to .09, cleanly, while offsets alone give .28."""
    random = np.random.default_rng(0)
    values = 0.05 + ramp(STEPS, 2_000, 300, 0.04) + random.normal(0, 0.001, STEPS.size)
    assert find_onset(STEPS, values, window=300).exists
    said = reason(STEPS, values, window=300, test=ExistenceTest(least=0.05))
    assert "less than 0.05 (the least that counts)" in said
    said = reason(STEPS, values, window=300, rule="crossing", baseline=0.28, margin=0.03)
    assert said.startswith("never 0.03 beyond its baseline: at most 0.19 short of it, at ")


def test_the_end_of_a_fall_is_no_onset_of_a_rise() -> None:
    values = 1.0 - ramp(STEPS, 1_000, 500) + ramp(STEPS, 3_000, 4_000)
    said = reason(STEPS, values, window=300)
    assert said.startswith("its sharpest break, at 1,500, is where it stops falling")
    assert "stops rising" in reason(STEPS, -values, window=300, direction="fall")


def test_swings_after_an_onset_are_not_the_noise_before_it() -> None:
    random = np.random.default_rng(0)
    swings = np.where(STEPS > 1_500, random.uniform(-0.4, 0.0, STEPS.size), 0.0)
    found = onset(STEPS, ramp(STEPS, 1_200, 200) + swings, window=300)
    assert found.step in (1_100, 1_200)
    assert found.needed < 0.2


def test_a_noisy_first_window_hides_nothing() -> None:
    """It holds most of the range, as any few evaluations of noise may."""
    values = np.random.default_rng(1).normal(size=STEPS.size)
    values[0], values[STEPS.tolist().index(300)] = -1.6, 1.6
    assert np.ptp(values) < 2 * 3.2
    assert "first window" not in reason(STEPS, values, window=300)


def test_a_curve_that_swings_has_no_single_onset() -> None:
    once = ramp(STEPS, 1_000, 300)
    twice = once - ramp(STEPS, 1_800, 300, 0.8) + ramp(STEPS, 2_700, 300, 0.8)
    said = reason(STEPS, twice, window=300)
    assert "0.8 from 2,700 on and by 1 from 1,000 on: it swings" in said
    assert onset(STEPS, twice, window=300, test=ExistenceTest(rival=0.9)).step == 1_000
    smaller = once - ramp(STEPS, 1_800, 300, 0.3) + ramp(STEPS, 2_700, 300, 0.3)
    assert onset(STEPS, smaller, window=300).step == 1_000


@pytest.mark.parametrize(
    ("test", "told"),
    [
        (ExistenceTest(least=0.7), "less than 0.7 (the least that counts)"),
        (ExistenceTest(share=0.65), "less than 0.66 (65 % of the range)"),
        (ExistenceTest(noise=1_000), "1000 times the noise of one evaluation"),
    ],
)
def test_each_part_of_the_test_decides(test: ExistenceTest, told: str) -> None:
    random = np.random.default_rng(0)
    values = ramp(STEPS, 1_200, 500) + random.normal(0, 0.003, STEPS.size)
    assert find_onset(STEPS, values, window=300).exists
    assert told in reason(STEPS, values, window=300, test=test)


def test_the_first_fall_sets_no_scale_for_later_ones() -> None:
    """A twentieth of the whole fall, but a clear one once the start is over."""
    values = first_fall(STEPS, 60.0) - ramp(STEPS, 2_000, 300, 0.1)
    assert onset(STEPS, values, window=300, direction="fall").step == 2_000


# --- the rule of crossing


def crossed_by_hand(
    values: list[float], level: list[float], margin: float, hold: int
) -> int | None:
    """The first position from which `hold` evaluations are clear of the level."""
    run = 0
    for position, (value, below) in enumerate(zip(values, level, strict=True)):
        run = run + 1 if value >= below + margin else 0
        if run == hold:
            return position - hold + 1
    return None


@pytest.mark.parametrize("seed", range(60))
def test_crossing_equals_counting(seed: int) -> None:
    random = np.random.default_rng(seed)
    steps = np.sort(random.choice(500, 20, replace=False)).astype(float)
    values, level = random.integers(0, 9, 20) / 8, random.integers(1, 5, 20) / 8
    hold, margin = int(random.integers(1, 4)), 0.25
    expected = crossed_by_hand(values.tolist(), level.tolist(), margin, hold)
    found = find_onset(
        steps, values, window=5, rule="crossing", baseline=level, margin=margin, hold=hold
    )
    if expected is None or expected == 0:
        assert not found.exists
    else:
        assert isinstance(found, Onset)
        assert found.interval == (steps[expected - 1], steps[expected])
        assert found.step == steps[expected]
        assert found.rise == pytest.approx(values[expected] - level[expected])


def test_by_default_the_baseline_is_the_best_of_the_first_window() -> None:
    steps = np.arange(0.0, 1_001.0, 100.0)
    values = np.array([0.0, 0.3, 0.1, 0.2, 0.35, 0.2, 0.6, 0.7, 0.8, 0.9, 1.0])
    found = onset(steps, values, window=200, rule="crossing", margin=0.2)
    assert (found.step, found.interval) == (600, (500, 600))
    assert found.rise == pytest.approx(0.3)
    said = reason(steps, values, window=200, rule="crossing", margin=0.8)
    assert said == "never 0.8 beyond its best up to 200: at most 0.7 beyond it, at 1,000"


def test_by_default_the_margin_is_the_least_rise_that_counts() -> None:
    random = np.random.default_rng(0)
    noisy = ramp(STEPS, 1_200, 2_000) + random.normal(0, 0.1, STEPS.size)
    for test, needed in (
        (ExistenceTest(), None),
        (ExistenceTest(least=0.6), 0.6),
        (ExistenceTest(share=0.5), 0.5 * np.ptp(noisy)),
    ):
        found = onset(STEPS, noisy, window=300, rule="crossing", baseline=0.0, test=test)
        if needed is not None:
            assert found.needed == pytest.approx(needed)
        else:
            assert found.needed > 0.2  # three deviations of about .1


def test_a_crossing_must_hold() -> None:
    steps = np.arange(0.0, 701.0, 100.0)
    values = np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    options = {"window": 100, "rule": "crossing", "baseline": 0.0, "margin": 0.5}
    assert onset(steps, values, hold=1, **options).step == 200
    said = reason(steps, values, hold=2, **options)
    assert said == "0.5 beyond its baseline, but never 2 evaluations in a row"


def test_what_is_there_from_the_start_has_no_onset() -> None:
    said = reason(STEPS, np.ones(STEPS.size), window=300, rule="crossing", baseline=0.5, margin=0.1)
    assert said == "there from the first evaluation on: its onset is before 0"


# --- windows and mistakes


def test_the_default_window_is_a_twentieth_or_three_spacings() -> None:
    assert default_window(np.arange(0, 100_001, 100)) == 5_000
    assert default_window(log_spaced(4_000, 100)) == 300
    assert default_window(np.arange(0, 91, 1)) == 5  # 4.5, rounded up
    assert default_window(np.linspace(0, 0.9, 10)) == pytest.approx(0.3)


@pytest.mark.parametrize("steps", [[0, 100, 200], [5], []])
def test_too_few_evaluations_for_a_default_window(steps: list[int]) -> None:
    with pytest.raises(UserError, match="are too few for an onset: expected six spacings"):
        default_window(steps)


def test_a_window_of_more_than_half_of_the_run_is_refused() -> None:
    values = structural_loss(STEPS, 600)
    find_onset(STEPS, values, window=2_000, direction="fall")
    with pytest.raises(UserError, match=r"the evaluations go from 0 to 4,000; the largest .*2,000"):
        find_onset(STEPS, values, window=2_001, direction="fall")


@pytest.mark.parametrize("window", [0, -1, float("nan"), float("inf")])
def test_a_window_that_is_none(window: float) -> None:
    with pytest.raises(UserError, match="the largest window is 2,000"):
        find_onset(STEPS, STEPS, window=window)


@pytest.mark.parametrize(
    ("steps", "values", "options", "told"),
    [
        ([0, 1], [0, 1], {}, "three evaluations at least, got 2"),
        ([0, 1, 2], [0, 1], {}, r"steps of shape \(3,\) and values of shape \(2,\)"),
        ([0, 1, 2], [0, float("nan"), 1], {}, "must be finite"),
        ([0, 2, 2], [0, 1, 1], {}, "increase strictly, but 2 follows 2"),
        ([0, 1, 2], [0, 1, 1], {"direction": "up"}, "unknown direction 'up': .*fall, rise"),
        ([0, 1, 2], [0, 1, 1], {"rule": "break"}, "unknown rule 'break': .*acceleration"),
        ([0, 1, 2], [0, 1, 1], {"hold": 0}, "hold 0, margin None: expected at least 1"),
        ([0, 1, 2], [0, 1, 1], {"margin": float("nan")}, "margin nan: expected"),
        ([0, 1, 2], [0, 1, 1], {"rule": "crossing", "baseline": [1, 2]}, r"of shape \(2,\)"),
        ([0, 1, 2], [0, 1, 1], {"rule": "crossing", "baseline": float("nan")}, "finite number"),
    ],
)
def test_what_is_no_curve_or_no_choice(
    steps: list[float], values: list[float], options: dict[str, object], told: str
) -> None:
    with pytest.raises(UserError, match=told):
        find_onset(steps, values, window=1, **options)


@pytest.mark.parametrize("part", ["least", "share", "noise", "rival"])
@pytest.mark.parametrize("value", [-0.1, float("nan")])
def test_an_existence_test_has_no_negative_part(part: str, value: float) -> None:
    with pytest.raises(UserError, match="expected numbers, none below 0"):
        ExistenceTest(**{part: value})
