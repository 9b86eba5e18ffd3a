from __future__ import annotations

from dataclasses import replace

import pytest

from hf_grok.dynamics import early_stopping_gap, grokking_delay, grokking_summary
from hf_grok.dynamics.curves import Crossing, Point
from hf_grok.errors import UserError
from tests.dynamics.tables import table

STEPS = [0, 100, 200, 400, 800, 1200, 1600]
SEEN = [0.25, 0.9, 0.99, 1.0, 1.0, 1.0, 1.0]


def swinging(**more: list[float]) -> object:
    return table(STEPS, seen=SEEN, unseen=[0.25, 0.5, 0.125, 0.0, 0.875, 1.0, 0.5], **more)


def test_every_number_of_a_swinging_run() -> None:
    summary = grokking_summary(swinging())
    assert summary.saturation == Crossing(0.99, 200, 100)
    assert summary.in_distribution_maximum == Point(400, 1.0)
    assert summary.crossings == (Crossing(0.8, 800, 400), Crossing(0.95, 1200, 800))
    assert summary.delay == 6.0
    assert summary.delay_interval == (4.0, 12.0)
    assert summary.maximum == Point(1200, 1.0)
    assert summary.final == Point(1600, 0.5)
    assert summary.last_quarter_mean == 0.75
    assert summary.last_quarter_range == (0.5, 1.0)
    assert summary.share_above == 0.5
    assert summary.total_variation == 0.25 + 0.375 + 0.125 + 0.875 + 0.125 + 0.5
    assert summary.lowest_after_saturation == Point(400, 0.0)
    assert summary.range_after_crossing == (0.5, 0.5)
    assert summary.hierarchical
    assert summary.adjacency_heuristic is None


def test_a_run_that_never_generalises() -> None:
    summary = grokking_summary(table(STEPS, seen=SEEN, unseen=[0.25] * 7))
    assert summary.crossings == (None, None)
    assert summary.delay is None
    assert summary.delay_interval is None
    assert summary.share_above is None
    assert summary.range_after_crossing is None
    assert not summary.hierarchical


