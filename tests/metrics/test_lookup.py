"""What is known of a column by its name, and what is not."""

from __future__ import annotations

import pytest

from hf_grok.metrics import (
    PROBES,
    RUN,
    Metric,
    direction_of,
    find_measure,
    headlines,
    known_measures,
    measure_of,
    owner_of,
)
from hf_grok.probes import probe_class, registry


@pytest.mark.parametrize(
    ("column", "direction", "share"),
    [
        ("eval_loss", "fall", False),
        ("eval_class_loss_content", "fall", False),
        ("eval_generalization_accuracy_rc_object", "rise", True),
        ("eval_in_distribution_exact_match", "rise", True),
        ("eval_uas_single_head", "rise", True),
        ("uas_single_head", "rise", True),
        ("eval_tree_score", "rise", False),
        ("eval_sparsity_normalised", "rise", False),
        ("eval_pairs_ties", "fall", True),
        ("eval_pairs_loss_of_agreement", "rise", True),  # a paradigm of that name
        ("eval_tree_right_branching", None, True),
        ("eval_uas_single_offset", None, True),
        ("eval_uas_relation_nsubj", "rise", True),
        # Of any Trainer, by the whole name.
        ("perplexity", "fall", False),
        ("eval_perplexity", "fall", False),
        ("train/loss", "fall", False),
        ("test_accuracy", "rise", True),
        ("eval_f1", "rise", False),
        ("eval_wikitext_loss", "fall", False),
        ("eval_social_properties_accuracy", "rise", True),
        ("eval/penn/perplexity", "fall", False),
        ("word_error_rate", "fall", False),
    ],
)
def test_what_is_declared(column: str, direction: str | None, share: bool) -> None:
    metric = measure_of(column).metric
    assert (metric.direction, metric.is_share) == (direction, share)
    assert direction_of(column) == direction


@pytest.mark.parametrize(
    "column",
    [
        "social_properties", "eval_social_properties", "gloss", "eval_floss", "glossary_size",
        "eval_lossless_ratio", "penalties", "negative_loss", "eval_negative_loss", "loss_reduction",
        "eval_loss_reduction", "eval_accuracy_minus_loss", "eval_accuracy_of_ties", "gloss_f1",
        "inaccuracy", "quasi_periodic", "value", "eval_weight_norm_of_ties", "eval_", "eval_uas_",
    ],
)  # fmt: skip
def test_no_direction_is_read_off_the_letters_of_a_name(column: str) -> None:
    assert direction_of(column) is None


@pytest.mark.parametrize("name", registry.OURS)
def test_probes_declare_what_the_table_says(name: str) -> None:
    kind = probe_class(name)
    assert kind.metrics is PROBES[kind.name]
    for template in kind.metrics:
        filled = template.replace("{}", "anything")
        for column in (f"eval_{filled}", filled):
            assert measure_of(column).metric is kind.metrics[template]


def test_baselines_follow_the_name_of_the_column() -> None:
    def level(column: str) -> str | float | None:
        baseline = measure_of(column).baseline
        return baseline and (baseline.column or baseline.value)

    assert level("eval_uas_relation_nsubj") == "eval_uas_relation_offset_nsubj"
    assert level("uas_relation_nsubj") == "uas_relation_offset_nsubj"
    assert level("eval_pairs_accuracy") == 0.5
    assert level("eval_loss") is level("eval_tree_score") is level("eval_accuracy") is None
    assert find_measure("anything") is None


def test_every_baseline_is_a_number_of_the_same_probe() -> None:
    for own in PROBES.values():
        for name, metric in own.items():
            beside = (metric.baseline, *metric.beside)
            assert {one for one in beside if isinstance(one, str)} <= own.keys(), name


def test_what_a_headline_must_beat_is_there() -> None:
    there = {"eval_uas_single_offset", "uas_best_offset", "eval_class_loss_all"}
    assert measure_of("eval_uas_single_head").to_beat(there) == "eval_uas_single_offset"
    assert measure_of("uas_best_head").to_beat(there) == "uas_best_offset"
    assert measure_of("eval_uas_best_head").to_beat(there) is None
    assert measure_of("pairs_accuracy").to_beat(()) == 0.5
    for column in ("eval_loss", "eval_class_loss_content", "eval_tree_score"):
        assert measure_of(column).to_beat(there) is None


def test_headlines_are_in_the_order_of_the_table() -> None:
    columns = ["eval_pairs_accuracy", "eval_pairs_ties", "loss", "eval_uas_best_head", "eval_loss"]
    main = [one.column for one in headlines(columns)]
    assert main == ["eval_loss", "eval_uas_best_head", "eval_pairs_accuracy"]
    known = [one.column for one in known_measures(["eval_x", "eval_accuracy", *columns])]
    assert known == [*main, "eval_pairs_ties", "eval_accuracy"]
    recorded = {one: Metric("a number", "share", headline=True) for one in ("loss", "zeta", "beta")}
    columns = ["eval_beta", "eval_zeta", "eval_accuracy", "eval_uas_best_head", "eval_loss"]
    known = [one.column for one in known_measures(columns, recorded)]
    assert known[:2] == ["eval_loss", "eval_uas_best_head"]
    assert known[2:] == ["eval_zeta", "eval_beta", "eval_accuracy"]  # as declared, then the rest


def test_titles_are_declared_or_the_name() -> None:
    titles = {
        "eval_uas_best_head": "UAS, best heads",
        "eval_pairs_npi_scope": "npi scope",
        "eval_uas_relation_nsubj": "uas relation nsubj",
        "eval_f1": "f1",
    }
    assert {column: measure_of(column).title for column in titles} == titles


def test_what_a_run_recorded_is_known_and_changes_none_of_ours() -> None:
    own = Metric("size of it", "parts", higher_is_better=False, headline=True)
    recorded = {"my_size": own, "my_size_{}": own, "uas_best_head": own}
    assert measure_of("eval_my_size", recorded).metric is own
    assert direction_of("eval_my_size_a", recorded) == "fall"
    assert direction_of("eval_my_size") is None
    assert direction_of("eval_uas_best_head", recorded) == "rise"


def test_ranges_hold_what_is_declared_a_share() -> None:
    for name, metric in {
        **RUN,
        **{k: m for own in PROBES.values() for k, m in own.items()},
    }.items():
        assert metric.lowest is None or metric.highest is None or metric.lowest < metric.highest, (
            name
        )
        assert not (metric.headline and metric.direction is None), name


@pytest.mark.parametrize(
    ("column", "owner"),
    [
        ("eval_uas_best_head", "uas"),
        ("eval_uas_relation_nsubj", "uas"),
        ("eval_uas_gum_best_head", "uas_gum"),
        ("eval_uas_held_out_best_head", "uas_held_out"),
        ("eval_uas_held_out_relation_nsubj", "uas_held_out"),
        ("eval_tree_novels_parseval", "tree_novels"),
        ("eval_uasgum_best_head", "eval_uasgum_best_head"),
        ("eval_uas_gum_nothing", "eval_uas_gum_nothing"),
        ("eval_loss", "eval_loss"),
    ],
)
def test_a_probe_owns_its_numbers_under_a_name_that_goes_on(column: str, owner: str) -> None:
    assert owner_of(column) == owner
