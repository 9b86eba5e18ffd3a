from __future__ import annotations

import threading
from pathlib import Path

import pytest
from huggingface_hub import HfApi, constants, get_session
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import httpx

from tests.hub_server import Fault, Faults, HubServer
from tests.hub_server.routes import NAMES

REPO = "grower/series"
CONTENT = b"weights" * 100_000  # more than a socket's buffers take at once


@pytest.fixture
def client(hub_server: HubServer) -> HfApi:
    client = hub_server.client()
    client.create_repo(REPO)
    return client


def upload(client: HfApi, name: str = "model.safetensors") -> None:
    client.upload_file(path_or_fileobj=CONTENT, path_in_repo=name, repo_id=REPO)


def history(hub_server: HubServer) -> int:
    repository = hub_server.repository(REPO)
    return len(repository.history(repository.resolve("main")))


def test_latency_changes_nothing_but_the_time(hub_server: HubServer, client: HfApi) -> None:
    hub_server.faults.next("commit", Fault.LATENCY, seconds=0.01)
    upload(client)
    assert hub_server.files(REPO) == {"model.safetensors": CONTENT}
    assert hub_server.faults.log == [("commit", Fault.LATENCY)]


def test_too_many_requests_says_how_long_to_wait(
    hub_server: HubServer, client: HfApi, hub_waits: list[float]
) -> None:
    hub_server.faults.next("preupload", Fault.TOO_MANY_REQUESTS, times=2, retry_after=7)
    upload(client)
    assert hub_waits == [8.0, 8.0]  # the client adds a second
    assert hub_server.log.statuses("preupload") == [429, 429, 200]
    assert hub_server.files(REPO) == {"model.safetensors": CONTENT}


@pytest.mark.parametrize(
    ("fault", "status"),
    [(Fault.TOO_MANY_REQUESTS, 429), (Fault.SERVER_ERROR, 500), (Fault.UNAVAILABLE, 503)],
)
def test_a_refused_commit_is_not_made(
    hub_server: HubServer, client: HfApi, fault: Fault, status: int
) -> None:
    hub_server.faults.next("commit", fault)
    with pytest.raises(HfHubHTTPError) as raised:
        upload(client)  # the client does not retry a commit
    assert raised.value.response.status_code == status
    assert hub_server.files(REPO) == {}
    upload(client)
    assert hub_server.files(REPO) == {"model.safetensors": CONTENT}
    assert history(hub_server) == 2


def test_an_upload_that_breaks_off_leaves_nothing(
    hub_server: HubServer, client: HfApi, hub_waits: list[float]
) -> None:
    hub_server.faults.next("lfs_put", Fault.RESET_UPLOAD)
    upload(client)
    assert hub_server.log.statuses("lfs_put") == [0, 200]
    assert hub_waits == [1]
    assert hub_server.files(REPO) == {"model.safetensors": CONTENT}


def test_a_commit_that_breaks_off_is_not_made(hub_server: HubServer, client: HfApi) -> None:
    hub_server.faults.next("commit", Fault.RESET_UPLOAD)
    with pytest.raises(httpx.TransportError):
        upload(client, "big.txt")
    assert hub_server.files(REPO) == {}
    assert history(hub_server) == 1


def test_a_lost_response_leaves_the_commit_there_exactly_once(
    hub_server: HubServer, client: HfApi
) -> None:
    hub_server.faults.next("commit", Fault.LOST_RESPONSE)
    with pytest.raises(httpx.TransportError):
        upload(client)
    assert hub_server.files(REPO) == {"model.safetensors": CONTENT}
    upload(client)  # the same again finds nothing to do
    assert history(hub_server) == 2
    assert hub_server.log.statuses("commit") == [200]


