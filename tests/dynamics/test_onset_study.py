"""One metric, both rules, one seed or several."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from hf_grok.dynamics import MetricCurve, bootstrap_onset, default_window, find_onset
from hf_grok.dynamics.existence import ExistenceTest, NoOnset, Onset
from hf_grok.dynamics.metric_names import direction_of, is_share, standard_baseline
from hf_grok.dynamics.onset_study import MetricOnsets, OnsetSettings, study_metric, time_order
from hf_grok.dynamics.onsets import RULES
from hf_grok.errors import UserError
from hf_grok.probes import probe_class
from hf_grok.probes.registry import OURS
from tests.dynamics.shapes import log_spaced, ramp

STEPS = log_spaced(4_000, 100)


def curve(metric: str, corner: float, model: str = "a", height: float = 0.5) -> MetricCurve:
    noise = np.random.default_rng(int(corner)).normal(0, 0.005, STEPS.size)
    return MetricCurve(metric, model, STEPS, ramp(STEPS, corner, 400, height) + noise)


def study(*curves: MetricCurve, **settings: object) -> MetricOnsets:
    return study_metric(curves, curves, OnsetSettings(**settings))


@pytest.mark.parametrize(
    ("metric", "direction", "share"),
    [
        ("eval_loss", "fall", False),
        ("eval_class_loss_content", "fall", False),
        ("perplexity", "fall", False),
        ("eval_generalization_accuracy_rc_object", "rise", True),
        ("eval_in_distribution_exact_match", "rise", True),
        ("eval_uas_single_head", "rise", True),
        ("eval_tree_parseval", "rise", True),
        ("eval_tree_score", "rise", False),
        ("eval_pairs_accuracy", "rise", True),
        ("eval_weight_norm", None, False),
        ("social_properties_accuracy", "rise", True),
        ("eval_accuracy_of_ties", "rise", True),
        ("probabilities", None, False),
        ("gloss_f1", "rise", False),
        ("gloss", None, False),
        ("glossary_size", None, False),
        ("lossless_ratio", None, False),
        ("eval_floss", None, False),
        ("penalties", None, False),
        ("eval_pairs_ties", "fall", False),
        ("pairs_phenomenon_binding", "rise", True),
        ("eval_pairs_loss_of_agreement", "rise", True),  # a paradigm of that name
        ("eval_tree_right_branching", None, False),
        ("eval_uas_single_offset", None, False),
        ("eval_uas_relation_nsubj", "rise", True),
        ("train/loss", "fall", False),
        ("validation.logLoss", "fall", False),
        ("LM_Loss", "fall", False),
        ("word_error_rate", "fall", False),
        ("terror", None, False),
        ("negative_loss", None, False),
        ("loss_reduction", None, False),
        ("accuracy_minus_loss", None, False),
        ("quasi_periodic", None, False),
        ("balanced_accuracy", "rise", True),
        ("inaccuracy", None, False),
        ("value", None, False),
    ],
)
def test_what_a_name_says(metric: str, direction: str | None, share: bool) -> None:
    assert direction_of(metric) == direction
    assert is_share(metric) == share


def test_standard_baselines() -> None:
    there = {"eval_uas_single_offset", "uas_best_offset"}
    assert standard_baseline("eval_uas_single_head", there) == "eval_uas_single_offset"
    assert standard_baseline("uas_best_head", there) == "uas_best_offset"
    assert standard_baseline("eval_uas_best_head", there) is None
    assert standard_baseline("pairs_accuracy", ()) == 0.5
    assert standard_baseline("eval_loss", there) is None
    assert standard_baseline("anything", there) is None


def test_one_seed_is_what_find_onset_says() -> None:
    one = curve("accuracy", 1_200)
    found = study(one)
    assert (found.direction, found.assumed, found.models) == ("rise", False, ("a",))
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
    assert not told.assumed


def test_a_name_that_says_nothing_leaves_it_to_the_curve() -> None:
    found = study(curve("weight_norm", 1_200))
    assert (found.direction, found.assumed, found.shown) == ("rise", True, True)
    assert not study(curve("weight_norm", 1_200), direction="rise").assumed
    falling = curve("weight_norm", 1_200, height=-0.5)
    found = study(falling)
    assert (found.direction, found.assumed, found.shown) == ("fall", True, True)
    assert found.single["acceleration"][0].exists
    assert not study(falling, direction="rise").single["acceleration"][0].exists
    # What the name says counts, whatever the curve does.
    assert study(curve("accuracy", 1_200, height=-0.5)).direction == "rise"


@pytest.mark.parametrize("seed", range(5))
def test_a_curve_that_ends_where_it_began_shows_no_direction(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 1, STEPS.size)
    bump = 20 * (np.abs(STEPS - 2_000) < 500)
    found = study(MetricCurve("norm", "a", STEPS, noise + bump))
    assert (found.direction, found.assumed, found.shown) == ("rise", True, False)


def test_our_own_numbers_move_as_their_probes_declare() -> None:
    """Sparsity apart: its probe declares no direction, and what is looked for is that it grows."""
    seen = 0
    for name in OURS:
        for template, metric in probe_class(name).metrics.items():
            if not template.startswith("sparsity"):
                said = {True: "rise", False: "fall", None: None}[metric.higher_is_better]
                filled = template.replace("{}", "loss_of_ties")
                assert direction_of(f"eval_{filled}") == direction_of(filled) == said, template
                seen += 1
    assert seen > 30


def test_the_least_rise_is_a_twentieth_for_shares_only() -> None:
    for metric, exists in (("accuracy", False), ("norm", True)):
        small = MetricCurve(metric, "a", STEPS, ramp(STEPS, 1_200, 200, 0.04))
        assert study(small).single["acceleration"][0].exists == exists
        assert study(small, least=0.01).single["acceleration"][0].exists
        assert not study(small, least=0.05).single["acceleration"][0].exists


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
    never = study(MetricCurve("flat", "a", STEPS, np.zeros(STEPS.size)))
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
