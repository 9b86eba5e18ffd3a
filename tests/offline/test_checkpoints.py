"""Which revisions of a Hub repository are a series."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from huggingface_hub import HfApi

from hf_grok.offline import find_checkpoints


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
    monkeypatch.setattr(HfApi, "model_info", lambda *_, revision: SimpleNamespace(sha="abc"))
    (checkpoint,) = find_checkpoints("somebody/series", "step7")
    assert (checkpoint.revision, checkpoint.step, checkpoint.hub_revision) == ("step7", 7, "abc")
