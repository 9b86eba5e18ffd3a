from __future__ import annotations

import pytest
from huggingface_hub.errors import (
    BadRequestError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tests.hub_server import HubServer

REPO = "grower/series"


def status_of(raised: pytest.ExceptionInfo[HfHubHTTPError]) -> int:
    return raised.value.response.status_code


def test_a_repository_is_made_found_and_deleted(hub_server: HubServer) -> None:
    client = hub_server.client()
    url = client.create_repo(REPO, private=True)
    assert (url.repo_id, url.repo_type, str(url)) == (REPO, "model", f"{hub_server.url}/{REPO}")
    info = client.model_info(REPO)
    assert (info.id, info.private, info.author) == (REPO, True, "grower")
    assert info.sha == hub_server.repository(REPO).resolve("main")
    client.delete_repo(REPO)
    with pytest.raises(RepositoryNotFoundError):
        client.model_info(REPO)
    with pytest.raises(RepositoryNotFoundError):
        client.delete_repo(REPO)


def test_a_name_is_taken_once_a_kind(hub_server: HubServer) -> None:
    client = hub_server.client()
    client.create_repo(REPO, private=True)
    with pytest.raises(HfHubHTTPError) as raised:
        client.create_repo(REPO)
    assert status_of(raised) == 409
    client.create_repo(REPO, exist_ok=True)
    assert hub_server.repository(REPO).private
    url = client.create_repo(REPO, repo_type="dataset")
    assert (url.repo_id, url.repo_type) == (REPO, "dataset")
    assert not client.dataset_info(REPO).private


def test_branches_start_where_they_are_told_to(hub_server: HubServer) -> None:
    client = hub_server.client()
    client.create_repo(REPO)
    first = client.model_info(REPO).sha
    client.create_branch(REPO, branch="step1")
    second = client.upload_file(path_or_fileobj=b"a", path_in_repo="a", repo_id=REPO).oid
    client.create_branch(REPO, branch="ckpt/2")
    client.create_branch(REPO, branch="again", revision=first)
    branches = {ref.name: ref.target_commit for ref in client.list_repo_refs(REPO).branches}
    assert branches == {"main": second, "step1": first, "ckpt/2": second, "again": first}
    assert client.model_info(REPO, revision="ckpt/2").sha == second
    client.delete_branch(REPO, branch="ckpt/2")
    with pytest.raises(RevisionNotFoundError):
        client.model_info(REPO, revision="ckpt/2")
    with pytest.raises(RevisionNotFoundError):
        client.delete_branch(REPO, branch="ckpt/2")


@pytest.mark.parametrize("name", ["step1/x", "a..b", "-x", "a b"])
def test_a_branch_that_git_cannot_keep_is_refused(hub_server: HubServer, name: str) -> None:
    client = hub_server.client()
    client.create_repo(REPO)
    client.create_branch(REPO, branch="step1")
    with pytest.raises(BadRequestError, match=r"Invalid reference name|already takes a part"):
        client.create_branch(REPO, branch=name)


def test_a_branch_that_is_there_is_a_conflict(hub_server: HubServer) -> None:
    client = hub_server.client()
    client.create_repo(REPO)
    client.create_branch(REPO, branch="step1")
    with pytest.raises(HfHubHTTPError) as raised:
        client.create_branch(REPO, branch="step1")
    assert status_of(raised) == 409
    client.create_branch(REPO, branch="step1", exist_ok=True)
    with pytest.raises(RevisionNotFoundError):
        client.create_branch(REPO, branch="step2", revision="no-such")
    with pytest.raises(BadRequestError):
        client.delete_branch(REPO, branch="main")


@pytest.mark.parametrize("message", [None, "The last one"])
def test_tags_name_commits_with_or_without_a_message(
    hub_server: HubServer, message: str | None
) -> None:
    client = hub_server.client()
    client.create_repo(REPO)
    client.create_branch(REPO, branch="step1")
    commit = client.upload_file(
        path_or_fileobj=b"a", path_in_repo="a", repo_id=REPO, revision="step1"
    ).oid
    client.create_tag(REPO, tag="v1", revision="step1", tag_message=message)
    assert [(tag.name, tag.target_commit) for tag in client.list_repo_refs(REPO).tags] == [
        ("v1", commit)
    ]
    assert client.model_info(REPO, revision="v1").sha == commit
    client.create_tag(REPO, tag="v1", revision="step1", exist_ok=True)
    client.delete_tag(REPO, tag="v1")
    assert client.list_repo_refs(REPO).tags == []
    assert hub_server.check() == ""


def test_an_outage_loses_nothing(hub_server: HubServer) -> None:
    client = hub_server.client()
    client.create_repo(REPO)
    url = hub_server.url
    hub_server.stop()
    hub_server.start()
    assert hub_server.url == url
    assert client.repo_exists(REPO)
