"""Everything that the Hub's hashes can show of a series that was tampered with, by its name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from hf_grok.models.tokenizer import word_level_tokenizer
from hf_grok.series import StepValues
from hf_grok.series.hub.pusher import Pusher
from hf_grok.series.hub.repository import SeriesHub
from hf_grok.series.verify.hub import verify_hub
from tests.hub_server import HubServer
from tests.series.material import REPO, pusher_of, save_checkpoint, series_of

# huggingface_hub's own upload of large files makes its HTTP client say this.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")

STEPS = (0, 2, 4)
Found = set[tuple[str, str]]


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    """A series with a tokenizer and tags, pushed once for all tests."""
    folder = tmp_path_factory.mktemp("series")
    with HubServer(folder / "server") as server, server.patched():
        series = series_of(folder / "run")
        for step in STEPS:
            checkpoint = save_checkpoint(folder / "run", step)
            word_level_tokenizer(["a", "b"]).save_pretrained(checkpoint)
            series.add(step, checkpoint, StepValues(metrics={"eval_loss": 1.0 / (1 + step)}))
        assert pusher_of(series, tags=True).push_waiting().complete
        yield server


@pytest.fixture
def hub(pushed: HubServer) -> Iterator[HubServer]:
    """The same, as it was pushed, for each test."""
    repository = pushed.repository(REPO)
    before = repository.references()
    yield pushed
    for name in set(repository.references()) - set(before):
        repository.delete_reference(name)
    for name, commit in before.items():
        if name.startswith("refs/heads/"):
            repository.set_branch(name.removeprefix("refs/heads/"), commit)
        elif repository.references().get(name) != commit:
            if name in repository.references():
                repository.delete_reference(name)
            repository.set_tag(name.removeprefix("refs/tags/"), commit, None)


def look() -> Found:
    return look_closely()[0]


def look_closely() -> tuple[Found, str]:
    """Kind and revision of every problem; and what is said of them."""
    problems = verify_hub(REPO, quiet=True).problems
    found = {(problem.kind, problem.revision) for problem in problems}
    return found, "\n".join(problem.detail for problem in problems)


def put(server: HubServer, revision: str, name: str, content: bytes) -> None:
    """Change a file, and move the step's tag along, which a thief of the token can do too."""
    api = server.client()
    api.upload_file(path_or_fileobj=content, path_in_repo=name, repo_id=REPO, revision=revision)
    repository = server.repository(REPO)
    if f"refs/tags/pinned-{revision}" in repository.references():
        repository.delete_reference(f"refs/tags/pinned-{revision}")
        repository.set_tag(f"pinned-{revision}", str(repository.resolve(revision)), None)


def change(server: HubServer, revision: str, name: str, edit: Callable[[Any], object]) -> None:
    """Edit a JSON file in place."""
    content = json.loads(server.files(REPO, revision)[name])
    edit(content)
    put(server, revision, name, (json.dumps(content, indent=1) + "\n").encode())


def flipped(content: bytes) -> bytes:
    """The same length, another content, still a text."""
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def test_an_untouched_series_is_clean(hub: HubServer) -> None:
    before = len(hub.log.entries("download"))
    assert look() == set()
    files = [e.path.rpartition("/")[2] for e in hub.log.entries("download")[before:]]
    assert files.count("config.json") == 1  # in three revisions, hashed once
    assert not any(name.endswith(".safetensors") for name in files)


@pytest.mark.parametrize("step", ["step0", "step2", "step4"])
def test_main_at_a_step(hub: HubServer, step: str) -> None:
    repository = hub.repository(REPO)
    repository.set_branch("main", str(repository.resolve(step)))
    expected: Found = {("missing", "main")}
    assert look() == expected | ({("mislabelled", "main")} if step != "step4" else set())


def test_main_at_its_first_commit(hub: HubServer) -> None:
    first = hub.client().list_repo_commits(REPO)[-1].commit_id
    hub.repository(REPO).set_branch("main", first)
    found, details = look_closely()
    assert found == {("missing", "main")}
    assert "3 revisions have a manifest" in details


def test_the_index_deleted(hub: HubServer) -> None:
    hub.client().delete_file("series-index.json", REPO)
    assert look() == {("missing", "main")}


