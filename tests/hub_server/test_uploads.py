from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationCopy,
    CommitOperationDelete,
    get_session,
)
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RevisionNotFoundError

from tests.hub_server import HubServer
from tests.hub_server.lfs import Pointer, pointer_of

REPO = "grower/series"


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def titles(hub_server: HubServer, revision: str) -> list[str]:
    repository = hub_server.repository(REPO)
    return [commit.title for commit in repository.history(repository.resolve(revision))]


def test_a_folder_uploaded_to_a_branch_comes_back(hub_server: HubServer, checkpoint: Path) -> None:
    client = hub_server.client()
    client.create_repo(REPO, private=True)
    client.create_branch(REPO, branch="step2")
    client.upload_folder(repo_id=REPO, folder_path=checkpoint, revision="step2")
    copy = Path(client.snapshot_download(REPO, revision="step2"))
    assert contents(copy) == contents(checkpoint) == hub_server.files(REPO, "step2")
    assert hub_server.files(REPO, "main") == {}
    assert hub_server.check() == ""
    assert hub_server.log.leaks() == []


def test_git_itself_reads_what_was_stored(
    hub_server: HubServer, checkpoint: Path, tmp_path: Path
) -> None:
    client = hub_server.client()
    client.create_repo(REPO)
    client.upload_folder(repo_id=REPO, folder_path=checkpoint)
    source, clone = hub_server.repository(REPO).directory, tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(source), str(clone)], check=True)
    cloned, uploaded = contents(clone), contents(checkpoint)
    pointer = pointer_of(cloned.pop("model.safetensors"))
    weights = uploaded.pop("model.safetensors")
    assert cloned == uploaded
    assert pointer is not None
    assert hub_server.store.large_files.read(pointer.sha256) == weights


def test_what_is_there_already_makes_no_commit(hub_server: HubServer, checkpoint: Path) -> None:
    client = hub_server.client()
    client.create_repo(REPO)
    first = client.upload_folder(repo_id=REPO, folder_path=checkpoint).oid
    assert client.upload_folder(repo_id=REPO, folder_path=checkpoint).oid == first
    assert len(hub_server.log.entries("commit")) == 1
    assert len(hub_server.log.entries("lfs_put")) == 1


def test_large_files_are_uploaded_once_for_all_branches(
    hub_server: HubServer, checkpoint: Path
) -> None:
    client = hub_server.client()
    client.create_repo(REPO)
    for branch in ("step1", "step2"):
        client.create_branch(REPO, branch=branch)
        client.upload_folder(repo_id=REPO, folder_path=checkpoint, revision=branch)
    assert len(hub_server.log.entries("lfs_batch")) == 2
    assert len(hub_server.log.entries("lfs_put")) == 1


def test_a_missing_branch_is_not_made(hub_server: HubServer, checkpoint: Path) -> None:
    client = hub_server.client()
    client.create_repo(REPO)
    with pytest.raises(RevisionNotFoundError):
        client.upload_folder(repo_id=REPO, folder_path=checkpoint, revision="step2")
    assert [ref.name for ref in client.list_repo_refs(REPO).branches] == ["main"]


def test_a_stale_parent_is_refused(hub_server: HubServer) -> None:
    client = hub_server.client()
    client.create_repo(REPO)
    old = client.model_info(REPO).sha
    add = {"path_or_fileobj": b"1", "repo_id": REPO}
    client.upload_file(**add, path_in_repo="a", parent_commit=old)
    with pytest.raises(HfHubHTTPError) as raised:
        client.upload_file(**add, path_in_repo="b", parent_commit=old)
    assert raised.value.response.status_code == 412
    assert hub_server.files(REPO) == {"a": b"1"}


def test_one_commit_adds_copies_and_deletes(hub_server: HubServer, checkpoint: Path) -> None:
    client = hub_server.client()
    client.create_repo(REPO)
    client.upload_folder(repo_id=REPO, folder_path=checkpoint)
    client.create_commit(
        REPO,
        [
            CommitOperationCopy("model.safetensors", "copy.safetensors"),
            CommitOperationCopy("config.json", "copy.json"),
            CommitOperationDelete("model.safetensors"),
            CommitOperationDelete("extra/"),
            CommitOperationAdd("new/empty", b""),
        ],
        commit_message="All at once",
        commit_description="With more to say.",
    )
    assert hub_server.files(REPO) == {
        "config.json": b'{"step": 2}',
        "copy.json": b'{"step": 2}',
        "copy.safetensors": b"weights of step 2" * 1000,
        "new/empty": b"",
    }
    newest = client.list_repo_commits(REPO)[0]
    assert (newest.title, newest.message) == ("All at once", "With more to say.")
    assert hub_server.check() == ""


