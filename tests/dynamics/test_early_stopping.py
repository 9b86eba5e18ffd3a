from __future__ import annotations

import numpy as np
import pytest

from hf_grok.dynamics import early_stopping_gap
from hf_grok.dynamics.curves import Point
from hf_grok.dynamics.early_stopping import patience_window, stopping_position
from hf_grok.errors import UserError
from tests.dynamics.tables import table


def kept_by_a_callback(values: list[float], patience: int) -> int | None:
    """What a trainer that counts evaluations since the last improvement keeps."""
    best, kept, waited = -float("inf"), 0, 0
    for position, value in enumerate(values):
        if value > best:
            best, kept, waited = value, position, 0
        else:
            waited += 1
        if waited >= patience:
            return kept
    return None


@pytest.mark.parametrize("seed", range(40))
def test_equals_counting_evaluations_where_they_are_evenly_spaced(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = np.minimum(1.0, np.linspace(0, 1.2, 30) + random.normal(0, 0.3, 30)).round(2)
    patience = int(random.integers(1, 8))
    steps = np.arange(30) * 50
    expected = kept_by_a_callback(values.tolist(), patience)
    assert stopping_position(steps, values, patience_window(steps, patience)) == expected


def test_patience_is_counted_in_the_widest_spacing() -> None:
    assert patience_window(np.array([0, 1, 2, 4, 8, 108, 208, 250]), 5) == 500
    assert patience_window(np.array([0]), 5) == 5


def test_log_spaced_evaluations_at_the_start_do_not_stop_the_run() -> None:
    steps = [0, 1, 2, 4, 8, 16, 32, 100, 200, 300, 400, 500]
    seen = [0.0] * 7 + [0.5, 1.0, 1.0, 1.0, 1.0]
    gap = early_stopping_gap(table(steps, seen=seen, unseen=[0.0] * 11 + [0.5]), patience=2)
    assert gap is not None
    assert gap.window == 200
    assert gap.kept.step == 200


def evaluations() -> object:
    return table(
        [0, 10, 20, 30, 40],
        seen=[0.5, 1.0, 1.0, 1.0, 1.0],
        unseen=[0.25, 0.125, 0.0, 1.0, 0.5],
        loss=[4.0, 3.0, 2.0, 2.5, 2.0],
    )


def test_the_gap_by_accuracy_and_by_loss() -> None:
    gap = early_stopping_gap(evaluations(), patience=2)
    assert gap is not None
    assert gap.kept == Point(10, 0.125)
    assert gap.final == Point(40, 0.5)
    assert gap.gap == 0.375
    assert gap.last_quarter == 0.75
    assert gap.last_quarter_gap == 0.625
    by_loss = early_stopping_gap(evaluations(), watch="eval_loss", patience=2)
    assert by_loss is not None
    assert by_loss.kept == Point(20, 0.0)


def test_a_run_that_still_improves_has_no_gap() -> None:
    assert early_stopping_gap(evaluations(), patience=4) is None


def test_rows_without_generalization_do_not_count() -> None:
    rows = table(
        [0, 10, 20, 30, 40],
        seen=[0.0, 1.0, 0.5, 0.5, 0.5],
        unseen=[0.0, float("nan"), 0.5, 1.0, 1.0],
    )
    gap = early_stopping_gap(rows, patience=1)
    assert gap is not None
    assert gap.kept == Point(20, 0.5)


def test_what_cannot_be_watched() -> None:
    with pytest.raises(UserError, match="unknown column to watch 'eval_weight_norm'"):
        early_stopping_gap(evaluations(), watch="eval_weight_norm")
    with pytest.raises(UserError, match="patience is 0: expected at least 1"):
        early_stopping_gap(evaluations(), patience=0)
    with pytest.raises(UserError, match="unknown column of the evaluations"):
        early_stopping_gap(table([0], seen=[0.5]))
