"""What a bug report needs is there; no token is, and no path names a user."""

from __future__ import annotations

import getpass
import json
from pathlib import Path

import pytest
import torch
import transformers
from huggingface_hub import constants

from hf_grok.cli import main
from hf_grok.commands import env
from hf_grok.version import __version__


def test_it_prints_what_runs_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["env", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["versions"]["hf_grok"] == __version__
    assert found["versions"]["torch"] == torch.__version__
    assert found["versions"]["transformers"] == transformers.__version__
    assert found["threads"]["torch"] == torch.get_num_threads()
    assert found["machine"]["device"].startswith("cuda" if torch.cuda.is_available() else "cpu")
    assert list(found) == ["versions", "machine", "threads", "caches", "offline"]


def test_text_has_every_fact_of_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["env"]) == 0
    lines = [line.split(None, 1) for line in capsys.readouterr().out.splitlines()]
    values = {words[-1] for words in lines if len(words) == 2}
    assert {torch.__version__, transformers.__version__} <= values
    assert len(lines) >= sum(map(len, env.facts().values()))


def test_no_token_and_no_user_is_in_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    token = "hf_" + "q" * 34
    monkeypatch.setenv("HF_TOKEN", token)
    monkeypatch.setattr(getpass, "getuser", lambda: "ludwig")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", "/scratch/ludwig/hub")
    monkeypatch.setattr(constants, "HF_HOME", str(Path.home() / "models"))
    assert main(["env"]) == 0
    text = capsys.readouterr().out
    assert token not in text
    assert "yes (not shown)" in text
    assert "ludwig" not in text
    assert "/scratch/USER/hub" in text
    assert "~/models" in text
    assert str(Path.home()) not in text


@pytest.mark.parametrize(
    ("path", "shown"),
    [("", "~"), ("a/b", "~/a/b")],
)
def test_the_home_folder_is_a_tilde(path: str, shown: str) -> None:
    assert env.without_user(Path.home() / path) == shown


def test_a_user_without_a_name_hides_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def unnamed() -> str:
        raise OSError("no username set in the environment")

    monkeypatch.setattr(getpass, "getuser", unnamed)
    assert env.without_user("/data/hub") == "/data/hub"


def test_offline_says_that_the_hub_may_not_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    found = env.facts()["offline"]
    assert (found["the Hub may be asked"], found["HF_HUB_OFFLINE"]) == ("no", "1")