def test_deleting_what_is_not_there_changes_nothing(hub_server: HubServer) -> None:
    client = hub_server.client()
    client.create_repo(REPO)
    operations = [CommitOperationAdd("a", b"1"), CommitOperationDelete("b")]
    with pytest.raises(EntryNotFoundError, match="A file with this name doesn't exist"):
        client.create_commit(REPO, operations, commit_message="Delete")
    assert hub_server.files(REPO) == {}


def test_a_folder_is_not_deleted_as_a_file(hub_server: HubServer, checkpoint: Path) -> None:
    client = hub_server.client()
    client.create_repo(REPO)
    client.upload_folder(repo_id=REPO, folder_path=checkpoint)
    operation = CommitOperationDelete("extra", is_folder=False)
    with pytest.raises(EntryNotFoundError):
        client.create_commit(REPO, [operation], commit_message="Delete")
    assert hub_server.files(REPO) == contents(checkpoint)


@pytest.mark.parametrize("path", ["a/../../b", "/a", ".git/config", "a//b"])
def test_paths_that_lead_elsewhere_are_refused(hub_server: HubServer, path: str) -> None:
    hub_server.client().create_repo(REPO)
    operation = CommitOperationAdd("a", b"1")
    operation.path_in_repo = path  # the client itself refuses some of them
    with pytest.raises(HfHubHTTPError, match="Invalid path"):
        hub_server.client().create_commit(REPO, [operation], commit_message="Escape")


def test_a_pull_request_leaves_main_alone(hub_server: HubServer) -> None:
    client = hub_server.client()
    client.create_repo(REPO)
    info = client.upload_file(path_or_fileobj=b"1", path_in_repo="a", repo_id=REPO, create_pr=True)
    assert info.pr_revision == "refs/pr/1"
    assert hub_server.files(REPO) == {}
    assert hub_server.files(REPO, "refs/pr/1") == {"a": b"1"}
    assert len(client.list_repo_refs(REPO, include_pull_requests=True).pull_requests) == 1


def test_content_that_is_not_what_was_announced_is_not_kept(hub_server: HubServer) -> None:
    assert not hub_server.store.large_files.put("0" * 64, b"something else")
    assert not hub_server.store.large_files.has("0" * 64)


def test_an_upload_address_is_for_what_it_was_given_out_for(hub_server: HubServer) -> None:
    sha256 = hashlib.sha256(b"1").hexdigest()
    url = f"{hub_server.url}/lfs-upload/{sha256}?ticket=guessed"
    assert get_session().put(url, content=b"1").status_code == 403
    assert not hub_server.store.large_files.has(sha256)


def test_a_large_file_that_never_arrived_is_noticed(hub_server: HubServer) -> None:
    hub_server.client().create_repo(REPO)
    headers = {"Authorization": f"Bearer {hub_server.write_token}"}
    body = {"oid": "0" * 64, "size": 1}
    verify = f"{hub_server.url}/{REPO}.git/info/lfs/verify"
    assert get_session().post(verify, json=body, headers=headers).status_code == 404
    lines = [{"key": "header", "value": {"summary": "x"}}]
    lines.append({"key": "lfsFile", "value": {"path": "a", "algo": "sha256", **body}})
    commit = f"{hub_server.url}/api/models/{REPO}/commit/main"
    content = "\n".join(json.dumps(line) for line in lines)
    answer = get_session().post(commit, content=content, headers=headers)
    assert answer.status_code == 400
    assert "does not exist" in answer.headers["X-Error-Message"]
    assert hub_server.files(REPO) == {}


def test_a_pointer_is_read_as_it_is_written() -> None:
    pointer = Pointer("a" * 64, 123)
    assert pointer_of(pointer.encode()) == pointer
    assert pointer_of(pointer.encode() + b"x") is None


def test_a_file_too_small_for_a_pointer_is_no_pointer(hub_server: HubServer) -> None:
    client = hub_server.client()
    client.create_repo(REPO)
    client.upload_file(path_or_fileobj=b"version 1\n", path_in_repo="VERSION", repo_id=REPO)
    assert client.get_paths_info(REPO, "VERSION")[0].lfs is None
    assert titles(hub_server, "main") == ["Upload VERSION with huggingface_hub", "initial commit"]
