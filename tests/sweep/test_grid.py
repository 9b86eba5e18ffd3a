"""Grids of settings, and seeds as ranges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hf_grok.errors import UserError
from hf_grok.sweep.seeds import seeds_of
from tests.sweep.test_plan import plan_of

GRID = {"layers": [2, 4], "hidden_size": [16, 32, 64]}


def test_a_grid_alone_is_every_combination_named_by_its_values(tmp_path: Path) -> None:
    arms = plan_of(tmp_path, arms={}, grid=GRID).arms
    assert list(arms)[:2] == ["layers-2-hidden_size-16", "layers-2-hidden_size-32"]
    cells = {(arm.settings["layers"], arm.settings["hidden_size"]) for arm in arms.values()}
    assert cells == {(layers, size) for layers in (2, 4) for size in (16, 32, 64)}
    assert all(arm.settings["max_steps"] == 40 for arm in arms.values())  # of `common`


def test_arms_in_a_grid_branch_off_within_their_cell(tmp_path: Path) -> None:
    arms = {"base": {}, "late": {"from": "base", "step": 10, "logging_steps": 2}}
    plan = plan_of(tmp_path, arms=arms, grid={"layers": [2, 4]})
    assert list(plan.arms) == ["base-layers-2", "late-layers-2", "base-layers-4", "late-layers-4"]
    late = plan.arms["late-layers-4"]
    assert (late.parent, late.settings["layers"]) == ("base-layers-4", 4)
    assert late.cell == {"layers": 4}
    assert [arm.name for arm in plan.in_order()][:2] == ["base-layers-2", "base-layers-4"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"grid": {"layers": 2}}, "layers: expected a list"),
        ({"grid": {"layers": []}}, "layers: expected a list"),
        ({"grid": {"layers": [2, 2]}}, "stands there twice"),
        ({"grid": {"seed": [1, 2]}}, "seeds are listed under"),
        ({"grid": ["layers"]}, "names with lists"),
        ({"arms": {"a": {"layers": 3}}, "grid": {"layers": [2]}}, "say it once"),
        ({"arms": {}, "grid": {"sas_schedule": ["0:1", "0/1"]}}, "would both be named"),
        ({"grid": {"language": ["Quest", "quest"]}}, "one folder on some file systems"),
        ({"arms": {"Base": {}, "base": {}}}, "Base and base differ by case alone"),
        ({"grid": {"tokenizer": ["/data" * 50]}}, "its name has 26[0-9] characters"),
        ({"arms": {}}, "no `arms` and no `grid`"),
    ],
)
def test_a_wrong_grid_is_refused(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    changes = {"arms": {}, **changes}
    with pytest.raises(UserError, match=told):
        plan_of(tmp_path, **changes)


@pytest.mark.parametrize(
    ("written", "seeds"),
    [
        ("0-3", (0, 1, 2, 3)),
        (["0-2", 7], (0, 1, 2, 7)),
        ([4], (4,)),
        (5, (5,)),
        (["3", "9-10"], (3, 9, 10)),
        ("0-2,7", (0, 1, 2, 7)),
        (["0-1, 4", 9], (0, 1, 4, 9)),
    ],
)
def test_seeds(written: Any, seeds: tuple[int, ...]) -> None:
    assert seeds_of(written, "seeds") == seeds


@pytest.mark.parametrize(
    "written", ["3-1", "a", "", [], ["0-2", 1], [-1], "1-", [1.0], "0-99999999", "1,", "0-3,2"]
)
def test_seeds_that_are_none(written: Any) -> None:
    with pytest.raises(UserError, match=r"--seeds: expected different whole numbers"):
        seeds_of(written, "--seeds")
