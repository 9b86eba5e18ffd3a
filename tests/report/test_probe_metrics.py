"""Which numbers share a panel, under which title, over which baselines."""

from __future__ import annotations

import pytest

from hf_grok.metrics import PROBES, Level, Metric, measure_of
from hf_grok.report.probe_metrics import families, paradigms


def test_every_probe_has_a_panel_and_every_panel_a_title_of_its_own() -> None:
    columns = [f"eval_{name}" for own in PROBES.values() for name in own if "{}" not in name]
    panels = families(reversed(columns))  # their order is that of the definitions
    drawn = {measure.name for family in panels for measure in family.measures}
    for probe, own in PROBES.items():
        assert drawn & own.keys(), probe
    titles = [family.title for family in panels]
    assert len(set(titles)) == len(titles) == 15
    assert titles[0] == "UAS, best head of each relation"


def test_what_was_not_measured_is_not_drawn_and_a_runs_own_numbers_have_figures_elsewhere() -> None:
    columns = ["eval_loss", "eval_generalization_accuracy", "eval_class_loss_function", "eval_x"]
    (family,) = families(columns)
    assert [measure.column for measure in family.measures] == ["eval_class_loss_function"]


@pytest.mark.parametrize(
    ("column", "baselines"),
    [
        ("eval_uas_relation_nsubj", [("uas relation offset nsubj", "uas_relation_offset_nsubj")]),
        ("eval_pairs_accuracy", [("chance", 0.5)]),
        ("eval_pairs_binding", [("chance", 0.5)]),
        ("eval_tree_score", [("random splits", 0.0)]),
        ("eval_class_loss_content", [("all", "class_loss_all")]),
        (
            "eval_tree_parseval",
            [
                ("right-branching", "tree_right_branching"),
                ("left-branching", "tree_left_branching"),
                ("random", "tree_random"),
            ],
        ),
    ],
)
def test_baselines_are_metrics_or_levels(column: str, baselines: list) -> None:
    found = measure_of(column).baselines
    told = [(one.label, one.column.removeprefix("eval_") or one.value) for one in found]
    assert told == baselines


def test_a_recorded_headline_has_a_panel_of_its_own() -> None:
    recorded = {
        "my_depth": Metric("depth of it", "levels", headline=True, baseline=Level("none", 0.0)),
        "my_depth_{}": Metric("depth of a part", "levels"),
        "my_share": Metric("share of it", "share", 0.0, 1.0, True, title="my share", headline=True),
    }
    panels = families(["eval_my_depth_a", "eval_my_share", "eval_my_depth"], recorded)
    assert [family.title for family in panels] == ["My depth (levels)", "My share"]  # as declared
    depth, share = panels
    assert (share.headline, depth.headline) == (True, False)  # neither direction of it is better
    assert [(one.label, one.value) for one in depth.measures[0].baselines] == [("none", 0.0)]
    assert (share.say(0.998), depth.say(96.54)) == (".998", "96.5")


def test_paradigms_are_the_pairs_that_are_no_summary() -> None:
    columns = ["pairs_accuracy", "pairs_ties", "pairs_phenomenon_binding", "uas_arcs", "pairs_x_y"]
    found = paradigms(f"eval_{one}" for one in columns)
    assert [(one.column, one.title) for one in found] == [("eval_pairs_x_y", "x y")]