INDEX: dict[str, tuple[Callable[[Any], object], Found]] = {
    "a step's number": (
        lambda index: index["steps"][1].update(step=3),
        {("mislabelled", "step2")},
    ),
    "two numbers": (
        lambda index: (index["steps"][0].update(step=2), index["steps"][1].update(step=0)),
        {("mislabelled", "step0"), ("mislabelled", "step2"), ("mislabelled", "main")},
    ),
    "a revision left out": (lambda index: index["steps"].pop(1), {("unlisted", "step2")}),
    "the last left out": (
        lambda index: index["steps"].pop(2),
        {("unlisted", "step4"), ("mislabelled", "main")},
    ),
    "a revision twice": (
        lambda index: index["steps"].insert(1, index["steps"][1]),
        {("mislabelled", "step2")},
    ),
    "weights": (
        lambda index: index["steps"][1].update(weights={"model.safetensors": "0" * 64}),
        {("altered", "step2")},
    ),
    "the template": (
        lambda index: index.update(revision_template="ckpt-{step}"),
        set(),  # every revision is known by the index all the same
    ),
    "published, it says not": (
        lambda index: index.update(
            not_published=[{"step": 2, "revision": "step2", "kind": "refused"}],
            steps=[index["steps"][0], index["steps"][2]],
        ),
        {("unlisted", "step2"), ("refused", "step2")},
    ),
}


@pytest.mark.parametrize("what", INDEX)
def test_the_index_changed(hub: HubServer, what: str) -> None:
    edit, expected = INDEX[what]
    change(hub, "main", "series-index.json", edit)
    assert look() == expected


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"format": 9}', b"\xff\x00"])
def test_an_index_that_cannot_be_read(hub: HubServer, content: bytes) -> None:
    put(hub, "main", "series-index.json", content)
    assert look() == {("unreadable", "main")}


@pytest.mark.parametrize(
    "name", ["config.json", "generation_config.json", "tokenizer.json", "README.md", "series.json"]
)
def test_the_same_size_and_another_content(hub: HubServer, name: str) -> None:
    content = hub.files(REPO, "step2")[name]
    number = (
        content.replace(b'"step": 2', b'"step": 3', 1)
        if name == "series.json"
        else flipped(content)
    )
    assert len(number) == len(content)
    put(hub, "step2", name, number)
    found, details = look_closely()
    assert ("altered", "step2") in found
    assert name in details


@pytest.mark.parametrize(
    "name",
    [
        "modeling_x.py",
        "sub/configuration_x.py",
        "pytorch_model.bin",
        "extra.pkl",
        "vocab.txt",
        "chat_template.jinja",
        "tokenizer.model",
        "additional_chat_templates/x.jinja",
        "preprocessor_config.json",
        "model.gguf",
        "flax_model.msgpack",
        "notes.md",
    ],
)
def test_a_file_more_in_a_step(hub: HubServer, name: str) -> None:
    put(hub, "step2", name, b"of somebody else")
    found, details = look_closely()
    assert ("altered", "step2") in found
    assert name in details


def test_a_file_less_in_a_step(hub: HubServer) -> None:
    for name in ("tokenizer.json", "README.md"):
        hub.client().delete_file(name, REPO, revision="step2")
        hub.client().delete_tag(REPO, tag="pinned-step2") if name == "tokenizer.json" else None
    found, details = look_closely()
    assert found == {("altered", "step2")}
    assert "tokenizer.json is not there" in details
    assert "README.md is not there" in details


def test_a_manifest_that_lists_a_wrong_hash(hub: HubServer) -> None:
    """With the index as it was, and with an index of an earlier version, which knows no pages."""
    wrong = {"sha256": "0" * 64}
    change(hub, "step2", "series.json", lambda said: said["files"]["config.json"].update(wrong))
    assert look() == {("altered", "step2")}
    change(
        hub, "main", "series-index.json", lambda index: [row.pop("pages") for row in index["steps"]]
    )
    found, details = look_closely()
    assert found == {("altered", "step2")}
    assert "config.json is sha256" in details


def test_numbers_in_a_manifest(hub: HubServer) -> None:
    change(hub, "step2", "series.json", lambda said: said["metrics"].update(eval_loss=0.001))
    assert look() == {("altered", "step2")}


