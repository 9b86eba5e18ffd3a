"""From what is set aside to the Hub: complete, in order, each branch its own weights."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from transformers import AutoModelForCausalLM

from hf_grok.series import RefusedStepError, SeriesError, State, StepValues
from hf_grok.series.hub.background import BackgroundPusher
from hf_grok.series.hub.budget import CommitBudget
from hf_grok.series.hub.pusher import Pusher
from hf_grok.series.hub.repository import SeriesHub
from hf_grok.series.verify.hub import verify_hub
from tests.hub_server import Fault, HubServer
from tests.series.material import (
    REPO,
    pusher_of,
    save_checkpoint,
    series_of,
    staged,
    tiny_model,
    weights_of,
    weights_on,
)


def commits_of(server: HubServer, revision: str) -> list[str]:
    repository = server.repository(REPO)
    commit = repository.resolve(revision)
    assert commit is not None
    return [row.title for row in repository.history(commit)]


def test_each_step_is_a_branch_and_main_is_the_last(tmp_path: Path, hub_server: HubServer) -> None:
    outcome = pusher_of(staged(tmp_path, [0, 2, 4])).push_waiting()
    assert outcome.complete
    for step in (0, 2, 4):
        assert weights_on(hub_server, f"step{step}") == weights_of(tmp_path, step)
        files = set(hub_server.files(REPO, f"step{step}")) - {".gitattributes"}
        assert files == {
            "README.md",
            "config.json",
            "generation_config.json",
            "model.safetensors",
            "series.json",
        }
    assert weights_on(hub_server, "main") == weights_of(tmp_path, 4)
    assert hub_server.repository(REPO).private
    assert verify_hub(REPO, quiet=True).problems == ()
    assert hub_server.check() == ""


def test_from_pretrained_gives_the_step(tmp_path: Path, hub_server: HubServer) -> None:
    pusher_of(staged(tmp_path, [0, 2])).push_waiting()
    loaded = AutoModelForCausalLM.from_pretrained(REPO, revision="step2").state_dict()
    for name, expected in tiny_model(2).state_dict().items():
        assert torch.equal(loaded[name], expected), name


def test_the_journal_says_verified_with_the_commit(tmp_path: Path, hub_server: HubServer) -> None:
    series = staged(tmp_path, [1, 2])
    pusher_of(series).push_waiting()
    for step, record in series.journal.records().items():
        assert record.state is State.VERIFIED
        assert record.commit == hub_server.repository(REPO).resolve(f"step{step}")
        assert record.repository == REPO


def test_pushing_again_makes_no_commit(tmp_path: Path, hub_server: HubServer) -> None:
    series = staged(tmp_path, [1, 2])
    pusher_of(series).push_waiting()
    before = len(hub_server.log.entries("commit"))
    assert pusher_of(series).push_waiting().complete
    assert len(hub_server.log.entries("commit")) == before


def test_a_lost_journal_pushes_nothing_twice(tmp_path: Path, hub_server: HubServer) -> None:
    pusher_of(staged(tmp_path, [1, 2])).push_waiting()
    before = len(hub_server.log.entries("commit"))
    shutil.rmtree(tmp_path / "series")
    series = series_of(tmp_path)
    for step in (1, 2):
        folder = tmp_path / f"checkpoint-{step}"
        series.add(step, folder, StepValues(metrics={"eval_loss": 1.0}))
    assert pusher_of(series).push_waiting().complete
    assert len(hub_server.log.entries("commit")) == before


@pytest.mark.parametrize(
    ("endpoint", "fault"),
    [
        ("commit", Fault.LOST_RESPONSE),
        ("commit", Fault.SERVER_ERROR),
        ("commit", Fault.RESET_UPLOAD),
        ("commit", Fault.TOO_MANY_REQUESTS),
        ("create_branch", Fault.LOST_RESPONSE),
        ("create_branch", Fault.UNAVAILABLE),
        ("create_repo", Fault.LOST_RESPONSE),
        ("lfs_put", Fault.RESET_UPLOAD),
        ("refs", Fault.SERVER_ERROR),
        ("tree", Fault.LOST_RESPONSE),
        ("info", Fault.UNAVAILABLE),
        ("commits", Fault.SERVER_ERROR),
    ],
)
def test_a_fault_is_ridden_out(
    tmp_path: Path,
    hub_server: HubServer,
    hub_waits: list[float],
    quick: None,
    endpoint: str,
    fault: Fault,
) -> None:
    hub_server.faults.next(endpoint, fault, times=2)
    assert pusher_of(staged(tmp_path, [1, 2])).push_waiting().complete
    assert hub_server.faults.waiting() == 0
    for step in (1, 2):
        assert weights_on(hub_server, f"step{step}") == weights_of(tmp_path, step)
        assert commits_of(hub_server, f"step{step}").count(f"Step {step}") == 1
    assert verify_hub(REPO, quiet=True).problems == ()


def test_out_of_space_on_the_hub_is_waited_for(
    tmp_path: Path, hub_server: HubServer, hub_waits: list[float], quick: None
) -> None:
    hub_server.faults.next("commit", Fault.OUT_OF_SPACE)
    assert pusher_of(staged(tmp_path, [1])).push_waiting().complete


def test_a_revoked_token_stops_and_is_not_shown(tmp_path: Path, hub_server: HubServer) -> None:
    hub_server.store.tokens.revoke(hub_server.write_token)
    series, told = staged(tmp_path, [1, 2]), []
    outcome = pusher_of(series, warn=told.append, token=hub_server.write_token).push_waiting()
    assert outcome.waiting == ("step1", "step2")
    assert "401" in str(outcome.stopped)
    assert hub_server.write_token not in str(outcome) + str(told)
    hub_server.store.tokens.restore(hub_server.write_token)
    assert pusher_of(series).push_waiting().complete


def test_a_token_that_may_only_read_stops(tmp_path: Path, hub_server: HubServer) -> None:
    with hub_server.patched(hub_server.read_token):
        outcome = pusher_of(staged(tmp_path, [1])).push_waiting()
    assert "403" in str(outcome.stopped)


@pytest.mark.parametrize("status", [400, 404, 409, 412, 413, 422])
@pytest.mark.parametrize("endpoint", ["validate_yaml", "commit"])
def test_a_page_that_the_hub_refuses_is_not_sent_again_and_again(
    tmp_path: Path, hub_server: HubServer, hub_waits: list[float], endpoint: str, status: int
) -> None:
    """Nothing that a person wrote, or that the Hub's rules forbid, passes with time."""
    series, waits, told = staged(tmp_path, [1]), [], []
    pusher = Pusher(series, SeriesHub(REPO), patience=8, warn=told.append)

    class Stop:
        is_set = staticmethod(lambda: False)
        wait = staticmethod(waits.append)

    pusher.stop = Stop()
    hub_server.faults.next(endpoint, Fault.ECHOED_TOKEN, times=50, status=status)
    outcome = pusher.push_waiting()
    assert outcome.waiting == ("step1",)
    assert sum(waits) + sum(hub_waits) < 10
    assert any("step1 is not pushed" in text for text in told)


