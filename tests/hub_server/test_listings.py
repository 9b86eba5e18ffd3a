from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from huggingface_hub import HfApi, get_session, hf_hub_url
from huggingface_hub.errors import EntryNotFoundError

from tests.hub_server import HubServer

REPO = "grower/series"
WEIGHTS = b"weights of step 2" * 1000


@pytest.fixture
def client(hub_server: HubServer, checkpoint: Path) -> HfApi:
    client = hub_server.client()
    client.create_repo(REPO)
    client.upload_folder(repo_id=REPO, folder_path=checkpoint, commit_message="The step")
    return client


def test_the_tree_knows_sha256_of_large_files_without_their_download(client: HfApi) -> None:
    rows = {row.path: row for row in client.list_repo_tree(REPO, recursive=True)}
    assert sorted(rows) == [
        "config.json",
        "extra",
        'extra/a "b" #ü%2F.txt',
        "model.safetensors",
    ]
    large = rows["model.safetensors"]
    assert (large.lfs.sha256, large.size) == (hashlib.sha256(WEIGHTS).hexdigest(), len(WEIGHTS))
    small = rows["config.json"]
    blob = hashlib.sha1(b'blob 11\0{"step": 2}').hexdigest()
    assert (small.lfs, small.size, small.blob_id) == (None, 11, blob)


def test_a_folder_lists_its_own(client: HfApi) -> None:
    top = [row.path for row in client.list_repo_tree(REPO)]
    assert top == ["config.json", "extra", "model.safetensors"]
    inside = [row.path for row in client.list_repo_tree(REPO, "extra")]
    assert inside == ['extra/a "b" #ü%2F.txt']
    with pytest.raises(EntryNotFoundError):
        list(client.list_repo_tree(REPO, "no-such-folder"))


def test_expanded_rows_name_the_commit_that_last_touched_them(client: HfApi) -> None:
    client.upload_file(
        path_or_fileobj=b"x", path_in_repo="extra/x", repo_id=REPO, commit_message="More"
    )
    rows = client.list_repo_tree(REPO, recursive=True, expand=True)
    assert {row.path: row.last_commit.title for row in rows} == {
        "config.json": "The step",
        "extra": "More",
        'extra/a "b" #ü%2F.txt': "The step",
        "extra/x": "More",
        "model.safetensors": "The step",
    }


def test_listings_come_in_pages(client: HfApi, hub_server: HubServer) -> None:
    hub_server.store.page_size = 2
    names = [f"file{number}" for number in range(5)]
    for name in names:
        client.upload_file(path_or_fileobj=b"", path_in_repo=f"n/{name}", repo_id=REPO)
    assert [row.path for row in client.list_repo_tree(REPO, "n")] == [f"n/{n}" for n in names]
    assert len(hub_server.log.entries("tree")) == 3
    hub_server.store.page_size = 5
    assert len(list(client.list_repo_tree(REPO, "n"))) == 5
    assert len(hub_server.log.entries("tree")) == 4  # a last page that is full is the last
    hub_server.store.page_size = 2
    assert len(client.list_repo_commits(REPO)) == 7
    assert len(hub_server.log.entries("commits")) == 4


def test_paths_info_leaves_out_what_is_missing(client: HfApi) -> None:
    rows = client.get_paths_info(REPO, ["extra", "no-such", "model.safetensors"])
    assert [row.path for row in rows] == ["extra", "model.safetensors"]


def test_info_lists_files_and_reads_the_card(client: HfApi) -> None:
    card = b"---\nlicense: mit\ntags: [syntax]\n---\n# A card\n"
    client.upload_file(path_or_fileobj=card, path_in_repo="README.md", repo_id=REPO)
    info = client.model_info(REPO, files_metadata=True)
    assert info.tags == ["syntax"]
    assert info.card_data.license == "mit"
    large = next(row for row in info.siblings if row.rfilename == "model.safetensors")
    assert large.lfs.sha256 == hashlib.sha256(WEIGHTS).hexdigest()


def test_a_file_and_parts_of_it(client: HfApi) -> None:
    url = hf_hub_url(REPO, "model.safetensors")
    whole = get_session().get(url)
    assert (whole.status_code, whole.content) == (200, WEIGHTS)
    part = get_session().get(url, headers={"Range": "bytes=16990-"})
    assert (part.status_code, part.content) == (206, WEIGHTS[16990:])
    assert part.headers["Content-Range"] == "bytes 16990-16999/17000"
    assert get_session().get(url, headers={"Range": "bytes=17000-"}).status_code == 416
    head = get_session().head(url)
    assert head.content == b""
    assert head.headers["Content-Length"] == head.headers["X-Linked-Size"] == "17000"
    assert head.headers["ETag"] == f'"{hashlib.sha256(WEIGHTS).hexdigest()}"'
    assert head.headers["X-Repo-Commit"] == client.model_info(REPO).sha


def test_a_missing_file_says_at_which_commit(client: HfApi, hub_server: HubServer) -> None:
    head = get_session().head(hf_hub_url(REPO, "no-such"))
    assert head.status_code == 404
    assert head.headers["X-Error-Code"] == "EntryNotFound"
    assert head.headers["X-Repo-Commit"] == client.model_info(REPO).sha
    unknown = get_session().get(f"{hub_server.url}/api/no/such/address")
    assert unknown.status_code == 404
    assert "X-Error-Code" not in unknown.headers
