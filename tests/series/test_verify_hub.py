"""Every kind of damage, put into a real repository and found without downloading weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from hf_grok.errors import UserError
from hf_grok.series import RefusedStepError, StepRecord, StepValues
from hf_grok.series.verify.hub import verify_hub
from hf_grok.series.verify.local import verify_folder
from hf_grok.series.verify.report import Report
from tests.hub_server import HubServer
from tests.series.material import REPO, pusher_of, save_checkpoint, staged

OTHERS = "grower/others"


def found(report: Report) -> set[tuple[str, str]]:
    return {(problem.kind, problem.revision) for problem in report.problems}


def upload(server: HubServer, repo: str, revision: str, files: Mapping[str, bytes]) -> None:
    api = server.client()
    api.create_repo(repo, private=True, exist_ok=True)
    if revision != "main":
        api.create_branch(repo, branch=revision, exist_ok=True)
    for name, content in files.items():
        api.upload_file(path_or_fileobj=content, path_in_repo=name, repo_id=repo, revision=revision)


def series(server: HubServer, revisions: Mapping[str, bytes], name: str = "model.safetensors"):
    for revision, content in revisions.items():
        upload(server, OTHERS, revision, {name: content})


@pytest.fixture
def pushed(tmp_path: Path, hub_server: HubServer) -> HubServer:
    assert pusher_of(staged(tmp_path, [0, 2, 4])).push_waiting().complete
    return hub_server


def test_a_clean_series(pushed: HubServer) -> None:
    before = len(pushed.log.entries("download"))
    with pushed.patched(pushed.read_token):
        report = verify_hub(REPO, quiet=True)
    assert report.problems == ()
    assert [revision.name for revision in report.revisions] == ["step0", "step2", "step4"]
    assert report.described == 3
    paths = {entry.path.rpartition("/")[2] for entry in pushed.log.entries("download")[before:]}
    small = {"config.json", "generation_config.json"}  # each content once
    assert paths == {"series.json", "series-index.json", *small}


def test_a_revision_that_went(pushed: HubServer) -> None:
    pushed.client().delete_branch(REPO, branch="step2")
    assert found(verify_hub(REPO, quiet=True)) == {("missing", "step2")}


def test_a_revision_with_the_weights_of_another(pushed: HubServer) -> None:
    other = pushed.files(REPO, "step4")["model.safetensors"]
    upload(pushed, REPO, "step2", {"model.safetensors": other})
    report = verify_hub(REPO, quiet=True)
    assert {("altered", "step2"), ("repeated", "step2")} == found(report)
    assert len(report.problems) == 2
    assert "has the weights of step4" in str(report.problems)


def test_a_revision_that_is_another_as_a_whole(pushed: HubServer) -> None:
    upload(pushed, REPO, "step2", pushed.files(REPO, "step4"))
    assert ("mislabelled", "step2") in found(verify_hub(REPO, quiet=True))


def test_a_branch_that_was_never_filled(pushed: HubServer) -> None:
    first = pushed.client().list_repo_commits(REPO)[-1].commit_id
    pushed.client().create_branch(REPO, branch="step6", revision=first)
    assert found(verify_hub(REPO, quiet=True)) == {("empty", "step6")}


def test_a_file_that_was_changed(pushed: HubServer) -> None:
    upload(pushed, REPO, "step2", {"config.json": b"{}"})
    report = verify_hub(REPO, quiet=True)
    assert found(report) == {("altered", "step2")}
    assert "config.json has 2 bytes" in report.problems[0].detail


def test_a_branch_of_something_else(pushed: HubServer) -> None:
    upload(pushed, REPO, "finetuned", {"model.safetensors": b"other"})
    upload(pushed, REPO, "notes", {"notes.txt": b"words"})
    api = pushed.client()
    first = api.list_repo_commits(REPO)[-1].commit_id
    api.create_branch(REPO, branch="fresh", revision=first)
    assert ("foreign", "finetuned") in found(verify_hub(REPO, quiet=True))
    assert ("foreign", "fresh") not in found(verify_hub(REPO, quiet=True))


def test_steps_that_the_index_does_not_list(tmp_path: Path, pushed: HubServer) -> None:
    api = pushed.client()
    api.create_branch(REPO, branch="step3", revision=api.list_repo_commits(REPO)[-1].commit_id)
    upload(pushed, REPO, "step3", {"model.safetensors": b"of nobody knows whom"})
    api.create_branch(REPO, branch="step6", revision="step4")
    report = verify_hub(REPO, quiet=True)
    assert ("foreign", "step3") in found(report)
    assert {("mislabelled", "step6"), ("repeated", "step6")} < found(report)
    assert len(report.problems) == 3


def test_an_irregular_schedule_has_no_holes_and_what_was_never_published_is_told(
    tmp_path: Path, hub_server: HubServer
) -> None:
    series = staged(tmp_path, [0, 10, 20, 40])  # where others would have a hole at 30
    assert pusher_of(series).push_waiting().complete
    assert verify_hub(REPO, quiet=True).problems == ()
    assert verify_folder(tmp_path, quiet=True).problems == ()
    series.journal.append(StepRecord(50, "step50", reason=f"{tmp_path}: the disk was full"))
    with pytest.raises(RefusedStepError):
        series.add(60, save_checkpoint(tmp_path, 60, seed=40), StepValues())
    series.add(70, save_checkpoint(tmp_path, 70), StepValues())
    pusher_of(series).push_waiting()
    expected = {("missing", "step50"), ("refused", "step60")}
    assert found(verify_hub(REPO, quiet=True)) == expected
    assert found(verify_folder(tmp_path, quiet=True)) == expected
    assert str(tmp_path).encode() not in hub_server.files(REPO)["series-index.json"]


def test_a_step_that_is_not_announced_yet(tmp_path: Path, hub_server: HubServer) -> None:
    """Pushing stopped before main was brought up to date."""
    series = staged(tmp_path, [0, 2])
    pusher_of(series).push_waiting()
    series.add(4, save_checkpoint(tmp_path, 4), StepValues())
    series.add(6, save_checkpoint(tmp_path, 6), StepValues())
    pusher = pusher_of(series, info=lambda text: pusher.stop.set())
    assert pusher.push_waiting().waiting == ("step6",)
    assert found(verify_hub(REPO, quiet=True)) == {("unlisted", "step4")}
    assert pusher_of(series).push_waiting().complete
    assert verify_hub(REPO, quiet=True).problems == ()


def test_a_listed_step_without_its_manifest(pushed: HubServer) -> None:
    pushed.client().delete_file("series.json", REPO, revision="step2")
    report = verify_hub(REPO, quiet=True)
    assert [(p.kind, p.detail) for p in report.problems] == [
        ("altered", "series.json is not there")
    ]


def test_a_main_that_is_not_the_last_step(pushed: HubServer) -> None:
    other = pushed.files(REPO, "step0")["model.safetensors"]
    upload(pushed, REPO, "main", {"model.safetensors": other})
    assert found(verify_hub(REPO, quiet=True)) == {("mislabelled", "main")}


def test_a_manifest_that_cannot_be_read(pushed: HubServer) -> None:
    upload(pushed, REPO, "step2", {"series.json": b'{"format": 9}'})
    assert found(verify_hub(REPO, quiet=True)) == {("unreadable", "step2")}


def test_a_branch_that_left_its_tag(tmp_path: Path, hub_server: HubServer) -> None:
    pusher_of(staged(tmp_path, [0, 2]), tags=True).push_waiting()
    assert verify_hub(REPO, quiet=True).problems == ()
    upload(hub_server, REPO, "step2", {"notes.txt": b"words"})
    assert found(verify_hub(REPO, quiet=True)) == {("moved", "step2"), ("altered", "step2")}


def test_somebody_elses_series(hub_server: HubServer) -> None:
    """Pythia's names; step2 was uploaded twice, step4 is missing."""
    steps = {f"step{step}": b"weights %d" % step for step in (0, 1, 2, 8, 16)}
    series(hub_server, {**steps, "step8": b"weights 2"}, "pytorch_model.bin")
    report = verify_hub(OTHERS, quiet=True)
    assert found(report) == {("repeated", "step8"), ("hole", "step4")}
    assert report.described == 0


