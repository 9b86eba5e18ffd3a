from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hf_grok.dynamics import load_run
from hf_grok.report.figures.accuracy import draw_accuracies
from hf_grok.report.figures.breakdown import breakdown_panels, caption_breakdown, draw_breakdown
from hf_grok.report.figures.depth import draw_depths
from hf_grok.report.figures.early_stopping import draw_early_stopping
from hf_grok.report.figures.loss import caption_losses, draw_losses
from hf_grok.report.groups import Group, group_runs
from hf_grok.report.style.drawing import theme
from tests.dynamics.tables import write_run
from tests.report.synthetic import dyck_rows, question_rows, question_run

ACCURACIES = {"eval_in_distribution_accuracy": 0.5, "eval_generalization_accuracy": 0.25}
SHORT: dict[str, Any] = {"last": 16_000, "every": 2_000, "arrival": 5_000}


def group(folder: Path, rows: list[dict[str, Any]], recipe: str = "question-formation") -> Group:
    return group_runs([load_run(write_run(folder / "run", rows, recipe=recipe))])[0]


def seeds(folder: Path, count: int) -> Group:
    runs = [question_run(folder / f"run-{seed}", seed=seed, **SHORT) for seed in range(count)]
    return group_runs([load_run(run) for run in runs])[0]


def test_question_formation_by_kind_of_relative_clause(tmp_path: Path) -> None:
    questions = group(tmp_path, question_rows(last=2_000, every=1_000))
    assert [panel.title for panel in breakdown_panels(questions)] == [
        "subject relative, intransitive",
        "subject relative, transitive",
        "object relative",
        "share of answers: linear rule (first auxiliary moved)",
    ]
    assert "a rule about adjacency" in caption_breakdown(questions)


def test_tense_by_modifier(tmp_path: Path) -> None:
    more = {
        "eval_generalization_agree_recent_share": 0.75,
        "eval_generalization_accuracy_rc_object": 0.2,
        "eval_generalization_accuracy_pp": 0.3,
    }
    tense = group(tmp_path, [{"step": 0, **ACCURACIES, **more}], "tense-inflection")
    assert [panel.column for panel in breakdown_panels(tense)] == [
        "eval_generalization_accuracy_pp",
        "eval_generalization_accuracy_rc_object",
        "eval_generalization_agree_recent_share",
    ]


def test_dyck_by_distance_over_the_overall_accuracy(tmp_path: Path) -> None:
    dyck = group(tmp_path, dyck_rows(last=2_000), "dyck")
    assert "closing brackets at distance 10 and more" in caption_breakdown(dyck)
    with theme("test"):
        figure = draw_breakdown(dyck)
    assert figure is not None
    evaluations = dyck.runs[0].evaluations
    panels = breakdown_panels(dyck)
    assert [panel.title for panel in panels][::4] == ["distance 1", "distance 20 and more"]
    for axes, panel in zip(figure.axes, panels, strict=True):
        overall, own = axes.get_lines()
        np.testing.assert_array_equal(own.get_xdata(), evaluations.index)
        np.testing.assert_array_equal(own.get_ydata(), evaluations[panel.column])
        np.testing.assert_array_equal(overall.get_ydata(), evaluations[list(ACCURACIES)[1]])


def test_without_kinds_losses_or_norms_there_is_no_such_figure(tmp_path: Path) -> None:
    bare = group(tmp_path, [{"step": 0, **ACCURACIES}])
    assert draw_breakdown(bare) is None
    assert draw_losses(bare) is None


def test_a_missing_weight_norm_is_said(tmp_path: Path) -> None:
    dyck = group(tmp_path, dyck_rows(last=2_000), "dyck")
    with theme("test"):
        figure = draw_losses(dyck)
    assert figure is not None
    assert len(figure.axes) == 1
    assert caption_losses(dyck).endswith("The norm of the weights was not logged.")


