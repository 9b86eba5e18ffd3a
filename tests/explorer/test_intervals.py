"""Intervals of shares: of those that are counts of as many as the run says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from hf_grok.explorer.intervals import counts_of, examples_of, interval_table

QUESTIONS = {"language": "question-formation", "evaluation_examples": 500, "probe_pairs": 20}


@pytest.mark.parametrize(
    ("column", "arguments", "expected"),
    [
        ("eval_generalization_accuracy", QUESTIONS, 500),
        ("eval_in_distribution_exact_match", QUESTIONS, 500),
        ("eval_generalization_accuracy_rc_object", QUESTIONS, None),
        ("eval_loss", QUESTIONS, None),
        ("eval_pairs_anaphor", QUESTIONS, 20),
        ("eval_pairs_accuracy", QUESTIONS, None),
        ("eval_generalization_accuracy", {**QUESTIONS, "language": "dyck"}, None),
        ("eval_generalization_accuracy", {**QUESTIONS, "evaluation_examples": "all"}, None),
        ("eval_generalization_accuracy", {**QUESTIONS, "evaluation_examples": True}, None),
        ("eval_generalization_accuracy", {}, None),
    ],
)
def test_of_how_many_a_share_is(
    column: str, arguments: dict[str, object], expected: int | None
) -> None:
    assert examples_of(column, arguments) == expected


def test_a_share_of_others_has_no_counts() -> None:
    assert counts_of(np.array([0.0, 0.25, np.nan, 1.0]), 4) == {0, 1, 4}
    assert counts_of(np.array([0.0, 1 / 3]), 4) is None


def test_the_ends_are_where_the_tails_are_two_and_a_half_percent() -> None:
    table = interval_table([0, 3, 50], 50)
    assert table.keys() == {"0", "3", "50"}
    assert table["0"][0] == 0.0
    assert table["50"][1] == 1.0
    low, high = table["3"]
    assert binom.sf(2, 50, low) == pytest.approx(0.025, abs=4e-4)
    assert binom.cdf(3, 50, high) == pytest.approx(0.025, abs=4e-4)
