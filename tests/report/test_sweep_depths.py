"""Generalization by depth, of sweeps whose arms are depths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats

from hf_grok.dynamics import load_run
from hf_grok.report.figures.depth import crossing_share, plot_crossings
from hf_grok.report.groups import group_of
from hf_grok.report.style.drawing import theme
from hf_grok.report.style.palette import colour
from hf_grok.report.sweep.depths import draw_sweep_depths, sweep_depths
from hf_grok.report.sweep.runs import Arm, Sweep
from tests.dynamics.tables import write_run
from tests.report.synthetic_arms import arm_rows

LATE, NEVER = 4_000, 100_000


def arm_of(
    folder: Path,
    name: str,
    *depths: int,
    arrivals: tuple[int, ...] = (LATE, LATE),
    seen: float = 1.0,
    whole: float = 1.0,
    also: str = "eval_loss",
) -> Arm:
    """An arm with a run for each depth and arrival; before it generalization touches .9 once.

    In distribution they come to `seen`, and write `whole` of the lines; `also` is measured.
    """
    runs = []
    for seed, (layers, arrival) in enumerate(zip(depths, arrivals, strict=False)):
        rows = [
            {
                "step": step,
                "eval_in_distribution_accuracy": min(seen, step / 1_000),
                "eval_in_distribution_exact_match": min(whole, step / 1_000),
                also: 0.5,
                "eval_generalization_accuracy": 0.9 if step == 2_000 or step >= arrival else 0.1,
            }
            for step in range(0, 8_001, 500)
        ]
        info = {"recipe": "question-formation", "model": {"name": "a", "layers": layers}}
        run = write_run(folder / f"{name}-seed{seed}", rows, seed=seed, **info)
        runs.append(load_run(run))
    return Arm(name, None, 0, tuple(runs), {})


def sweep_of(*arms: Arm) -> Sweep:
    return Sweep("try", "question-formation", arms)


def test_arms_of_a_depth_each_are_drawn_shallow_first(tmp_path: Path) -> None:
    """Whatever the order of the arms, and with arms of which no run has finished left out."""
    arms = [arm_of(tmp_path, "middle", 6, 6), arm_of(tmp_path, "shallow", 2, 2)]
    arms += [Arm("deepest", None, 0, (), {"deepest-seed0": "not begun"})]
    arms += [arm_of(tmp_path, "deep", 10, arrivals=(NEVER,))]
    sweep = sweep_of(*arms)
    assert [(group.layers, len(group.runs)) for group in sweep_depths(sweep)] == [
        *((2, 2), (6, 2), (10, 1))
    ]
    with theme("test"):
        figure = draw_sweep_depths(sweep)
    assert figure is not None
    points, shares = figure.axes
    assert [label.get_text() for label in points.get_xticklabels()][-1] == "10 layers\n(n = 1)"
    assert [text.get_text() for text in shares.texts] == ["2 of 2", "2 of 2", "0 of 1"]


def test_arms_that_are_no_depths_have_no_such_figure(tmp_path: Path) -> None:
    one, same, mixed = (
        arm_of(tmp_path, name, *depths)
        for name, depths in (("one", (2, 2)), ("same", (2, 2)), ("mixed", (4, 6)))
    )
    rows = arm_rows((500, 620, 1500), 0)
    model = {"name": "vanilla_transformer", "parameters": 1, "layers": 4}
    plain = write_run(tmp_path / "plain", rows, seed=0, recipe="sas-mlm", model=model)
    unasked = Arm("unasked", None, 0, (load_run(plain),), {})
    for arms in ((one,), (one, same), (one, mixed), (one, unasked)):
        assert sweep_depths(sweep_of(*arms)) == []
        assert draw_sweep_depths(sweep_of(*arms)) is None


@pytest.mark.parametrize(("seen", "whole"), [(0.98, 1.0), (1.0, 0.5)])
def test_seeds_that_have_not_learnt_look_so(tmp_path: Path, seen: float, whole: float) -> None:
    """A hole in each dot, and a count: they have not shown which rule they follow."""
    arms = [
        arm_of(tmp_path, "shallow", 2, 2),
        arm_of(tmp_path, "deep", 8, 8, seen=seen, whole=whole, arrivals=(NEVER, LATE)),
    ]
    with theme("test"):
        figure = draw_sweep_depths(sweep_of(*arms))
    assert figure is not None
    points, shares = figure.axes
    labels = [label.get_text() for label in shares.get_xticklabels()]
    assert labels == ["2 layers", "8 layers\n(2 unlearnt)"]
    holes = [line for line in points.get_lines() if line.get_color() == colour("paper")]
    expected = [summary.last_quarter_mean for summary in sweep_depths(sweep_of(*arms))[1].summaries]
    assert [float(np.asarray(line.get_ydata())[0]) for line in holes] == expected


@pytest.mark.parametrize(
    ("also", "labels"),
    [
        ("eval_generalization_linear_share", ["a coin"]),
        ("eval_generalization_agree_recent_share", ["a coin"]),
        ("eval_generalization_accuracy_distance_1", []),  # brackets: one answer of many
    ],
)
def test_half_is_drawn_where_two_answers_are_possible(
    tmp_path: Path, also: str, labels: list[str]
) -> None:
    arms = [arm_of(tmp_path, "a", 2, 2, also=also), arm_of(tmp_path, "b", 4, 4, also=also)]
    with theme("test"):
        figure = draw_sweep_depths(sweep_of(*arms))
    assert figure is not None
    points = figure.axes[0]
    assert [text.get_text() for text in points.texts] == labels
    coins = [line for line in points.get_lines() if line.get_label() == "_coin"]
    assert [list(map(float, line.get_ydata())) for line in coins] == [[0.5, 0.5]] * len(labels)


@pytest.mark.parametrize("arrivals", [(LATE, NEVER, LATE, LATE), (NEVER,) * 3, (LATE,)])
def test_the_share_has_its_exact_interval(tmp_path: Path, arrivals: tuple[int, ...]) -> None:
    arm = arm_of(tmp_path, "arm", *[6] * len(arrivals), arrivals=arrivals)
    group = group_of(arm.runs, "question-formation", layers=6)
    count, seeds = sum(arrival == LATE for arrival in arrivals), len(arrivals)
    # Clopper and Pearson's quantiles of the beta distribution.
    low = stats.beta.ppf(0.025, count, seeds - count + 1) if count else 0.0
    high = stats.beta.ppf(0.975, count + 1, seeds - count) if count < seeds else 1.0
    share = crossing_share(group)
    assert (share.count, share.seeds) == (count, seeds)
    assert (share.low, share.high) == pytest.approx((low, high), abs=1e-9)
    interval, point = plot_crossings([group], Figure().add_subplot()).get_lines()
    assert np.asarray(interval.get_ydata()).tolist() == [share.low, share.high]
    assert np.asarray(point.get_ydata()).tolist() == [count / seeds]


def test_a_level_of_ones_own_counts_others(tmp_path: Path) -> None:
    arm = arm_of(tmp_path, "arm", 6, 6, arrivals=(LATE, NEVER))
    group = group_of(arm.runs, "question-formation", layers=6)
    assert [crossing_share(group, level).count for level in (0.0, 0.8, 1.1)] == [2, 1, 0]