def test_patience_ends(tmp_path: Path, hub_server: HubServer, quick: None) -> None:
    hub_server.faults.next("commit", Fault.SERVER_ERROR, times=50)
    outcome = pusher_of(staged(tmp_path, [1])).push_waiting()
    assert outcome.waiting == ("step1",)
    assert not outcome.complete
    assert hub_server.faults.count(Fault.SERVER_ERROR) == 4  # one attempt and three again


def test_an_outage_between_two_rounds(tmp_path: Path, hub_server: HubServer, quick: None) -> None:
    series = staged(tmp_path, [1])
    hub_server.stop()
    assert pusher_of(series).push_waiting().waiting == ("step1",)
    hub_server.start()
    assert pusher_of(series).push_waiting().complete


def test_a_branch_with_other_weights_is_left_alone(tmp_path: Path, hub_server: HubServer) -> None:
    api = hub_server.client()
    api.create_repo(REPO, private=True)
    api.create_branch(REPO, branch="step1")
    name = "model.safetensors"
    api.upload_file(path_or_fileobj=b"theirs", path_in_repo=name, repo_id=REPO, revision="step1")
    told: list[str] = []
    outcome = pusher_of(staged(tmp_path, [1, 2]), warn=told.append).push_waiting()
    assert outcome.waiting == ("step1",)
    assert "holds other weights already" in told[0]
    assert weights_on(hub_server, "step1") == b"theirs"
    assert weights_on(hub_server, "step2") == weights_of(tmp_path, 2)