def test_a_series_in_stages(hub_server: HubServer) -> None:
    names = [f"stage1-step{step}-tokens{step}B" for step in (0, 1000, 2000, 4000)]
    names += [f"stage2-step{step}-tokens{step}B" for step in (1000, 2000)]
    series(hub_server, {name: name.encode() for name in names})
    report = verify_hub(OTHERS, quiet=True)
    assert [(p.kind, p.detail) for p in report.problems] == [("hole", "no revision for step 3000")]


def test_a_shard_of_another_step(hub_server: HubServer) -> None:
    shards = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
    for step, first in ((0, b"a0"), (1000, b"a1"), (2000, b"a0")):
        files = {shards[0]: first, shards[1]: b"b%d" % step}
        upload(hub_server, OTHERS, f"step{step}", files)
    report = verify_hub(OTHERS, quiet=True)
    assert found(report) == {("partly repeated", "step2000")}
    assert f"{shards[0]} is that of step0" in report.problems[0].detail


def test_weights_that_git_itself_keeps_are_hashed_here(hub_server: HubServer) -> None:
    hub_server.everything_regular()
    series(hub_server, {"step1": b"same", "step2": b"same", "step3": b"other"})
    assert found(verify_hub(OTHERS, quiet=True)) == {("repeated", "step2")}


def test_pages_of_the_tree(tmp_path: Path, hub_server: HubServer) -> None:
    hub_server.store.page_size = 2
    pusher_of(staged(tmp_path, [0, 2])).push_waiting()
    assert verify_hub(REPO, quiet=True).problems == ()


def test_no_series_and_no_repository(hub_server: HubServer) -> None:
    with pytest.raises(UserError, match="could not be verified"):
        verify_hub("grower/none", quiet=True)
    hub_server.client().create_repo("grower/empty")
    with pytest.raises(UserError, match="holds no series"):
        verify_hub("grower/empty", quiet=True)


def test_an_outage_shows_no_token(hub_server: HubServer) -> None:
    hub_server.store.tokens.revoke(hub_server.write_token)
    with pytest.raises(UserError, match="401") as error:
        verify_hub(REPO, quiet=True)
    assert hub_server.write_token not in str(error.value)
    assert error.value.__suppress_context__  # a traceback shows the fixed message alone


def test_the_report_is_plain(pushed: HubServer) -> None:
    report = json.loads(json.dumps(verify_hub(REPO, quiet=True).to_json()))
    assert report["clean"] is True
    assert [row["step"] for row in report["revisions"]] == [0, 2, 4]
