"""Which numbers of a row are shown, under which names; the tables of a round."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from hf_grok.callbacks.dashboards.shown import charts, check_detail, shown
from hf_grok.callbacks.dashboards.tables import round_tables
from hf_grok.callbacks.dashboards.trackio_board import unused
from hf_grok.errors import UserError
from hf_grok.metrics import PROBES, Level, Metric

NAMES = ("uas", "tree", "pairs", "norm", "sparsity", "intrinsic_dimension")
OURS: list[Any] = [SimpleNamespace(name=name, metrics=PROBES[name]) for name in NAMES]


def default_round() -> dict[str, float]:
    """Every number of the default probes: one a name, twelve a pattern, as a run logs them."""
    row = {"eval_loss": 1.0, "eval_probes_runtime": 1.0, "epoch": 1.0, "eval_broken_failed": 1.0}
    for probe in OURS:
        for key in probe.metrics:
            for part in "abcdefghijkl" if key.endswith("{}") else [""]:
                row[f"eval_{key.removesuffix('{}')}{part}"] = 0.5
    return row


def test_a_default_round_opens_few_charts_and_the_headlines_are_among_them() -> None:
    row = default_round()
    few = shown(row, OURS, "headlines")
    assert len(row) > 100
    assert len(few) <= 16
    declared = {f"eval_{key}": m for probe in OURS for key, m in probe.metrics.items()}
    for name, metric in declared.items():
        if not name.endswith("{}"):
            assert (name in few) == (metric.headline or bool(metric.panel)), name


def test_what_is_no_probes_number_stays_and_so_does_a_failure() -> None:
    row = {"loss": 1.0, "eval_loss": 1.0, "eval_my_f1": 0.5, "eval_broken_failed": 1.0}
    assert shown({**row, "eval_uas_arcs": 3.0}, OURS, "headlines") == row


def test_the_metric_that_chooses_the_best_model_is_always_shown() -> None:
    row = {"eval_uas_relation_nsubj": 0.5, "eval_uas_relation_det": 0.5}
    few = shown(row, OURS, "headlines", {"eval_uas_relation_det", None})
    assert few == {"eval_uas_relation_det": 0.5}


def test_all_is_all() -> None:
    assert shown(default_round(), OURS, "all") == default_round()


def test_another_detail_is_refused() -> None:
    with pytest.raises(UserError, match=r"probe_detail 'some': expected one of all, headlines"):
        check_detail("some")


@pytest.mark.parametrize(
    ("column", "chart"),
    [
        ("loss", "train/loss"),
        ("eval_loss", "eval/loss"),
        ("eval_uas_best_head", "eval/uas_best_head"),
        ("eval_uas_arcs", "uas/arcs"),
        ("eval_uas_relation_nsubj:pass", "uas/relation/nsubj:pass"),
        ("eval_pairs_filler_gap", "pairs/filler_gap"),
        ("eval_pairs_phenomenon_binding", "pairs/phenomenon/binding"),
        ("eval_norm_matrix_lm_head.weight", "norm/matrix/lm_head.weight"),
        ("eval_norm_l2", "eval/norm_l2"),
        ("eval_broken_failed", "eval/broken_failed"),
    ],
)
def test_charts_are_grouped(column: str, chart: str) -> None:
    assert charts({column: 1.0}, OURS) == {chart: 1.0}


def test_no_two_numbers_share_a_chart() -> None:
    row = default_round()
    assert len(charts(row, OURS)) == len(row)


def test_a_table_has_a_row_a_part_with_its_baseline_the_best_first() -> None:
    numbers = {
        **{"uas_relation_nsubj": 0.5, "uas_relation_det": 0.75, "uas_best_head": 0.6},
        **{"uas_relation_offset_nsubj": 0.25, "uas_relation_offset_det": 1.0},
        **{"uas_mass_nsubj": 0.125, "uas_mass_det": 0.33333333, "uas_offset_1": 0.5},
    }
    (table,) = round_tables(numbers, OURS)
    assert table.name == "uas/relation"
    assert table.columns == ("relation", "score", "baseline", "above it", "mass")
    assert table.rows == (("det", 0.75, 1.0, -0.25, 0.3333), ("nsubj", 0.5, 0.25, 0.25, 0.125))
    assert table.as_markdown().splitlines()[2] == "| det | 0.750 | 1.000 | -0.250 | 0.333 |"


def test_a_baseline_may_be_a_level_and_a_missing_one_is_empty() -> None:
    metrics = {
        "guess_{}": Metric("", "share", 0.0, 1.0, True, Level("chance", 0.5)),
        "word_{}": Metric("", "share", 0.0, 1.0, True, "word_low_{}"),
        "word_low_{}": Metric("", "share", 0.0, 1.0),
    }
    probe: Any = SimpleNamespace(name="mine", metrics=metrics)
    first, second = round_tables({"guess_a": 0.75, "word_b": 0.5}, [probe])
    assert first.rows == (("a", 0.75, 0.5, 0.25),)
    assert second.rows == (("b", 0.5, None, None),)
    assert second.as_markdown().endswith("| b | 0.500 |  |  |")


def test_counts_and_norms_make_no_table() -> None:
    assert round_tables({"norm_matrix_a": 1.0, "uas_arcs": 2.0, "tree_parseval": 0.5}, OURS) == []


def test_a_taken_name_is_counted_up() -> None:
    assert unused("run", []) == "run"
    assert unused("run", ["run", "run-2", "runner"]) == "run-3"
