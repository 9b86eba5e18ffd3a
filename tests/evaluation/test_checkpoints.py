"""Which revisions of a Hub repository are a series."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from huggingface_hub import HfApi

from hf_grok.errors import UserError
from hf_grok.evaluation import at_steps, find_checkpoints
from hf_grok.series import NameReader


def refs(branches: list[str], tags: list[str]) -> SimpleNamespace:
    def named(names: list[str]) -> list[SimpleNamespace]:
        return [SimpleNamespace(name=name, target_commit=f"commit of {name}") for name in names]

    return SimpleNamespace(branches=named(branches), tags=named(tags))


def found(monkeypatch: pytest.MonkeyPatch, answer: SimpleNamespace) -> list[tuple]:
    monkeypatch.setattr(HfApi, "list_repo_refs", lambda *_: answer)
    checkpoints = find_checkpoints("somebody/series")
    return [(place.revision, place.step, place.identity) for place in checkpoints]


def test_step_branches_and_tags_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = refs(["main", "step1000", "step2", "steps", "step5-old"], ["step30", "v1"])
    assert found(monkeypatch, answer) == [
        ("step2", 2, "commit of step2"),
        ("step30", 30, "commit of step30"),
        ("step1000", 1000, "commit of step1000"),
    ]


def test_a_repository_without_steps_is_its_main(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(monkeypatch, refs(["main", "dev"], ["v1"])) == [("main", None, "commit of main")]


def test_one_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        HfApi, "model_info", lambda *_, revision, timeout: SimpleNamespace(sha="abc")
    )
    (checkpoint,) = find_checkpoints("somebody/series", "step7")
    assert (checkpoint.revision, checkpoint.step, checkpoint.hub_revision) == ("step7", 7, "abc")


@pytest.mark.parametrize(
    ("branches", "expected", "said"),
    [
        (["main", "step-001000-2BT"], [("step-001000-2BT", 1000, "steps")], None),
        (["main", "chck_1M"], [("chck_1M", 10**6, "words")], "are words, no steps"),
        (
            ["main", "ckpt_001", "ckpt_000"],
            [("ckpt_000", 0, "checkpoints"), ("ckpt_001", 1, "checkpoints")],
            "are checkpoints, no steps",
        ),
        (["main", "step1", "odd", "v1"], [("step1", 1, "steps")], "2 of 3 branches and tags"),
        (["main", "odd"], [("main", None, "steps")], "main alone"),
        (["v1", "v2"], [], "v1, v2"),
    ],
)
def test_what_is_left_out_is_said(
    monkeypatch: pytest.MonkeyPatch, branches: list[str], expected: list[tuple], said: str | None
) -> None:
    monkeypatch.setattr(HfApi, "list_repo_refs", lambda *_: refs(branches, []))
    told: list[str] = []
    places = find_checkpoints("somebody/series", say=told.append)
    assert [(place.revision, place.step, place.unit) for place in places] == expected
    assert said in " ".join(told) if said else told == []


def test_a_pattern_reads_other_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HfApi, "list_repo_refs", lambda *_: refs(["main", "a-7-z", "a-12-z"], []))
    places = find_checkpoints("x/y", names=NameReader(pattern=r"a-(\d+)-z"))
    assert [(place.revision, place.step) for place in places] == [("a-7-z", 7), ("a-12-z", 12)]


@pytest.mark.parametrize("steps", [None, "last", "1,2"])
def test_steps_of_nothing(steps: str | None) -> None:
    with pytest.raises(UserError, match="there is no checkpoint to look at"):
        at_steps([], steps)