def test_with_xet_the_client_repeats_a_commit_whose_response_was_lost(
    hub_server: HubServer,
    client: HfApi,
    checkpoint: Path,
    hub_waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("hf_xet")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    hub_server.everything_regular()
    hub_server.faults.next("commit", Fault.LOST_RESPONSE)
    parent = client.model_info(REPO).sha
    with pytest.raises(HfHubHTTPError, match="A commit has happened since"):
        client.upload_folder(repo_id=REPO, folder_path=checkpoint, parent_commit=parent)
    assert hub_server.log.statuses("commit") == [200, 412]
    assert history(hub_server) == 2


def test_a_truncated_download_is_taken_up_where_it_broke_off(
    hub_server: HubServer,
    client: HfApi,
    hub_waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 100_000)
    upload(client)
    hub_server.faults.next("download", Fault.TRUNCATED_DOWNLOAD)
    path = client.hf_hub_download(REPO, "model.safetensors")
    assert Path(path).read_bytes() == CONTENT
    assert hub_server.log.statuses("download") == [200, 206]


def test_a_truncated_download_is_no_file(hub_server: HubServer, client: HfApi) -> None:
    upload(client)
    hub_server.faults.next("download", Fault.TRUNCATED_DOWNLOAD)
    with pytest.raises(httpx.RemoteProtocolError):
        get_session().get(f"{hub_server.url}/{REPO}/resolve/main/model.safetensors")


@pytest.mark.parametrize(("endpoint", "status"), [("lfs_put", 507), ("commit", 507)])
def test_out_of_space_keeps_nothing(
    hub_server: HubServer, client: HfApi, endpoint: str, status: int
) -> None:
    hub_server.faults.next(endpoint, Fault.OUT_OF_SPACE)
    with pytest.raises((HfHubHTTPError, RuntimeError)) as raised:
        upload(client)
    error = raised.value.__cause__ if endpoint == "lfs_put" else raised.value
    assert isinstance(error, HfHubHTTPError)
    assert error.response.status_code == status
    assert "No space left on device" in str(error)
    assert hub_server.files(REPO) == {}


def test_a_revoked_token_stays_revoked(hub_server: HubServer, client: HfApi) -> None:
    hub_server.faults.next("commit", Fault.REVOKED_TOKEN, after=1)
    upload(client, "a.safetensors")
    for _ in range(2):
        with pytest.raises(HfHubHTTPError) as raised:
            upload(client, "b.safetensors")
        assert raised.value.response.status_code == 401
    hub_server.store.tokens.restore(hub_server.write_token)
    upload(client, "b.safetensors")
    assert sorted(hub_server.files(REPO)) == ["a.safetensors", "b.safetensors"]
    assert hub_server.faults.log == [("commit", Fault.REVOKED_TOKEN)]


@pytest.mark.parametrize("fault", list(Fault))
def test_every_fault_leaves_a_server_that_works(
    hub_server: HubServer, client: HfApi, hub_waits: list[float], fault: Fault
) -> None:
    endpoint = "download" if fault is Fault.TRUNCATED_DOWNLOAD else "commit"
    upload(client, "a.txt")
    hub_server.faults.next(endpoint, fault)
    try:
        upload(client, "b.txt")
        client.hf_hub_download(REPO, "a.txt")
    except (HfHubHTTPError, httpx.TransportError):
        hub_server.store.tokens.restore(hub_server.write_token)
    upload(client, "b.txt")
    assert hub_server.files(REPO) == {"a.txt": CONTENT, "b.txt": CONTENT}
    assert history(hub_server) == 3
    assert hub_server.faults.log == [(endpoint, fault)]
    assert hub_server.faults.waiting() == 0
    assert hub_server.check() == ""


# --- scripts and chance


def test_scripts_queue_up() -> None:
    faults = Faults(NAMES)
    faults.next("commit", Fault.SERVER_ERROR, after=1, times=2)
    faults.next("commit", Fault.LOST_RESPONSE, after=1)
    drawn = [faults.draw("commit") for _ in range(6)]
    assert [injection and injection.fault for injection in drawn] == [
        None,
        Fault.SERVER_ERROR,
        Fault.SERVER_ERROR,
        None,
        Fault.LOST_RESPONSE,
        None,
    ]
    assert faults.draw("tree") is None
    assert faults.count(Fault.SERVER_ERROR) == faults.count(Fault.SERVER_ERROR, "commit") == 2
    assert faults.count(Fault.SERVER_ERROR, "tree") == 0


def test_faults_that_cannot_happen_are_refused() -> None:
    faults = Faults(NAMES)
    with pytest.raises(ValueError, match="no endpoint comit"):
        faults.next("comit", Fault.SERVER_ERROR)
    with pytest.raises(ValueError, match="truncated download cannot happen at commit"):
        faults.randomly(0, {"commit": {Fault.TRUNCATED_DOWNLOAD: 0.1}})
    with pytest.raises(ValueError, match="sum to more than 1"):
        faults.randomly(0, {"commit": {Fault.SERVER_ERROR: 0.6, Fault.UNAVAILABLE: 0.6}})


def drawn(faults: Faults, endpoint: str, times: int) -> list[Fault | None]:
    injections = [faults.draw(endpoint) for _ in range(times)]
    return [injection and injection.fault for injection in injections]


def test_chance_has_the_rates_that_were_asked_for() -> None:
    faults = Faults(NAMES)
    faults.randomly(3, {"commit": {Fault.SERVER_ERROR: 0.2, Fault.LOST_RESPONSE: 0.1}})
    many = drawn(faults, "commit", 4000)
    assert many.count(Fault.SERVER_ERROR) == pytest.approx(800, abs=100)  # 4 standard deviations
    assert many.count(Fault.LOST_RESPONSE) == pytest.approx(400, abs=76)
    assert faults.draw("tree") is None
    faults.stop()
    assert drawn(faults, "commit", 100) == [None] * 100


def test_chance_depends_on_the_seed_and_not_on_other_endpoints() -> None:
    rates = {Fault.SERVER_ERROR: 0.3, Fault.OUT_OF_SPACE: 0.2}
    one, other, third = Faults(NAMES), Faults(NAMES), Faults(NAMES)
    one.everywhere(5, rates)
    other.everywhere(5, rates)
    third.everywhere(6, rates)
    drawn(other, "tree", 17)
    assert drawn(one, "commit", 50) == drawn(other, "commit", 50) != drawn(third, "commit", 50)
    assert Fault.OUT_OF_SPACE not in drawn(one, "tree", 200)


def test_concurrent_commits_are_all_there(hub_server: HubServer, client: HfApi) -> None:
    threads = [threading.Thread(target=upload, args=(client, f"{n}.txt")) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(hub_server.files(REPO)) == ["0.txt", "1.txt", "2.txt", "3.txt"]
    assert history(hub_server) == 5
