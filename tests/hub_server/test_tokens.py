from __future__ import annotations

import pytest
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from tests.hub_server import HubServer

REPO = "grower/series"


@pytest.fixture
def private(hub_server: HubServer) -> str:
    hub_server.client().create_repo(REPO, private=True)
    return REPO


def upload(hub_server: HubServer, token: str | bool) -> None:
    hub_server.client(token).upload_file(path_or_fileobj=b"1", path_in_repo="a", repo_id=REPO)


def test_who_am_i(hub_server: HubServer) -> None:
    who = hub_server.client(hub_server.read_token).whoami()
    assert (who["name"], who["auth"]["accessToken"]["role"]) == ("grower", "read")
    with pytest.raises(HfHubHTTPError) as raised:
        hub_server.client("hf_unknown").whoami()
    assert raised.value.response.status_code == 401


@pytest.mark.parametrize("call", ["upload", "branch", "tag", "delete", "create"])
def test_a_read_token_writes_nothing(hub_server: HubServer, private: str, call: str) -> None:
    client = hub_server.client(hub_server.read_token)
    before = hub_server.repository(REPO).references()
    calls = {
        "upload": lambda: upload(hub_server, hub_server.read_token),
        "branch": lambda: client.create_branch(REPO, branch="b"),
        "tag": lambda: client.create_tag(REPO, tag="t"),
        "delete": lambda: client.delete_repo(REPO),
        "create": lambda: client.create_repo("grower/other"),
    }
    with pytest.raises(HfHubHTTPError, match="right to read only") as raised:
        calls[call]()
    assert raised.value.response.status_code == 403
    assert hub_server.repository(REPO).references() == before
    assert len(hub_server.store.repositories()) == 1


def test_a_private_repository_is_for_its_owner_only(hub_server: HubServer, private: str) -> None:
    assert hub_server.client(hub_server.read_token).repo_exists(REPO)
    stranger = hub_server.store.tokens.create("stranger", "write")
    for token in (False, stranger):
        with pytest.raises(RepositoryNotFoundError):
            hub_server.client(token).model_info(REPO)
        with pytest.raises(RepositoryNotFoundError):
            hub_server.client(token).hf_hub_download(REPO, "a")


def test_a_public_repository_is_read_by_all_and_written_by_its_owner(
    hub_server: HubServer,
) -> None:
    hub_server.client().create_repo(REPO, private=False)
    assert hub_server.client(False).model_info(REPO).id == REPO
    stranger = hub_server.store.tokens.create("stranger", "write")
    for token, status in ((False, 401), (stranger, 403)):
        with pytest.raises(HfHubHTTPError) as raised:
            upload(hub_server, token)
        assert raised.value.response.status_code == status
    with pytest.raises(HfHubHTTPError, match="may not write to the namespace"):
        hub_server.client(stranger).create_repo("grower/other")


def test_a_token_is_seen_wherever_it_does_not_belong(hub_server: HubServer) -> None:
    client, token = hub_server.client(), hub_server.read_token
    client.create_repo(REPO)
    assert not hub_server.holds(token)
    client.upload_file(path_or_fileobj=f"a{token}z".encode(), path_in_repo="a", repo_id=REPO)
    assert {entry.endpoint for entry in hub_server.log.leaks()} == {"preupload", "commit"}
    assert hub_server.holds(token)
    client.repo_exists(f"grower/{token}")
    assert hub_server.log.leaks()[-1].endpoint == "info"
    assert not hub_server.holds(hub_server.write_token)


def test_a_token_in_a_large_file_is_seen(hub_server: HubServer) -> None:
    client, token = hub_server.client(), hub_server.write_token
    client.create_repo(REPO)
    content = b"x" * 1000 + token.encode()  # beyond the sample that preupload sends
    client.upload_file(path_or_fileobj=content, path_in_repo="a.bin", repo_id=REPO)
    assert [entry.endpoint for entry in hub_server.log.leaks()] == ["lfs_put"]
    assert hub_server.holds(token)
