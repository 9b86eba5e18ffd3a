from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from hf_grok.errors import UserError
from hf_grok.sweep.plan import Plan, read_plan, shipped_sweeps

FILE = {
    "recipe": "question-formation",
    "common": {"max_steps": 40, "weight_decay": 0.0},
    "seeds": [0, 1],
    "arms": {
        "late": {"from": "early", "step": 30, "threads": 2},
        "early": {"from": "root", "step": 10, "reset_optimizer": True},
        "plain": {},
        "root": {"weight_decay": 0.1},
    },
}


def plan_of(folder: Path, **changes: object) -> Plan:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({**FILE, **changes}, sort_keys=False))
    return read_plan(str(path))


def test_an_arm_has_the_common_settings_those_of_what_it_branches_off_and_its_own(
    tmp_path: Path,
) -> None:
    arms = plan_of(tmp_path).arms
    assert list(arms) == ["late", "early", "plain", "root"]
    assert arms["plain"].settings == {"max_steps": 40, "weight_decay": 0.0}
    assert arms["late"].settings == {"max_steps": 40, "weight_decay": 0.1, "threads": 2}
    assert (arms["late"].parent, arms["late"].step) == ("early", 30)
    assert arms["early"].reset_optimizer
    assert not arms["late"].reset_optimizer


def test_what_others_branch_off_comes_first_and_the_rest_as_in_the_file(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    assert [arm.name for arm in plan.in_order()] == ["root", "early", "plain", "late"]
    assert plan.branch_steps("root") == (10,)
    assert plan.branch_steps("plain") == ()


def test_chosen_arms_bring_those_they_branch_off(tmp_path: Path) -> None:
    chosen = plan_of(tmp_path).chosen(["late"], [7])
    assert list(chosen.arms) == ["late", "early", "root"]
    assert chosen.seeds == (7,)


def test_overrides_replace_common_settings_and_not_an_arms_own(tmp_path: Path) -> None:
    plan_of(tmp_path)
    plan = read_plan(str(tmp_path / "mine.yaml"), {"weight_decay": 0.5, "max_steps": 50})
    assert plan.arms["plain"].settings == {"max_steps": 50, "weight_decay": 0.5}
    assert plan.arms["root"].settings == {"max_steps": 50, "weight_decay": 0.1}


def test_a_recipe_file_lies_beside_the_sweeps_own(tmp_path: Path) -> None:
    assert plan_of(tmp_path, recipe="tiny.yaml").recipe == str(tmp_path / "tiny.yaml")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"seeds": []}, "has no `seeds`"),
        ({"seeds": [0, 0]}, "different whole numbers"),
        ({"seeds": [True]}, "different whole numbers"),
        ({"seed": [0]}, "unknown key of"),
        ({"arms": {"a b": {}}}, "as of a folder"),
        ({"arms": {"a": None}}, "expected a mapping"),
        ({"arms": {"a": {"seed": 3}}}, "seeds are listed under"),
        ({"common": {"output_dir": "x"}}, "under --out"),
        ({"arms": {"a": {"from": "b", "step": 3}}}, "unknown `from`"),
        ({"arms": {"a": {}, "b": {"step": 3}}}, "unknown `from`"),
        ({"arms": {"a": {}, "b": {"from": "a"}}}, "step None"),
        ({"arms": {"a": {}, "b": {"from": "a", "step": 0}}}, "above 0"),
        ({"arms": {"a": {}, "b": {"from": "a", "step": "3"}}}, "step '3'"),
        (
            {
                "arms": {
                    "a": {},
                    "b": {"from": "a", "step": 5},
                    "c": {"from": "b", "step": 5},
                }
            },
            "above 5",
        ),
        (
            {"arms": {"a": {"from": "b", "step": 3}, "b": {"from": "a", "step": 4}}},
            "branches off itself",
        ),
        (
            {"arms": {"a": {}, "b": {"from": "a", "step": 3, "reset_optimizer": "yes"}}},
            "expected true or false",
        ),
    ],
)
def test_a_file_that_says_nonsense_is_refused(
    tmp_path: Path, changes: dict[str, object], told: str
) -> None:
    with pytest.raises(UserError, match=told):
        plan_of(tmp_path, **changes)


def test_an_unknown_sweep_or_arm_or_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown sweep 'sas'"):
        read_plan("sas")
    with pytest.raises(UserError, match="no sweep file"):
        read_plan("sas.yaml")
    with pytest.raises(UserError, match="unknown arm of mine 'basis'"):
        plan_of(tmp_path).chosen(["basis"], None)
    (tmp_path / "bad.yaml").write_text("arms: [")
    with pytest.raises(UserError, match=r"bad\.yaml:2: not YAML"):
        read_plan(str(tmp_path / "bad.yaml"))


@pytest.mark.parametrize("name", shipped_sweeps())
def test_every_shipped_sweep_reads(name: str) -> None:
    plan = read_plan(name)
    assert len(plan.seeds) >= 5
    assert len(plan.arms) >= 2