def test_foreign_files_leave_the_branch(tmp_path: Path, hub_server: HubServer) -> None:
    api = hub_server.client()
    api.create_repo(REPO, private=True)
    api.create_branch(REPO, branch="step1")
    content = b"of somebody else"
    api.upload_file(
        path_or_fileobj=content, path_in_repo="notes.txt", repo_id=REPO, revision="step1"
    )
    assert pusher_of(staged(tmp_path, [1])).push_waiting().complete
    assert "notes.txt" not in hub_server.files(REPO, "step1")


def test_cards_name_the_repository_and_stay_as_people_left_them(
    tmp_path: Path, hub_server: HubServer
) -> None:
    series = staged(tmp_path, [1])
    assert Pusher(series, SeriesHub("series")).push_waiting().complete
    assert (
        f'repo, step = "{REPO}", "step1"' in hub_server.files(REPO, "step1")["README.md"].decode()
    )
    hub_server.client().upload_file(
        path_or_fileobj=b"mine", path_in_repo="README.md", repo_id=REPO, revision="step1"
    )
    shutil.rmtree(series.folder)
    series.add(1, tmp_path / "checkpoint-1", StepValues(metrics={"eval_loss": 1.0}))
    assert pusher_of(series).push_waiting().complete
    assert hub_server.files(REPO, "step1")["README.md"] == b"mine"


def test_a_repository_that_begins_with_weights_is_refused(
    tmp_path: Path, hub_server: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hf_grok.series.hub import repository as hub
    from hf_grok.series.hub.remote_tree import RemoteFile

    held = {"model.safetensors": RemoteFile(3, "abc", None)}
    monkeypatch.setattr(hub, "tree_of", lambda *_: held)
    outcome = pusher_of(staged(tmp_path, [1])).push_waiting()
    assert "holds weights" in str(outcome.stopped)


def test_a_public_repository_is_refused_unless_asked_for(
    tmp_path: Path, hub_server: HubServer
) -> None:
    hub_server.client().create_repo(REPO, private=False)
    outcome = pusher_of(staged(tmp_path, [1])).push_waiting()
    assert "is public" in str(outcome.stopped)
    assert "step1" not in hub_server.repository(REPO).references()


def test_weights_of_pushed_steps_are_let_go(tmp_path: Path, hub_server: HubServer) -> None:
    series = staged(tmp_path, [1, 2])
    pusher_of(series).push_waiting()
    kept = sorted(path.parent.name for path in series.folder.rglob("*.safetensors"))
    assert kept == ["step2"]
    series.add(3, save_checkpoint(tmp_path, 3), StepValues())
    assert pusher_of(series).push_waiting().complete
    assert weights_on(hub_server, "main") == weights_of(tmp_path, 3)


def test_what_changed_on_the_disk_is_not_pushed(tmp_path: Path, hub_server: HubServer) -> None:
    series = staged(tmp_path, [1, 2])
    path = series.folder / "staged" / "step1" / "model.safetensors"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-1] + b"\x7f")
    told: list[str] = []
    assert pusher_of(series, warn=told.append).push_waiting().waiting == ("step1",)
    assert "not what was set aside" in told[0]
    assert "step1" not in hub_server.client().list_repo_refs(REPO).branches


