"""A page as a static Space, on the tests' Hub."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from huggingface_hub import CommitOperationAdd, HfApi

from hf_grok.cli import main as cli
from hf_grok.commands.explore_space import push_space
from hf_grok.errors import UserError
from tests.hub_server import Fault, HubServer
from tests.hub_server.fixtures import hub_server, hub_waits
from tests.report.synthetic import question_run

__all__ = ["hub_server", "hub_waits"]


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.html"
    path.write_text('<title>a &lt;b&gt;: "2" runs</title>one')
    return path


def test_a_space_holds_the_page_and_a_card(hub_server: HubServer, page: Path) -> None:
    pushed = push_space(page, "pages")
    files = hub_server.files(pushed.repo_id, kind="spaces")
    assert files["index.html"] == page.read_bytes()
    metadata = yaml.safe_load(files["README.md"].decode().split("---")[1])
    assert metadata == {
        "title": 'a <b>: "2" runs',
        "sdk": "static",
        "app_file": "index.html",
        "tags": ["hf-grok"],
    }
    assert pushed.private
    page.write_text("<title>again</title>two")
    assert push_space(page, "pages").commit != pushed.commit
    assert hub_server.files(pushed.repo_id, kind="spaces")["index.html"] == page.read_bytes()


def test_the_command_pushes_what_it_wrote(
    hub_server: HubServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("hf_grok.explorer.page.library", str)
    monkeypatch.setattr("hf_grok.explorer.write.library", str)
    run, out = question_run(tmp_path / "run", last=1_000), tmp_path / "page.html"
    words = ["explore", str(run), "--out", str(out)]
    assert cli([*words, "--push-space", "pages", "--public"]) == 0
    said = capsys.readouterr().out
    assert "(public)" in said
    name = said.split("/spaces/")[1].split()[0]
    assert hub_server.files(name, kind="spaces")["index.html"] == out.read_bytes()
    assert cli([*words, "--push-space", "pages"]) == 0  # public it stays
    assert "(public)" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        cli([*words, "--public"])


def test_a_space_of_something_else_is_left_alone(hub_server: HubServer, page: Path) -> None:
    api = HfApi()
    made = api.create_repo("app", repo_type="space", space_sdk="static")
    files = {"README.md": b"---\nsdk: static\n---\n", "index.html": b"mine"}
    for path, content in files.items():
        api.create_commit(
            made.repo_id,
            [CommitOperationAdd(path, content)],
            commit_message="mine",
            repo_type="space",
        )
    with pytest.raises(UserError, match=r"holds something .*\(index.html\).*Nothing was pushed"):
        push_space(page, "app")
    assert hub_server.files(made.repo_id, kind="spaces")["index.html"] == b"mine"


def test_what_is_refused_is_said_in_words(
    hub_server: HubServer, hub_waits: list[float], page: Path
) -> None:
    push_space(page, "pages", private=False)
    with pytest.raises(UserError, match="is public and was asked to be private"):
        push_space(page, "pages", private=True)
    with pytest.raises(UserError):
        push_space(page, "no such/name/at all")
    page.write_text("another")
    hub_server.faults.next("commit", Fault.OUT_OF_SPACE)
    with pytest.raises(UserError, match="could not push to pages"):
        push_space(page, "pages")
