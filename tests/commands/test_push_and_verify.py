"""`hf-grok push` and `hf-grok verify`, as one types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hf_grok.cli import main
from hf_grok.commands import push
from hf_grok.commands.verify import as_text
from hf_grok.series import StepRecord
from hf_grok.series.hub import pusher
from hf_grok.series.verify.report import Problem, Report
from tests.hub_server import Fault, HubServer
from tests.hub_server.fixtures import hub_server, hub_waits
from tests.series.material import REPO, save_checkpoint, series_of

__all__ = ["hub_server", "hub_waits"]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    for step in (0, 10, 20):
        save_checkpoint(tmp_path / "run", step)
    return tmp_path / "run"


def test_push_then_verify(
    run: Path, hub_server: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["push", str(run), "series"]) == 0
    said = capsys.readouterr().out
    assert f"3 of 3 steps are on {REPO} (private: only you see it)" in said
    assert f"hf-grok verify {REPO}" in said
    assert hub_server.repository(REPO).private
    assert main(["verify", REPO]) == 0
    assert "clean" in capsys.readouterr().out
    assert main(["verify", str(run)]) == 0


def test_push_again_after_more_training(run: Path, hub_server: HubServer) -> None:
    main(["push", str(run), REPO])
    commits = len(hub_server.log.entries("commit"))
    assert main(["push", str(run), REPO]) == 0
    assert len(hub_server.log.entries("commit")) == commits
    save_checkpoint(run, 30)
    assert main(["push", str(run), REPO]) == 0
    assert len(hub_server.log.entries("commit")) == commits + 2  # step30 and main


def test_all_options(run: Path, hub_server: HubServer, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--public", "--tags", "--optimizer", "--revision-template", "ckpt-{step}"]
    assert main(["push", str(run), REPO, *words]) == 0
    assert f"3 of 3 steps are on {REPO} (public)" in capsys.readouterr().out
    assert not hub_server.repository(REPO).private
    assert hub_server.repository(REPO).resolve("pinned-ckpt-10")
    assert hub_server.files(REPO, "ckpt-10")["optimizer.pt"] == b"moments at 10"


def test_an_outage_ends_with_how_to_go_on(
    run: Path,
    hub_server: HubServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(pusher, "delay", lambda attempt, asked: 0.0)
    hub_server.faults.next("commit", Fault.SERVER_ERROR, times=push.PATIENCE + 1, after=1)
    assert main(["push", str(run), REPO]) == 1
    said = capsys.readouterr().out
    assert "not pushed: step10, step20" in said
    assert f"to go on: hf-grok push {run} {REPO}" in said
    assert main(["push", str(run), REPO]) == 0


def test_a_twin_is_named_and_gives_1(
    run: Path, hub_server: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    save_checkpoint(run, 30, seed=20)
    assert main(["push", str(run), REPO]) == 1
    assert "refused: step30 has the same weights as step20" in capsys.readouterr().out


def test_verify_says_what_is_wrong(
    run: Path, hub_server: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["push", str(run), REPO])
    hub_server.client().delete_branch(REPO, branch="step10")
    capsys.readouterr()
    assert main(["verify", REPO]) == 1
    assert "missing" in capsys.readouterr().out
    assert main(["verify", REPO, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert [p["revision"] for p in report["problems"]] == ["step10"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["push", "{run}/checkpoint-0", "x"], "holds no series"),
        (["push", "{run}", "a/b/c"], 'expected "name" or "user/name"'),
        (["push", "{run}", "x", "--revision-template", "step"], "revision template"),
        (["verify", "{run}/checkpoint-0/config.json"], "is a file"),
        (["verify", "{run}/checkpoint-0"], "holds no series"),
        (["verify", "grower/none"], "could not be verified"),
    ],
)
def test_mistakes_give_2(
    run: Path,
    hub_server: HubServer,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    assert main([word.format(run=run, step="{step}") for word in words]) == 2
    assert message in capsys.readouterr().err


def test_without_a_network_or_a_token(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["push", str(run), REPO]) == 2
    assert "HF_HUB_OFFLINE" in capsys.readouterr().err
    monkeypatch.setattr("huggingface_hub.is_offline_mode", lambda: False)
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    assert main(["push", str(run), REPO]) == 2
    assert "hf auth login" in capsys.readouterr().err


def test_a_step_that_is_gone_is_named_and_gives_1(
    run: Path, hub_server: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    series = series_of(run)
    series.journal.append(StepRecord(30, "step30", reason="step 30: the disk was full"))
    assert main(["push", str(run), REPO]) == 1
    said = capsys.readouterr().out
    assert "not set aside: step 30: the disk was full" in said


def test_a_recipes_run_knows_lambda_and_position(run: Path, hub_server: HubServer) -> None:
    """Without the callback: what run.json says, and nothing is read off the log rows nearby."""
    settings = {"sas_schedule": "0:0.5,10:0.5->0@20", "per_device_train_batch_size": 4}
    about = {"arguments": settings, "chosen": {"processes": 3}, "data": {"train_examples": 480}}
    (run / "run.json").write_text(json.dumps(about))
    assert main(["push", str(run), REPO]) == 0
    rows = [json.loads(hub_server.files(REPO, f"step{n}")["series.json"]) for n in (0, 10, 20)]
    assert [row["lambda"] for row in rows] == [0.5, 0.5, pytest.approx(0.275)]  # 9 of 20 ramped
    assert [row["data_position"] for row in rows] == [0, 120, 240]
    card = hub_server.files(REPO)["README.md"].decode()
    assert "| 20 | [`step20`]" in card
    assert "| 0.275 |" in card


def test_what_a_terminal_would_obey_is_written_out() -> None:
    name = "step2\x1b[2Jgone\r\N{RIGHT-TO-LEFT OVERRIDE}"
    text = as_text(Report("me/series", (), (Problem("altered", name, "weights"),)))
    assert r"step2\x1b[2Jgone\r\u202e" in text
    assert all(line.isprintable() for line in text.splitlines())


def test_a_deleted_branch_is_told(
    run: Path, hub_server: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["push", str(run), REPO])
    hub_server.client().delete_branch(REPO, branch="step10")
    capsys.readouterr()
    assert main(["push", str(run), REPO]) == 1
    said = capsys.readouterr().out
    assert f"2 of 3 steps are on {REPO}" in said
    assert "deleted on the Hub since: step10" in said
    assert "to go on" not in said
    (run / "series").rename(run / "elsewhere")
    assert main(["push", str(run), REPO]) == 0
    assert main(["verify", REPO]) == 0


def test_what_the_hub_answers_is_told_in_words(
    run: Path, hub_server: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    hub_server.store.tokens.revoke(hub_server.write_token)
    assert main(["push", str(run), REPO]) == 1
    assert main(["verify", REPO]) == 2
    said = capsys.readouterr()
    assert "because: the Hub answered 401 Unauthorized: Invalid" in said.out
    assert f"a token that may write {REPO} (HF_TOKEN, or hf auth login)" in said.out
    assert f"a token that may read {REPO}" in said.err
    assert "http" not in said.out + said.err