def test_config_and_manifest_changed_together(hub: HubServer) -> None:
    config = flipped(hub.files(REPO, "step2")["config.json"])
    put(hub, "step2", "config.json", config)
    change(
        hub,
        "step2",
        "series.json",
        lambda said: said["files"]["config.json"].update(sha256=sha256(config).hexdigest()),
    )
    assert look() == {("altered", "step2")}


@pytest.mark.parametrize(
    "name",
    [
        "flax_model.msgpack",
        "model.gguf",
        "weights.pt",
        "tf_model.h5",
        "model.onnx",
        "saved_model.pb",
        "x.ckpt",
        "model.npz",
        "adapter_model.bin",
        "deep/er/x.safetensors",
        "X.GGUF",
    ],
)
def test_a_branch_of_something_else(hub: HubServer, name: str) -> None:
    first = hub.client().list_repo_commits(REPO)[-1].commit_id
    hub.repository(REPO).set_branch("better", first)
    put(hub, "better", name, b"other weights")
    assert look() == {("foreign", "better")}


def test_a_tag_of_something_else(hub: HubServer) -> None:
    repository = hub.repository(REPO)
    repository.set_tag("v1.0", str(repository.resolve("main")), "a release")
    repository.set_tag("best", str(repository.resolve("step2")), None)
    assert look() == set()
    first = hub.client().list_repo_commits(REPO)[-1].commit_id
    repository.set_branch("away", first)
    put(hub, "away", "model.safetensors", b"other weights")
    repository.set_tag("v2.0", str(repository.resolve("away")), None)
    repository.delete_reference("refs/heads/away")
    assert look() == {("foreign", "v2.0")}


@pytest.mark.parametrize("name", ["step2", "main"])
def test_a_tag_of_a_branch_s_name_at_another_commit(hub: HubServer, name: str) -> None:
    repository = hub.repository(REPO)
    repository.set_tag(name, str(repository.resolve("step0")), None)
    assert look() == {("moved", name)}


def test_a_step_at_the_commit_of_another_or_of_main(hub: HubServer) -> None:
    repository = hub.repository(REPO)
    repository.set_branch("step2", str(repository.resolve("step0")))
    assert {("mislabelled", "step2"), ("repeated", "step2")} <= look()
    repository.set_branch("step2", str(repository.resolve("main")))
    assert {("mislabelled", "step2"), ("moved", "step2")} <= look()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", b'{"model_type": "gpt2"}'),
        ("tokenizer.json", b"{}"),
        ("modeling_x.py", b"import os"),
        ("pytorch_model.bin", b"a pickle"),
        ("chat_template.jinja", b"{{ x }}"),
    ],
)
def test_main_with_other_files_that_are_loaded(hub: HubServer, name: str, content: bytes) -> None:
    put(hub, "main", name, content)
    found, details = look_closely()
    assert found in ({("altered", "main")}, {("mislabelled", "main")})
    assert name in details or name.endswith(".bin")


def test_what_people_add_to_main_is_theirs(hub: HubServer) -> None:
    for name in ("LICENSE", "figures/curve.png", "notes.md", "analysis.ipynb"):
        put(hub, "main", name, b"mine")
    put(hub, "main", "README.md", hub.files(REPO)["README.md"] + b"\nmore\n")
    assert look() == set()


def test_a_series_of_the_earlier_version_is_clean_and_looked_through_too(hub: HubServer) -> None:
    """Its index knows no pages; the content of each file is compared with the manifest."""
    change(
        hub, "main", "series-index.json", lambda index: [row.pop("pages") for row in index["steps"]]
    )
    assert look() == set()
    put(hub, "step4", "config.json", flipped(hub.files(REPO, "step4")["config.json"]))
    assert look() == {("altered", "step4"), ("altered", "main")}


def test_a_template_of_one_s_own_with_the_index_deleted(tmp_path: Path, hub: HubServer) -> None:
    series = series_of(tmp_path, "run-a/{step}-end")
    for step in (1, 2):
        series.add(step, save_checkpoint(tmp_path, step), StepValues())
    assert Pusher(series, SeriesHub("grower/mine")).push_waiting().complete
    assert verify_hub("grower/mine", quiet=True).problems == ()
    hub.client().delete_file("series-index.json", "grower/mine")
    report = verify_hub("grower/mine", quiet=True)
    assert [revision.step for revision in report.revisions] == [1, 2]
    assert [problem.kind for problem in report.problems] == ["missing"]