def test_a_run_that_never_saturates_has_a_crossing_but_no_delay() -> None:
    evaluations = table(STEPS, seen=[0.5] * 7, unseen=[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    summary = grokking_summary(evaluations)
    assert summary.saturation is None
    assert summary.lowest_after_saturation is None
    assert summary.crossings[-1] == Crossing(0.95, 1600, 1200)
    assert summary.share_above is None  # nothing was evaluated after the crossing
    assert summary.delay is None


def test_the_adjacency_heuristic_is_no_hierarchy() -> None:
    evaluations = table(
        STEPS,
        seen=SEEN,
        unseen=[0.25] + [2 / 3] * 6,
        intransitive=[0.25] + [1.0] * 6,
        transitive=[0.25] + [1.0] * 6,
        objects=[0.25] + [0.0] * 6,
    )
    summary = grokking_summary(evaluations)
    assert summary.adjacency_heuristic
    assert not summary.hierarchical


@pytest.mark.parametrize(
    ("objects_late", "transitive_late", "expected"),
    [(0.0, 0.8, True), (0.2, 0.8, True), (0.3, 0.8, False), (0.0, 0.7, False), (1.0, 1.0, False)],
)
def test_what_counts_as_adjacency(
    objects_late: float, transitive_late: float, expected: bool
) -> None:
    evaluations = swinging(
        intransitive=[0.0] * 5 + [1.0, 1.0],
        transitive=[0.0] * 5 + [transitive_late] * 2,
        objects=[1.0] * 5 + [objects_late] * 2,
    )
    assert grokking_summary(evaluations).adjacency_heuristic is expected


@pytest.mark.parametrize(("at_crossing", "expected"), [(0.85, True), (0.75, False)])
def test_hierarchical_needs_object_relatives(at_crossing: float, expected: bool) -> None:
    objects = [0.0, 0.0, 0.0, 0.0, 0.9, at_crossing, 0.9]
    summary = grokking_summary(swinging(objects=objects))
    assert summary.hierarchical is expected
    assert summary.object_relatives_at_crossing == at_crossing


def test_object_relatives_may_lack_at_the_crossing() -> None:
    summary = grokking_summary(swinging(objects=[0.5] * 5 + [float("nan"), 0.5]))
    assert summary.object_relatives_at_crossing is None
    assert not summary.hierarchical


def test_the_delay_is_the_ratio_of_the_steps() -> None:
    assert grokking_delay(swinging()) == 1200 / 200
    assert grokking_delay(swinging(), threshold=0.8) == 800 / 200
    assert grokking_delay(swinging(), saturation=0.9, threshold=0.8) == 800 / 100
    assert grokking_delay(swinging(), saturation=0.2) is None  # saturated at step 0
    assert grokking_delay(table(STEPS, seen=SEEN, unseen=[0.0, 1.0] * 3 + [0.0])) == 0.5


def test_the_delay_is_open_upwards_where_saturation_may_have_come_at_once() -> None:
    evaluations = table([0, 100, 400], seen=[0.5, 1.0, 1.0], unseen=[0.0, 0.0, 1.0])
    assert grokking_summary(evaluations).delay_interval == (1.0, float("inf"))


def test_other_thresholds() -> None:
    summary = grokking_summary(swinging(), saturation=1.0, thresholds=(0.5,))
    assert summary.saturation == Crossing(1.0, 400, 200)
    assert summary.crossings == (Crossing(0.5, 100, 0),)
    assert summary.delay == 0.25


@pytest.mark.parametrize("thresholds", [(), (0.9, 0.8), (0.8, 0.8), (0.0,), (80.0, 95.0)])
def test_thresholds_are_increasing_accuracies(thresholds: tuple[float, ...]) -> None:
    with pytest.raises(UserError, match=r"expected accuracies in 0\.\.1"):
        grokking_summary(swinging(), thresholds=thresholds)


def test_a_percentage_is_no_accuracy() -> None:
    with pytest.raises(UserError, match=r"is 99 at step 200: expected an accuracy in 0\.\.1"):
        grokking_summary(table([100, 200], seen=[0.5, 99.0], unseen=[0.0, 0.0]))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(UserError, match=r"unknown column.*eval_generalization_accuracy"):
        grokking_summary(table([0], seen=[0.5]))
    with pytest.raises(UserError, match="eval_generalization_accuracy has no value at any of 1"):
        grokking_summary(table([0], seen=[0.5], unseen=[float("nan")]))


def test_steps_must_increase() -> None:
    with pytest.raises(UserError, match="must increase strictly"):
        grokking_summary(table([0, 10, 10], seen=[0.5] * 3, unseen=[0.5] * 3))


def test_evaluations_are_indexed_by_step() -> None:
    """Positions of rows and epochs would give wrong steps without a word."""
    evaluations = table([0, 100, 200], seen=[0.5, 1.0, 1.0], unseen=[0.1, 0.2, 1.0])
    assert grokking_summary(evaluations.assign(step=evaluations.index)).delay == 2.0
    assert grokking_summary(evaluations.astype(object)).delay == 2.0
    assert grokking_summary(evaluations.set_index(evaluations.index * 1.0)).delay == 2.0
    for wrong, told in (
        (evaluations.reset_index(), r'expected .*set_index\("step"\)'),
        (evaluations.set_index(evaluations.index / 80), r"indexed by \[0\.0, 1\.25, 2\.5\]"),
        (evaluations.set_index(evaluations.index.astype(str)), "which are whole numbers"),
        (evaluations.astype(str), "accuracy is '0.5' at step 0: expected a number"),
    ):
        for asked in (grokking_summary, grokking_delay, early_stopping_gap):
            with pytest.raises(UserError, match=told):
                asked(wrong)


def test_an_infinite_value_is_refused() -> None:
    with pytest.raises(UserError, match="not finite at step 10"):
        grokking_summary(table([0, 10], seen=[0.5, float("inf")], unseen=[0.5] * 2))


def test_a_summary_is_a_value() -> None:
    summary = grokking_summary(swinging())
    assert summary == replace(grokking_summary(swinging()))
