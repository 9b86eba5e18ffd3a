"""The share of seeds that has arrived, and seeds as points: what is drawn is what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hf_grok.dynamics.when import Arrival, arrival_curve, arrival_of, arrivals
from hf_grok.report.style.seed_points import plot_seeds
from hf_grok.report.sweep.arrivals import (
    arm_arrivals,
    arrival_quantities,
    caption_arrivals,
    caption_seeds,
    draw_arrivals,
    draw_seeds,
    plot_arrivals,
)
from hf_grok.report.sweep.numbers import at_end
from hf_grok.report.sweep.onsets import loss_level
from hf_grok.report.sweep.runs import Sweep, read_sweep
from tests.dynamics.tables import write_run
from tests.report.synthetic_arms import ARMS, write_sweep

NAMES = ("base", "suppress-0.1", "suppress-0.3", "release-300")


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    out = tmp_path_factory.mktemp("sweep")
    return read_sweep(write_sweep(out, {name: ARMS[name] for name in NAMES}, seeds=(0, 1, 2)))


def drawn(axes: Axes) -> list[np.ndarray]:
    """The curves of arrivals in axes, without the edges of their bands [points, 2]."""
    lines = [line for line in axes.get_lines() if not line.get_label().startswith("_interval")]
    return [np.asarray(line.get_xydata()) for line in lines]


def test_an_arm_arrives_where_it_stays_beyond_its_baseline(sweep: Sweep) -> None:
    level = loss_level(sweep.reference)
    assert level is not None
    by_column = {one.column: one for one in arrival_quantities(sweep)}
    pairs, loss = by_column["eval_pairs_accuracy"], by_column["eval_loss"]
    for arm in sweep.arms:
        curves = [run.evaluations["eval_pairs_accuracy"] for run in arm.runs]
        by_hand = [arrival_of(c.index.to_numpy(float), c.to_numpy() - 0.5, 0.1) for c in curves]
        assert arm_arrivals(arm, pairs, level) == by_hand
        losses = [run.evaluations["eval_loss"] for run in arm.runs]
        below = level.start - level.margin
        by_hand = [
            arrival_of(c.index.to_numpy(float), c.to_numpy(), below, falling=True) for c in losses
        ]
        assert arm_arrivals(arm, loss, level) == by_hand
    assert [one.step for one in arm_arrivals(sweep.arm("suppress-0.3"), pairs, level)] == [None] * 3
    assert arm_arrivals(sweep.reference, pairs, level)[0].step is not None


def test_a_curve_in_axes_of_ones_own_is_the_estimate_and_its_band() -> None:
    found = arrival_curve([*arrivals([3.0, 5.0, 5.0, None], 9.0), Arrival(None, 4.0)])
    axes = Figure().add_subplot()
    assert plot_arrivals(found, axes) is axes
    [curve] = drawn(axes)
    np.testing.assert_array_equal(curve[:-1], np.stack([found.steps, found.arrived], 1))
    assert list(curve[-1]) == [9, found.arrived[-1]]
    edges = [line for line in axes.get_lines() if line.get_label() == "_interval"]
    np.testing.assert_array_equal(edges[0].get_ydata()[:-1], found.low)
    np.testing.assert_array_equal(edges[1].get_ydata()[:-1], found.high)
    [band] = axes.collections
    assert {round(float(y), 9) for y in band.get_paths()[0].vertices[:, 1]} == {
        round(float(y), 9) for y in (*found.low, *found.high)
    }


def test_the_figure_has_the_curve_of_every_arm(sweep: Sweep) -> None:
    figure = draw_arrivals(sweep)
    assert figure is not None
    quantities, level = arrival_quantities(sweep), loss_level(sweep.reference)
    rows = [["base", "suppress-0.1", "suppress-0.3"], ["suppress-0.3", "base", "release-300"]]
    for place, names in enumerate(rows):
        for column, quantity in enumerate(quantities):
            curves = drawn(figure.axes[place * len(quantities) + column])
            assert len(curves) == len(names)
            for curve, name in zip(curves, names, strict=True):
                expected = arrival_curve(arm_arrivals(sweep.arm(name), quantity, level))
                np.testing.assert_array_equal(curve[:-1, 1], expected.arrived)
    assert "Kaplan-Meier" in caption_arrivals(sweep)


def test_every_seed_is_a_point(sweep: Sweep) -> None:
    figure = draw_seeds(sweep)
    quantity = arrival_quantities(sweep)[-1]
    axes = figure.axes[len(figure.axes) // 2 - 1]
    points = [line for line in axes.get_lines() if line.get_linestyle() == "None"]
    for line, name in zip(points, NAMES[:3], strict=True):
        ends = [at_end(run, quantity) for run in sweep.arm(name).runs]
        assert list(line.get_ydata()) == ends
    assert "one point each" in caption_seeds(sweep)


def test_points_that_are_equal_stand_beside_each_other() -> None:
    axes = Figure().add_subplot()
    assert plot_seeds([0.5, 0.5, 0.9], axes, 2.0, {"color": "k", "marker": "o"}, 0.2) is axes
    points, median = axes.get_lines()
    assert len(set(points.get_xdata())) == 3
    assert max(abs(np.asarray(points.get_xdata()) - 2)) == pytest.approx(0.2)
    assert list(median.get_ydata()) == [0.5, 0.5]


def test_a_sweep_of_what_has_no_level_has_no_such_figure(tmp_path: Path) -> None:
    rows = [{"step": step, "eval_loss": 2.0} for step in range(0, 400, 50)]
    write_run(tmp_path / "base-seed0", rows, recipe="sas-mlm")
    content = {"name": "flat", "recipe": "sas-mlm", "seeds": [0]}
    arms = {"base": {"settings": {}, "from": None, "step": 0}}
    (tmp_path / "sweep.json").write_text(json.dumps({**content, "arms": arms}))
    assert draw_arrivals(read_sweep(tmp_path)) is None