def test_the_norm_of_weights_is_found_under_its_name_and_under_the_earlier_one(
    tmp_path: Path,
) -> None:
    for name in ("eval_norm_l2", "eval_weight_norm"):
        rows = [{"step": step, "eval_loss": 2.0, name: 9.0} for step in (0, 5, 10)]
        one = group(tmp_path / name, rows, "question-formation")
        assert caption_losses(one).endswith("Below, the L2 norm of all parameters.")


def test_saturation_grokking_and_early_stopping_are_marked(tmp_path: Path) -> None:
    one = seeds(tmp_path, 1)
    with theme("test"):
        figure = draw_accuracies(one)
    summary = one.summaries[0]
    assert summary.saturation is not None
    assert summary.crossings[-1] is not None
    assert summary.early_stopping is not None
    expected = {
        summary.saturation.step,
        summary.crossings[-1].step,
        summary.early_stopping.kept.step,
    }
    lines = [line for line in figure.axes[0].get_lines() if len(line.get_xdata()) == 2]
    assert {line.get_xdata()[0] for line in lines} == expected
    texts = [text.get_text() for text in figure.axes[0].texts]
    for word in ("in distribution ≥ .99 at", "generalization ≥ .95 at", "early stopping: "):
        assert sum(text.startswith(word) for text in texts) == 1


def test_several_seeds_are_thin_lines_with_their_mean(tmp_path: Path) -> None:
    three = seeds(tmp_path, 3)
    with theme("test"):
        figure = draw_accuracies(three)
    curves = [line for line in figure.axes[0].get_lines() if len(line.get_xdata()) > 3]
    thin = [line for line in curves if line.get_linewidth() < 1]
    thick = [line for line in curves if line.get_linewidth() > 2]
    assert (len(thin), len(thick)) == (6, 2)
    mean = np.mean(
        [run.evaluations["eval_generalization_accuracy"].to_numpy() for run in three.runs], axis=0
    )
    np.testing.assert_allclose(thick[1].get_ydata(), mean)
    assert len(figure.axes[0].collections) == 2  # the bands


def test_a_run_that_was_cut_off_does_not_cut_off_the_mean(tmp_path: Path) -> None:
    runs = [question_run(tmp_path / f"{seed}", seed=seed, **SHORT) for seed in range(2)]
    short = question_run(tmp_path / "short", seed=2, **{**SHORT, "last": 4_000})
    two_and_one = group_runs([load_run(run) for run in (*runs, short)])[0]
    one_and_one = group_runs([load_run(run) for run in (runs[0], short)])[0]
    with theme("test"):
        with_mean = draw_accuracies(two_and_one).axes[0]
        without = draw_accuracies(one_and_one).axes[0]
    thick = [line for line in with_mean.get_lines() if line.get_linewidth() > 2]
    assert [line.get_xdata()[-1] for line in thick] == [16_000, 16_000]
    assert not without.collections
    ends = [line.get_xdata()[-1] for line in without.get_lines() if len(line.get_xdata()) > 3]
    assert ends == [16_000, 4_000] * 2


def test_early_stopping_has_a_row_for_each_run(tmp_path: Path) -> None:
    two = seeds(tmp_path, 2)
    with theme("test"):
        axes = draw_early_stopping(two).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["seed 0", "seed 1"]
    kept = [summary.early_stopping for summary in two.summaries]
    points = [tuple(line.get_xydata()[0]) for line in axes.get_lines() if len(line.get_xdata())]
    for row, stopped in enumerate(kept):
        assert stopped is not None
        assert (stopped.kept.value, row) in points


def test_depth_shows_every_run(tmp_path: Path) -> None:
    shallow, deep = seeds(tmp_path / "a", 2), seeds(tmp_path / "b", 1)
    with theme("test"):
        axes = draw_depths([shallow, deep]).axes[0]
    drawn = {float(y) for line in axes.get_lines() for y in line.get_ydata()}
    for summary in (*shallow.summaries, *deep.summaries):
        assert summary.last_quarter_mean in drawn
        assert summary.maximum.value in drawn
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        "6 layers\n(n = 2)",
        "6 layers\n(n = 1)",
    ]
