from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hf_grok.dynamics import find_onset, load_run
from hf_grok.dynamics.onsets.find import default_window
from hf_grok.report.figures.onset_marks import found_onsets, say_onsets, study_onsets
from hf_grok.report.figures.relations import (
    caption_relations,
    draw_relations,
    measured_relations,
)
from hf_grok.report.figures.structure import caption_structure, draw_structure, structure_families
from hf_grok.report.figures.trajectory import caption_trajectory, draw_trajectory, trajectory_parts
from hf_grok.report.groups import Group, group_runs
from hf_grok.report.style.drawing import theme
from tests.dynamics.tables import write_run
from tests.report.probed import RELATIONS, probed_rows, probed_run
from tests.report.synthetic import question_run

FAST: dict[str, Any] = {"last": 16_000, "every": 1_000, "arrival": 5_000}


def seeds(folder: Path, count: int, **options: Any) -> Group:
    runs = [
        probed_run(folder / f"run-{seed}", seed=seed, **{**FAST, **options})
        for seed in range(count)
    ]
    return group_runs([load_run(run) for run in runs])[0]


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Group:
    return seeds(tmp_path_factory.mktemp("one"), 1)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Group:
    return seeds(tmp_path_factory.mktemp("three"), 3)


@pytest.fixture(scope="module")
def unprobed(tmp_path_factory: pytest.TempPathFactory) -> Group:
    run = question_run(tmp_path_factory.mktemp("none") / "run", **FAST)
    return group_runs([load_run(run)])[0]


def drawn(axes: Any, label: str) -> list[Any]:
    return [line for line in axes.get_lines() if line.get_label() == label]


def curves(axes: Any) -> list[Any]:
    return [line for line in axes.get_lines() if line.get_label().startswith("_child")]


