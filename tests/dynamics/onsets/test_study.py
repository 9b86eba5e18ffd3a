"""One metric, both rules, one seed or several."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from hf_grok.dynamics import MetricCurve, bootstrap_onset, default_window, find_onset
from hf_grok.dynamics.onsets.existence import ExistenceTest, NoOnset, Onset
from hf_grok.dynamics.onsets.find import RULES
from hf_grok.dynamics.onsets.study import MetricOnsets, OnsetSettings, study_metric, time_order
from hf_grok.errors import UserError
from hf_grok.metrics import Metric
from tests.dynamics.onsets.shapes import log_spaced, ramp

STEPS = log_spaced(4_000, 100)


def curve(metric: str, corner: float, model: str = "a", height: float = 0.5) -> MetricCurve:
    noise = np.random.default_rng(int(corner)).normal(0, 0.005, STEPS.size)
    return MetricCurve(metric, model, STEPS, ramp(STEPS, corner, 400, height) + noise)


def study(*curves: MetricCurve, **settings: object) -> MetricOnsets:
    return study_metric(curves, curves, OnsetSettings(**settings))


def test_one_seed_is_what_find_onset_says() -> None:
    one = curve("accuracy", 1_200)
    found = study(one)
    assert (found.direction, found.models) == ("rise", ("a",))
    assert found.window == default_window(STEPS)
    assert found.over_seeds == {}
    for rule in RULES:
        options = {"window": found.window, "rule": rule, "test": ExistenceTest(least=0.05)}
        assert found.single[rule] == (find_onset(STEPS, one.values, **options),)
        onset, interval = found.conclusion(rule)
        assert isinstance(onset, Onset)
        assert interval == onset.interval


def test_several_seeds_are_what_bootstrap_onset_says() -> None:
    curves = [curve("accuracy", corner, str(corner)) for corner in (1_000, 1_100, 1_400)]
    found = study(*curves, window=250, resamples=100, seed=2)
    pairs = [(one.steps, one.values) for one in curves]
    for rule in RULES:
        find = partial(find_onset, window=250, rule=rule, test=ExistenceTest(least=0.05))
        expected = bootstrap_onset(pairs, find, resamples=100, seed=2)
        assert found.over_seeds[rule] == expected
        assert len(found.single[rule]) == 3
        onset, interval = found.conclusion(rule)
        assert onset == expected.onset
        assert isinstance(onset, Onset)
        assert interval is not None
        assert expected.interval is not None
        assert interval[0] == min(onset.interval[0], expected.interval[0])
        assert interval[1] == max(onset.interval[1], expected.interval[1])


def test_a_loss_falls_unless_told_otherwise() -> None:
    falling = MetricCurve("eval_loss", "a", STEPS, 3.0 - ramp(STEPS, 1_200, 400))
    assert study(falling).single["acceleration"][0].exists
    assert study(falling).direction == "fall"
    told = study(falling, direction="rise")
    assert not told.single["acceleration"][0].exists


@pytest.mark.parametrize("metric", ["social_properties", "eval_weight_norm", "norm_l2", "gloss"])
def test_a_direction_that_nothing_declares_must_be_given(metric: str) -> None:
    falling = curve(metric, 1_200, height=-0.5)
    with pytest.raises(UserError, match=rf"{metric}: nothing says .* --direction {metric}=rise"):
        study(falling)
    assert study(falling, direction="fall").single["acceleration"][0].exists
    assert not study(falling, direction="rise").single["acceleration"][0].exists


def test_what_is_declared_of_a_foreign_metric_counts() -> None:
    share = Metric("shares of it", "share", 0.0, 1.0, higher_is_better=False)
    falling = curve("apart_share", 1_200, height=-0.04)
    assert study(falling, declared=share).direction == "fall"
    # The least move is a twentieth of what is to rise only.
    assert study(falling, declared=share).single["crossing"][0].exists


def test_what_is_declared_counts_whatever_the_curve_does() -> None:
    assert study(curve("accuracy", 1_200, height=-0.5)).direction == "rise"


def test_the_least_rise_is_a_twentieth_for_shares_only() -> None:
    for metric, exists in (("accuracy", False), ("norm", True)):
        small = MetricCurve(metric, "a", STEPS, ramp(STEPS, 1_200, 200, 0.04))
        assert study(small, direction="rise").single["acceleration"][0].exists == exists
        assert study(small, direction="rise", least=0.01).single["acceleration"][0].exists
        assert not study(small, direction="rise", least=0.05).single["acceleration"][0].exists


def test_the_baseline_may_be_another_metric() -> None:
    """Measured at steps of its own, and for each model."""
    coarse = np.arange(0.0, 4_001.0, 500.0)
    curves = [curve("uas", 1_000, model) for model in "ab"]
    levels = [
        MetricCurve("offset", model, coarse, np.full(coarse.size, level))
        for model, level in (("a", 0.1), ("b", 0.3))
    ]
    settings = OnsetSettings(baseline="offset", margin=0.05)
    found = study_metric(curves, [*curves, *levels], settings)
    assert [onset.step for onset in found.single["crossing"]] == [1_200, 1_300]
    mean = found.over_seeds["crossing"].onset
    assert isinstance(mean, Onset)
    assert mean.step in (1_200, 1_300)
    with pytest.raises(UserError, match="b has no offset, the baseline of uas"):
        study_metric(curves, [*curves, levels[0]], settings)


def test_order_in_time() -> None:
    late, early = study(curve("uas", 2_000)), study(curve("loss_of_b", 900), direction="rise")
    never = study(MetricCurve("flat", "a", STEPS, np.zeros(STEPS.size)), direction="rise")
    ordered = time_order([late, never, early], "acceleration")
    assert [metric for metric, _, _ in ordered] == ["loss_of_b", "uas"]
    onset, interval = never.conclusion("acceleration")
    assert isinstance(onset, NoOnset)
    assert interval is None


def test_an_error_names_metric_and_model() -> None:
    short = MetricCurve("uas", "seed 3", np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    with pytest.raises(UserError, match="uas of seed 3: an onset needs three evaluations"):
        study(short, window=1)
    with pytest.raises(UserError, match="uas of seed 3: a window of 0 does not fit"):
        study(curve("uas", 900, "seed 3"), window=0)
    few = MetricCurve("uas", "a", np.arange(5.0), np.arange(5.0))
    with pytest.raises(UserError, match="uas: 5 evaluations, up to 1 apart, are too few"):
        study(few)
