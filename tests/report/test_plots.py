"""Every figure in axes of one's own: what is drawn is the data that was given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hf_grok.dynamics import load_run
from hf_grok.errors import UserError
from hf_grok.report import plots
from hf_grok.report.groups import Group
from hf_grok.report.sweep.runs import Sweep
from tests.dynamics.tables import write_run
from tests.report.probed import GOLD, WORDS, probed_run
from tests.report.synthetic_arms import ARMS, write_sweep

FAST: dict[str, Any] = {"last": 8_000, "every": 1_000, "arrival": 4_000}
GENERALIZATION = "eval_generalization_accuracy"


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Group:
    folder = tmp_path_factory.mktemp("seeds")
    runs = [probed_run(folder / f"{seed}", seed=seed, **FAST) for seed in range(2)]
    return plots.group_runs([load_run(run) for run in runs])[0]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Group:
    rows = [{"step": step, "eval_other": 1.0} for step in (0, 5, 10)]
    run = write_run(tmp_path_factory.mktemp("bare") / "run", rows, recipe="mine")
    return plots.group_runs([load_run(run)])[0]


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    arms = {name: ARMS[name] for name in ("base", "suppress-0.1")}
    return plots.read_sweep(write_sweep(tmp_path_factory.mktemp("sweep"), arms, seeds=(0, 1)))


@pytest.fixture
def ax() -> Axes:
    """The left one of two, in a figure that is not this project's."""
    return Figure(figsize=(9, 3)).subplots(1, 2)[0]


def drawn(ax: Axes) -> list[np.ndarray]:
    """Every curve in axes [points, 2]."""
    return [np.asarray(line.get_xydata()) for line in ax.get_lines()]


def expect_curve(ax: Axes, steps: Any, values: Any) -> None:
    curve = np.stack([np.asarray(steps, float), np.asarray(values, float)], 1)
    assert any(one.shape == curve.shape and np.allclose(one, curve) for one in drawn(ax))


def expect_runs(ax: Axes, group: Group, column: str) -> None:
    """The curve of each run, and their mean."""
    curves = [run.evaluations[column].dropna() for run in group.runs]
    for one in curves:
        expect_curve(ax, one.index, one)
    expect_curve(ax, curves[0].index, np.mean([one.to_numpy() for one in curves], axis=0))


def test_accuracies(seeds: Group, ax: Axes) -> None:
    assert plots.plot_accuracies(seeds, ax) is ax
    expect_runs(ax, seeds, GENERALIZATION)
    expect_runs(ax, seeds, "eval_in_distribution_accuracy")


def test_losses_and_norms(seeds: Group, ax: Axes) -> None:
    assert plots.plot_losses(seeds, ax) is ax
    expect_runs(ax, seeds, "eval_loss")
    training = seeds.runs[0].training["loss"].dropna()
    expect_curve(ax, training.index, training)
    other = ax.figure.axes[1]
    assert plots.plot_weight_norm(seeds, other) is other
    expect_runs(other, seeds, "eval_norm_l2")


def test_every_kind_relation_number_and_part(seeds: Group) -> None:
    for panel in plots.breakdown_panels(seeds):
        ax = Figure().add_subplot()
        assert plots.plot_breakdown(seeds, panel.column, ax) is ax
        expect_runs(ax, seeds, panel.column)
    for relation in plots.measured_relations(seeds):
        ax = Figure().add_subplot()
        assert plots.plot_relation(seeds, relation, ax) is ax
        expect_runs(ax, seeds, f"eval_uas_relation_{relation}")
    for family in plots.structure_families(seeds)[:2]:
        ax = Figure().add_subplot()
        assert plots.plot_structure(seeds, family, ax) is ax
        for measure in family.measures:
            expect_runs(ax, seeds, measure.column)
    for part in plots.trajectory_parts(seeds):
        ax = Figure().add_subplot()
        assert plots.plot_trajectory(seeds, part, ax) is ax
        expect_runs(ax, seeds, part.measure.column)


