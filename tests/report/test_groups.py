from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hf_grok.dynamics import Run
from hf_grok.dynamics.curves import Crossing
from hf_grok.errors import UserError
from hf_grok.report.figures.accuracy import median_step
from hf_grok.report.figures.depth import depth_series
from hf_grok.report.groups import common_curve, differing_settings, full_length, group_runs
from hf_grok.report.page import make_section
from tests.dynamics.tables import INFO, table


def run(
    name: str, *, layers: int | None = 6, steps: tuple[int, ...] = (0, 10), **info: object
) -> Run:
    zeros = [0.5] * len(steps)
    return Run(
        Path(name),
        {**INFO, "model": {"name": "vanilla_transformer", "layers": layers}, **info},
        table(steps, seen=zeros, unseen=zeros),
        table([], loss=[]),
    )


def test_runs_that_differ_by_seed_are_one_group_in_order_of_seed() -> None:
    groups = group_runs([run("b", seed=1), run("a", seed=0)])
    assert [member.name for member in groups[0].runs] == ["a", "b"]
    assert groups[0].labels == ["seed 0", "seed 1"]
    assert groups[0].title == "question-formation (quick), 6 layers, 2 runs"
    assert groups[0].slug == "question-formation-quick-6-layers"


def test_depth_recipe_scale_and_model_part_groups() -> None:
    groups = group_runs(
        [
            run("e", layers=4),
            run("d", layers=2),
            run("c", recipe="dyck"),
            run("b", scale="paper"),
            run("a", model={"name": "gpt2", "layers": None}),
        ]
    )
    assert [group.setting for group in groups] == [
        "dyck (quick), 6 layers",
        "question-formation (paper), 6 layers",
        "question-formation (quick), gpt2",
        "question-formation (quick), 2 layers",
        "question-formation (quick), 4 layers",
    ]
    assert [[group.layers for group in members] for members in depth_series(groups)] == [[2, 4]]


def test_a_seed_that_is_there_twice_is_labelled_by_its_directory() -> None:
    assert group_runs([run("x"), run("y"), run("z", seed=1)])[0].labels == [
        "seed 0 (x)",
        "seed 0 (y)",
        "seed 1",
    ]


def test_a_run_given_twice_is_refused() -> None:
    with pytest.raises(UserError, match="given twice"):
        group_runs([run("a"), run("./a")])


def test_a_run_without_evaluations_is_refused() -> None:
    with pytest.raises(UserError, match=r"a has no evaluation yet \(status finished\)"):
        group_runs([run("a", steps=())])


def test_a_run_without_a_needed_column_is_named() -> None:
    broken = Run(Path("a"), INFO, table([0], seen=[0.5]), table([], loss=[]))
    with pytest.raises(UserError, match="a: unknown column of the evaluations"):
        group_runs([broken])


def test_differing_settings_are_found_and_warned_about() -> None:
    group = group_runs(
        [
            run("a", arguments={"learning_rate": 1e-3, "output_dir": "a"}),
            run("b", seed=1, arguments={"output_dir": "b", "disable_tqdm": True}),
        ]
    )[0]
    assert differing_settings(group) == {"learning_rate": ["0.001", "default"]}
    assert make_section(group, []).warnings == [
        "These runs differ by more than their seed: learning_rate (seed 0: 0.001, seed 1: "
        "default). Their mean is no mean over seeds."
    ]


def test_a_mean_is_over_the_runs_of_full_length() -> None:
    long, short = np.array([0, 10, 20]), np.array([0, 10])
    curves = [(long, long / 20), (short, short / 20), (long, long / 10)]
    assert [values[-1] for _, values in full_length(curves)] == [1.0, 2.0]


def test_the_common_curve_interpolates_nothing() -> None:
    steps, matrix = common_curve(
        [
            (np.array([0, 10, 20, 30]), np.array([0.0, 0.1, 0.2, 0.3])),
            (np.array([0, 15, 20]), np.array([1.0, 1.1, 1.2])),
        ]
    )
    assert steps.tolist() == [0, 20]
    assert matrix.tolist() == [[0.0, 0.2], [1.0, 1.2]]


def test_the_median_counts_runs_that_never_cross_as_last() -> None:
    crossings = [Crossing(0.95, 10, 0), Crossing(0.95, 30, 20), None]
    assert median_step(crossings) == 30
    assert median_step([*crossings, Crossing(0.95, 20, 10)]) == 25
    assert median_step([*crossings, None]) is None
    assert median_step([None]) is None