def texts(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_without_probes_there_is_no_such_figure(unprobed: Group) -> None:
    assert draw_structure(unprobed) is None
    assert draw_relations(unprobed) is None
    assert draw_trajectory(unprobed) is None


def test_every_family_has_its_panel_with_its_numbers(one: Group) -> None:
    with theme("test"):
        figure = draw_structure(one)
    assert figure is not None
    families = structure_families(one)
    assert len(figure.axes) == len(families) == 11
    evaluations = one.runs[0].evaluations
    for axes, family in zip(figure.axes, families, strict=True):
        assert axes.get_title(loc="left") == family.title
        present = [m for m in family.measures if m.column in evaluations.columns]
        for line, measure in zip(curves(axes), present, strict=True):
            np.testing.assert_array_equal(line.get_xdata(), evaluations.index)
            np.testing.assert_array_equal(line.get_ydata(), evaluations[measure.column])


def test_baselines_are_lines_with_names_and_values(one: Group) -> None:
    with theme("test"):
        figure = draw_structure(one)
    assert figure is not None
    names = [family.measures[0].name for family in structure_families(one)]
    panels = dict(zip(names, figure.axes, strict=True))
    trees = panels["tree_parseval"]
    assert [set(line.get_ydata()) for line in drawn(trees, "_baseline")] == [{0.58}, {0.37}, {0.43}]
    assert len({line.get_linestyle() + str(line._dash_pattern) for line in trees.get_lines()}) >= 4
    for text in ("right-branching .58", "left-branching .37", "random .43"):
        assert text in texts(trees)
    assert set(drawn(panels["pairs_accuracy"], "_baseline")[0].get_ydata()) == {0.5}
    assert [set(line.get_ydata()) for line in drawn(panels["uas_best_head"], "_baseline")] == [
        {0.7}
    ]
    assert len(drawn(panels["class_loss_content"], "_baseline")) == 1  # once for three curves


def test_generalization_lies_behind_every_panel_and_its_arrival_runs_through(one: Group) -> None:
    with theme("test"):
        figure = draw_structure(one)
    assert figure is not None
    summary = one.summaries[0]
    assert summary.saturation is not None
    assert summary.crossings[-1] is not None
    steps = {summary.saturation.step, summary.crossings[-1].step}
    accuracy = one.runs[0].evaluations["eval_generalization_accuracy"].to_numpy()
    for axes in figure.axes:
        (behind,) = drawn(axes, "_generalization")
        height = axes.get_xaxis_transform().transform([(0.0, y) for y in behind.get_ydata()])[:, 1]
        bottom, top = axes.transAxes.transform([(0, 0), (0, 1)])[:, 1]
        expected = bottom + (top - bottom) * (accuracy + 0.05) / 1.1
        np.testing.assert_allclose(height, expected)
    for axes in figure.axes[1:]:
        assert {line.get_xdata()[0] for line in drawn(axes, "_event")} == steps
    labels = " ".join(texts(figure.axes[0]))
    assert "generalization ≥ .95 at" in labels


def test_several_seeds_are_thin_lines_with_their_mean(three: Group) -> None:
    with theme("test"):
        figure = draw_structure(three)
    assert figure is not None
    lines = curves(figure.axes[0])
    assert [line.get_linewidth() < 1 for line in lines] == [True, True, True, False]
    values = [run.evaluations["eval_uas_best_head"].to_numpy() for run in three.runs]
    np.testing.assert_allclose(lines[-1].get_ydata(), np.mean(values, axis=0))
    assert "thick line and band are their mean" in caption_structure(three)


def test_a_seed_without_probes_does_not_count_in_their_mean(tmp_path: Path) -> None:
    probed = probed_run(tmp_path / "a", seed=0, **FAST)
    other = question_run(tmp_path / "b", seed=1, **FAST)
    group = group_runs([load_run(probed), load_run(other)])[0]
    with theme("test"):
        figure = draw_structure(group)
    assert figure is not None
    (line,) = curves(figure.axes[0])
    np.testing.assert_array_equal(line.get_ydata(), group.runs[0].evaluations["eval_uas_best_head"])


def test_onsets_are_those_of_find_onset(one: Group) -> None:
    column, evaluations = "eval_uas_best_head", one.runs[0].evaluations
    steps, values = evaluations.index.to_numpy(), evaluations[column].to_numpy()
    window = default_window(steps)
    sharp = find_onset(steps, values, window=window)
    crossed = find_onset(
        steps,
        values,
        window=window,
        rule="crossing",
        baseline=evaluations["eval_uas_best_offset"].to_numpy(),
    )
    assert sharp.exists
    assert crossed.exists
    found = {rule: onset for rule, onset, _ in found_onsets(study_onsets(one, column))}
    assert found["acceleration"].step == sharp.step
    assert found["crossing"].step == crossed.step
    with theme("test"):
        figure = draw_structure(one)
    assert figure is not None
    axes = figure.axes[0]
    assert [line.get_xdata()[0] for line in drawn(axes, "_acceleration")] == [sharp.step]
    assert [line.get_xdata()[0] for line in drawn(axes, "_crossing")] == [crossed.step]
    assert [tuple(line.get_xdata()) for line in drawn(axes, "_interval")] == [
        sharp.interval,
        crossed.interval,
    ]
    filled, hollow = (drawn(axes, f"_{rule}")[0] for rule in ("acceleration", "crossing"))
    assert filled.get_markerfacecolor() != hollow.get_markerfacecolor()


def test_a_flat_curve_has_no_triangle_and_says_so(tmp_path: Path) -> None:
    rows = [
        {**row, "eval_uas_best_head": 0.5} if "eval_loss" in row else row
        for row in probed_rows(**FAST)
    ]
    group = group_runs([load_run(write_run(tmp_path / "run", rows))])[0]
    assert say_onsets(study_onsets(group, "eval_uas_best_head")) == []
    with theme("test"):
        figure = draw_structure(group)
    assert figure is not None
    assert not drawn(figure.axes[0], "_acceleration") + drawn(figure.axes[0], "_crossing")
    assert "no onset" in texts(figure.axes[0])


def test_where_no_direction_is_better_nobody_looks_for_an_onset(one: Group) -> None:
    assert study_onsets(one, "eval_norm_l2") is None
    assert study_onsets(one, "eval_intrinsic_dimension_cosine") is None
    assert study_onsets(one, "eval_nothing") is None


def test_too_few_evaluations_have_no_onset(tmp_path: Path) -> None:
    rows = [row for row in probed_rows(**FAST) if row["step"] in (0, 8_000, 16_000)]
    group = group_runs([load_run(write_run(tmp_path / "run", rows))])[0]
    assert study_onsets(group, "eval_uas_best_head") is None
    with theme("test"):
        figure = draw_structure(group)
    assert figure is not None
    assert "no onset" not in texts(figure.axes[0])


def test_relations_with_their_offsets(one: Group) -> None:
    assert measured_relations(one) == sorted(RELATIONS)
    with theme("test"):
        figure = draw_relations(one)
    assert figure is not None
    evaluations = one.runs[0].evaluations
    for axes, relation in zip(figure.axes, sorted(RELATIONS), strict=True):
        values = evaluations[f"eval_uas_relation_{relation}"]
        (line,), (offset,) = curves(axes), drawn(axes, "_baseline")
        np.testing.assert_array_equal(line.get_ydata(), values)
        assert set(offset.get_ydata()) == {RELATIONS[relation][1]}
        assert offset.get_linestyle() != line.get_linestyle()
        assert axes.get_title(loc="left").startswith(f"{relation} (")
    assert "best fixed offset" in caption_relations(one)


def test_the_mean_of_several_seeds_by_relation(three: Group) -> None:
    with theme("test"):
        figure = draw_relations(three)
    assert figure is not None
    values = [run.evaluations["eval_uas_relation_case"].to_numpy() for run in three.runs]
    np.testing.assert_allclose(curves(figure.axes[0])[-1].get_ydata(), np.mean(values, axis=0))
    assert caption_relations(three).endswith("their mean.")


def test_the_trajectory_is_loss_structure_and_capability(one: Group) -> None:
    with theme("test"):
        figure = draw_trajectory(one)
    assert figure is not None
    evaluations = one.runs[0].evaluations
    columns = ["eval_loss", "eval_uas_single_head", "eval_pairs_accuracy"]
    assert [part.measure.column for part in trajectory_parts(one)] == columns
    for axes, column in zip(figure.axes, columns, strict=True):
        np.testing.assert_array_equal(curves(axes)[0].get_ydata(), evaluations[column])
    assert "minimal pairs" in caption_trajectory(one)


def test_the_onsets_of_a_trajectory_run_through_all_its_panels(one: Group) -> None:
    with theme("test"):
        figure = draw_trajectory(one)
    assert figure is not None
    studies = [study_onsets(one, part.measure.column) for part in trajectory_parts(one)]
    first = [found_onsets(study)[0][1].step for study in studies if found_onsets(study)]
    assert len(first) >= 2
    for axes in figure.axes[1:]:
        assert [line.get_xdata()[0] for line in drawn(axes, "_event")] == first
    labels = [text for text in texts(figure.axes[0]) if text.startswith(("loss", "UAS", "pairs"))]
    assert sum("▲" in text or "△" in text for text in labels) == len(first)


def test_without_pairs_the_capability_is_generalization(tmp_path: Path) -> None:
    group = seeds(tmp_path, 1, pairs=False)
    assert trajectory_parts(group)[-1].measure.column == "eval_generalization_accuracy"
    assert "generalization accuracy" in caption_trajectory(group)


def test_without_the_loss_there_is_no_trajectory(tmp_path: Path) -> None:
    rows = [
        {key: value for key, value in row.items() if key != "eval_loss"}
        for row in probed_rows(**FAST)
    ]
    group = group_runs([load_run(write_run(tmp_path / "run", rows))])[0]
    assert draw_trajectory(group) is None
    assert draw_structure(group) is not None