def test_one_number_by_its_column(seeds: Group, ax: Axes) -> None:
    plots.plot_structure(seeds, "eval_class_loss_function", ax)
    expect_runs(ax, seeds, "eval_class_loss_function")
    other = seeds.runs[0].evaluations["eval_class_loss_content"]
    assert not any(
        one.shape[0] == len(other) and np.allclose(one[:, 1], other) for one in drawn(ax)
    )


def test_early_stopping_and_depths(seeds: Group, ax: Axes) -> None:
    assert plots.plot_early_stopping(seeds, ax) is ax
    points = {tuple(one[0]) for one in drawn(ax) if len(one) == 1}
    for row, summary in enumerate(seeds.summaries):
        assert (summary.last_quarter_mean, row) in points
    other = ax.figure.axes[1]
    assert plots.plot_depths([seeds, seeds], other) is other
    heights = {float(y) for one in drawn(other) for y in one[:, 1]}
    assert {summary.maximum.value for summary in seeds.summaries} <= heights


def test_a_tree_and_a_map(seeds: Group, ax: Axes) -> None:
    run, summary = seeds.runs[0], seeds.summaries[0]
    gold = plots.pictured_trees(run, summary)[0][0]
    assert plots.plot_tree(gold, ax) is ax
    assert {line.get_label() for line in ax.get_lines()} == {f"_{a}-{b}" for a, b in GOLD}
    assert [text.get_text() for text in ax.texts][1:] == WORDS[:-1]
    sheet = plots.attention_sheet(run, summary)
    assert sheet is not None
    one, other = sheet.maps[0], ax.figure.axes[1]
    assert plots.plot_attention(one, sheet.words, other) is other
    [cells] = other.collections
    seen = {
        (int(path.vertices[0, 1]), int(path.vertices[0, 0])): float(shade[3])
        for path, shade in zip(cells.get_paths(), cells.get_facecolors(), strict=True)
    }
    for row, column in np.ndindex(one.weights.shape):
        weight = float(one.weights[row, column])
        assert seen.get((row, column), 0.0) == pytest.approx(weight, abs=0.021)
    assert [label.get_text() for label in other.get_xticklabels()] == WORDS


def test_arms_of_a_sweep(sweep: Sweep, ax: Axes) -> None:
    quantity = plots.panel_quantities(sweep)[-1]
    assert plots.plot_arms(sweep, sweep.arms[1:], quantity, ax) is ax
    for arm in sweep.arms:
        runs = [run.evaluations[quantity.column] for run in arm.runs]
        expect_curve(ax, runs[0].index, np.mean([one.to_numpy() for one in runs], axis=0))
    with pytest.raises(UserError, match="5 arms in one panel: expected 4 at most"):
        plots.plot_arms(sweep, [sweep.arms[1]] * 5, quantity, ax)


@pytest.mark.parametrize(
    ("plot", "told"),
    [
        (plots.plot_accuracies, "no run measured both accuracies.*there is eval_other"),
        (plots.plot_losses, "no run measured a loss"),
        (plots.plot_weight_norm, "no run measured the norm"),
        (plots.plot_early_stopping, "both accuracies"),
        (lambda group, ax: plots.plot_depths([group], ax), "both accuracies"),
        (lambda _, ax: plots.plot_depths([], ax), "one for each depth"),
        (lambda group, ax: plots.plot_crossings([group], ax), "both accuracies"),
        (lambda _, ax: plots.plot_crossings([], ax), "one for each depth"),
        (lambda group, ax: plots.plot_breakdown(group, "eval_x", ax), "part of generalization"),
        (lambda group, ax: plots.plot_relation(group, "nsubj", ax), "relation with attention UAS"),
        (lambda group, ax: plots.plot_structure(group, "eval_x", ax), "number of a probe 'eval_x'"),
        (lambda _, ax: plots.plot_seeds([], ax, 0.0, {}), "no seed"),
    ],
)
def test_what_is_not_there_is_refused(
    bare: Group, ax: Axes, plot: Callable[[Group, Axes], Axes], told: str
) -> None:
    with pytest.raises(UserError, match=told):
        plot(bare, ax)
    assert not drawn(ax)


def test_every_plot_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "figures.md").read_text(encoding="utf-8")
    assert [name for name in plots.__all__ if f"`{name}`" not in page] == []