def test_tags_pin_the_steps(tmp_path: Path, hub_server: HubServer) -> None:
    pusher_of(staged(tmp_path, [1]), tags=True).push_waiting()
    repository = hub_server.repository(REPO)
    assert repository.resolve("pinned-step1") == repository.resolve("step1")


def test_a_series_has_one_repository(tmp_path: Path, hub_server: HubServer) -> None:
    series = staged(tmp_path, [1])
    pusher_of(series).push_waiting()
    series.add(2, save_checkpoint(tmp_path, 2), StepValues())
    outcome = Pusher(series, SeriesHub("grower/other")).push_waiting()
    assert f"this series is on {REPO}" in str(outcome.stopped)


def test_two_processes_do_not_push_at_once(tmp_path: Path, hub_server: HubServer) -> None:
    from filelock import FileLock

    series = staged(tmp_path, [1])
    with FileLock(series.folder / "pushing.lock"), pytest.raises(SeriesError, match="another"):
        pusher_of(series).push_waiting()


def test_the_budget_of_commits_is_kept(tmp_path: Path, hub_server: HubServer) -> None:
    series, now = staged(tmp_path, [1, 2, 3]), [0.0]
    budget = CommitBudget(series.folder / "commits.json", limit=2, clock=lambda: now[0])
    pusher = pusher_of(series, budget=budget)
    waits = []

    class Stop:
        is_set = staticmethod(lambda: False)

        def wait(self, seconds: float) -> None:
            waits.append(seconds)
            now[0] += seconds

    pusher.stop = Stop()  # type: ignore[assignment]
    assert pusher.push_waiting().complete
    assert waits == [3600.0]  # two commits, an hour, the third step and main
    assert len(hub_server.log.entries("commit")) == 4


@pytest.mark.parametrize("xet", [False, True])
def test_everything_in_git_itself(
    tmp_path: Path, hub_server: HubServer, monkeypatch: pytest.MonkeyPatch, xet: bool
) -> None:
    """With xet, its own way to commit; the Hub says that no file is a large one."""
    if xet:
        pytest.importorskip("hf_xet")
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    hub_server.everything_regular()
    assert pusher_of(staged(tmp_path, [1, 2])).push_waiting().complete
    assert verify_hub(REPO, quiet=True).problems == ()


def test_what_escapes_the_pusher_is_told_without_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token of any shape; and the thread that meets a null in an answer lives on."""
    series, told = staged(tmp_path, [1]), []
    pusher = pusher_of(series, token="not-of-the-usual-shape")

    def fail() -> None:
        raise AttributeError("NoneType; not-of-the-usual-shape")

    monkeypatch.setattr(pusher, "push_waiting", fail)
    background = BackgroundPusher(pusher, told.append)
    background.wake()
    background.finish(10)
    assert told == ["NoneType; hf_***"]


def test_no_token_leaves_the_machine_but_in_its_header(
    tmp_path: Path, hub_server: HubServer
) -> None:
    pusher_of(staged(tmp_path, [1])).push_waiting()
    assert hub_server.log.leaks() == []
    for path in tmp_path.joinpath("series").rglob("*"):
        assert path.is_dir() or hub_server.write_token.encode() not in path.read_bytes()


def test_refused_steps_are_refused_before_they_are_pushed(
    tmp_path: Path, hub_server: HubServer
) -> None:
    series = staged(tmp_path, [1])
    with pytest.raises(RefusedStepError, match="step2 has the same weights as step1"):
        series.add(2, save_checkpoint(tmp_path, 2, seed=1), StepValues())
    assert pusher_of(series).push_waiting().complete
    assert [ref.name for ref in hub_server.client().list_repo_refs(REPO).branches] == [
        "main",
        "step1",
    ]
