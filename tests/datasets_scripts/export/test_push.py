"""Data sets on a Hub: what a stranger reads there, what is kept, what is never touched."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest
import yaml
from huggingface_hub import CommitOperationAdd, HfApi

from hf_grok.commands.data.command import main
from hf_grok.datasets_scripts import Dyck, QuestionFormation
from hf_grok.datasets_scripts.export.parquet import Export, export
from hf_grok.datasets_scripts.export.push import push
from hf_grok.errors import UserError
from hf_grok.model_cards.preserved import BEGINS, ENDS
from tests.hub_server import Fault, HubServer
from tests.hub_server.fixtures import hub_server, hub_waits

__all__ = ["hub_server", "hub_waits"]

SIZES = {"train_size": 60, "validation_size": 8, "test_size": 8, "generalization_size": 9}
SMALL: dict[str, Any] = {"brackets": 2, "max_depth": 4, "max_length": 30, **SIZES}
WORDS = [
    *("--brackets", "2", "--max-depth", "4", "--max-length", "30", "--train-size", "60"),
    *("--validation-size", "8", "--test-size", "8", "--generalization-size", "9"),
]


@pytest.fixture(autouse=True)
def _no_bars() -> Iterator[None]:
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


def exported(tmp_path: Path, name: str = "export", **options: Any) -> Export:
    return export(Dyck(cache_dir=tmp_path / "cache", **{**SMALL, **options}), tmp_path / name)


def front_matter(readme: bytes) -> dict[str, Any]:
    loaded = yaml.safe_load(readme.decode().split("---\n", 2)[1])
    assert isinstance(loaded, dict)
    return loaded


def put(repo_id: str, path: str, text: str) -> None:
    HfApi().create_commit(
        repo_id, [CommitOperationAdd(path, text.encode())], commit_message="x", repo_type="dataset"
    )


def readme_of(server: HubServer) -> str:
    return server.files("grower/brackets", "main", kind="datasets")["README.md"].decode()


def test_a_stranger_loads_it_and_makes_the_same_bytes(
    hub_server: HubServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = ["--cache-dir", str(tmp_path / "cache")]
    assert main(["dyck", "--push", "brackets", "--seed", "5", *WORDS, *cache]) == 0
    said = capsys.readouterr().out
    assert "pushed grower/brackets (private: only you see it): Dyck language" in said
    assert "wrote" not in said
    rows = datasets.load_dataset("grower/brackets", cache_dir=str(tmp_path / "read"))
    assert {split: len(found) for split, found in rows.items()} == {
        "train": 60, "validation": 8, "test": 8, "generalization": 9,
    }  # fmt: skip
    files = hub_server.files("grower/brackets", "main", kind="datasets")
    readme = files["README.md"]
    origin = front_matter(readme)["generator"]
    assert origin["name"] == "dyck"
    assert origin["version"] == str(Dyck.VERSION)
    assert origin["arguments"]["seed"] == 5
    assert 'load_dataset("grower/brackets"' in readme.decode()
    assert str(tmp_path) not in readme.decode()
    command = next(line for line in readme.decode().splitlines() if line.startswith("hf-grok data"))
    again = tmp_path / "again"
    words = [str(again) if word == "DIR" else word for word in shlex.split(command)[2:]]
    main([*words, "--cache-dir", str(tmp_path / "other cache")])
    data = [path for path in files if path.endswith(".parquet")]
    assert len(data) == 4
    assert all((again / path).read_bytes() == files[path] for path in data)
    assert hub_server.check() == ""
    assert hub_server.log.leaks() == []


def test_private_unless_said_otherwise(hub_server: HubServer, tmp_path: Path) -> None:
    ours = exported(tmp_path)
    assert push(ours, "brackets").private
    assert not push(ours, "open", private=False).private
    assert not push(ours, "grower/open").private  # it is there, and stays as it is
    assert hub_server.client().dataset_info("grower/brackets").private
    for name, private, message in (
        ("brackets", False, "is private and was asked to be public"),
        ("open", True, "is public and was asked to be private"),
    ):
        with pytest.raises(UserError, match=message):
            push(ours, name, private=private)


def test_pushing_again_replaces_ours_and_keeps_theirs(
    hub_server: HubServer, tmp_path: Path
) -> None:
    push(exported(tmp_path, "a"), "brackets")
    mine = readme_of(hub_server).replace(f"{BEGINS}\n", f"{BEGINS}\nMy note.\n")
    mine = mine.replace("license: apache-2.0", "license: cc0-1.0\nthumbnail: a.png")
    put("grower/brackets", "README.md", mine)
    put("grower/brackets", "notes.md", "theirs")
    push(exported(tmp_path, "b", train_size=40, test_size=0), "brackets")
    files = hub_server.files("grower/brackets", "main", kind="datasets")
    readme = files["README.md"]
    assert f"{BEGINS}\nMy note.\n{ENDS}" in readme.decode()
    assert front_matter(readme)["license"] == "cc0-1.0"
    assert front_matter(readme)["thumbnail"] == "a.png"
    assert front_matter(readme)["generator"]["arguments"]["train_size"] == 40
    assert files["notes.md"] == b"theirs"
    splits = {path.partition("/")[2].partition("-")[0] for path in files if ".parquet" in path}
    assert splits == {"train", "validation", "generalization"}


def test_builders_push_too(hub_server: HubServer, tmp_path: Path) -> None:
    builder = QuestionFormation(cache_dir=tmp_path / "cache", **SIZES)
    pushed = builder.push_to_hub("questions", private=False)
    assert pushed.repo_id == "grower/questions"
    assert pushed.url.endswith("/datasets/grower/questions")
    files = hub_server.files("grower/questions", "main", kind="datasets")
    assert "default/train-00000-of-00001.parquet" in files
    assert pushed.commit == hub_server.client().dataset_info("grower/questions").sha


def test_other_data_is_never_touched(hub_server: HubServer, tmp_path: Path) -> None:
    push(exported(tmp_path), "brackets")
    questions = QuestionFormation(cache_dir=tmp_path / "cache", **SIZES)
    with pytest.raises(UserError, match=r"holds data that is not an earlier push.*of its own"):
        questions.push_to_hub("brackets")
    HfApi().create_repo("foreign", repo_type="dataset")
    put("grower/foreign", "data.csv", "a,b")
    with pytest.raises(UserError, match=r"grower/foreign holds data .*data\.csv"):
        push(exported(tmp_path), "foreign")
    assert set(hub_server.files("grower/foreign", "main", kind="datasets")) >= {"data.csv"}


def test_a_broken_readme_stops_the_push(hub_server: HubServer, tmp_path: Path) -> None:
    push(exported(tmp_path), "brackets")
    before = readme_of(hub_server).replace(f"{ENDS}\n", "")
    put("grower/brackets", "README.md", before)
    with pytest.raises(UserError, match="yours begins -->' without its"):
        push(exported(tmp_path), "brackets")
    assert readme_of(hub_server) == before


def test_what_goes_wrong_is_one_message_without_a_token(
    hub_server: HubServer, hub_waits: list[float], tmp_path: Path
) -> None:
    ours = exported(tmp_path)
    with pytest.raises(UserError, match="expected a repository of the Hub"):
        push(ours, "a b")
    with (
        hub_server.patched(hub_server.read_token),
        pytest.raises(
            UserError, match=r"could not push to brackets: .*403.*right to write"
        ) as caught,
    ):
        push(ours, "brackets")
    assert hub_server.read_token not in str(caught.value)
    hub_server.faults.next("commit", Fault.SERVER_ERROR)
    with pytest.raises(UserError, match=r"could not push to brackets: .*500"):
        push(ours, "brackets")
    assert push(ours, "brackets").private
    hub_server.stop()
    with pytest.raises(UserError, match="could not push to brackets"):
        push(ours, "brackets")


def test_an_edit_in_between_is_not_overwritten(
    hub_server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(exported(tmp_path), "brackets")
    commit = HfApi.create_commit

    def late(self: HfApi, *arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(HfApi, "create_commit", commit)
        put("grower/brackets", "notes.md", "in between")
        return commit(self, *arguments, **options)

    monkeypatch.setattr(HfApi, "create_commit", late)
    with pytest.raises(UserError, match=r"could not push to brackets: .*412.*again is safe"):
        push(exported(tmp_path, "b", train_size=40), "brackets")
    push(exported(tmp_path, "c", train_size=40), "brackets")
    assert "notes.md" in hub_server.files("grower/brackets", "main", kind="datasets")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["dyck"], "one of --out DIR and --push REPO is needed"),
        (["dyck", "--out", "x", "--public"], "say how to --push"),
        (["dyck", "--push", "x", "--public", "--private"], "not allowed with"),
    ],
)
def test_options_that_make_no_sense(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_both_a_folder_and_the_hub(
    hub_server: HubServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, cache = tmp_path / "out", ["--cache-dir", str(tmp_path / "cache")]
    main(["dyck", "--out", str(out), "--push", "brackets", "--public", *WORDS, *cache])
    said = capsys.readouterr().out
    assert f"wrote {out}" in said
    assert "pushed grower/brackets (public)" in said
    assert (out / "README.md").read_text().count("PATH") > 0
    assert "PATH" not in readme_of(hub_server)


def test_a_token_of_another_shape_is_masked_too(
    hub_server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("refused: short-secret")

    monkeypatch.setattr(HfApi, "create_repo", fail)
    with (
        hub_server.patched("short-secret"),
        pytest.raises(UserError, match=r"refused: \(token removed\)"),
    ):
        push(exported(tmp_path), "brackets")
