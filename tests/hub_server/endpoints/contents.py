"""What a revision holds: facts of the repository, listings, and the files themselves."""

from __future__ import annotations

import hashlib
import re
from typing import Any
from urllib.parse import parse_qs

from tests.hub_server.endpoints.cards import metadata
from tests.hub_server.endpoints.commits import iso_time
from tests.hub_server.errors import HubError, entry_not_found, revision_not_found
from tests.hub_server.messages import Request, Response, json_response
from tests.hub_server.pages import page
from tests.hub_server.repository import Commit, Entry, Repository
from tests.hub_server.store import Store


def _read(store: Store, request: Request) -> tuple[Repository, str]:
    repository = store.readable(request.kind, request.name, request.account)
    revision = request.parts.get("rev") or "main"
    commit = repository.resolve(revision)
    if commit is None:
        raise revision_not_found(revision)
    return repository, commit


def info(store: Store, request: Request) -> Response:
    repository, commit = _read(store, request)
    files = [entry for entry in repository.listing(commit).values() if not entry.is_folder]
    card = metadata(store.read(repository, commit, "README.md")) if _has_card(files) else {}
    changed = repository.history(commit)[0].seconds
    return json_response(
        {
            "_id": hashlib.sha1(repository.name.encode()).hexdigest()[:24],
            "id": repository.name,
            "modelId": repository.name,
            "author": repository.name.split("/")[0],
            "sha": commit,
            "lastModified": iso_time(changed),
            "createdAt": iso_time(repository.created),
            "private": repository.private,
            "gated": False,
            "disabled": False,
            "tags": card.get("tags") or [],
            "downloads": 0,
            "likes": 0,
            "siblings": [_sibling(entry, request.flag("blobs")) for entry in files],
            "cardData": card,
        }
    )


def _has_card(files: list[Entry]) -> bool:
    return any(entry.path == "README.md" for entry in files)


def _sibling(entry: Entry, with_blobs: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"rfilename": entry.path}
    if with_blobs:
        row |= {"size": _row(entry)["size"], "blobId": entry.oid}
        if entry.pointer is not None:
            large = {"sha256": entry.pointer.sha256, "size": entry.pointer.size}
            row["lfs"] = large | {"pointerSize": entry.size}
    return row


def tree(store: Store, request: Request) -> Response:
    repository, commit = _read(store, request)
    listing = repository.listing(commit)
    folder = request.parts.get("path") or ""
    if folder and (folder not in listing or not listing[folder].is_folder):
        raise entry_not_found(folder, commit)
    prefix = f"{folder}/" if folder else ""
    inside = [entry for entry in listing.values() if entry.path.startswith(prefix)]
    if not request.flag("recursive"):
        inside = [entry for entry in inside if "/" not in entry.path.removeprefix(prefix)]
    rows = [_row(entry) for entry in inside]
    if request.flag("expand"):
        _expand(rows, repository.history(commit))
    return page(rows, request, store.page_size)


def paths_info(store: Store, request: Request) -> Response:
    repository, commit = _read(store, request)
    listing = repository.listing(commit)
    form = parse_qs(request.body.decode())
    wanted = [path.rstrip("/") for path in form.get("paths", [])]
    rows = [_row(listing[path]) for path in wanted if path in listing]
    if form.get("expand", ["false"])[0].lower() == "true":
        _expand(rows, repository.history(commit))
    return json_response(rows)


def _row(entry: Entry) -> dict[str, Any]:
    if entry.is_folder:
        return {"type": "directory", "path": entry.path, "oid": entry.oid, "size": 0}
    row = {"type": "file", "path": entry.path, "oid": entry.oid, "size": entry.size}
    if entry.pointer is not None:
        row["size"] = entry.pointer.size
        large = {"oid": entry.pointer.sha256, "size": entry.pointer.size}
        row["lfs"] = large | {"pointerSize": entry.size}
    return row


def _expand(rows: list[dict[str, Any]], history: list[Commit]) -> None:
    """Add to each row the last commit that touched it, or anything in it."""
    for row in rows:
        last = next(c for c in history if any(_within(path, row["path"]) for path in c.changed))
        row["lastCommit"] = {"id": last.oid, "title": last.title, "date": iso_time(last.seconds)}


def _within(path: str, parent: str) -> bool:
    return path == parent or path.startswith(f"{parent}/")


def resolve(store: Store, request: Request) -> Response:
    """HEAD and GET of a file; GET may ask for a part of it."""
    repository, commit = _read(store, request)
    path = request.parts["path"]
    entry = repository.listing(commit).get(path)
    if entry is None or entry.is_folder:
        raise entry_not_found(path, commit)
    content = store.read(repository, commit, path)
    headers = {"X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
    headers["Content-Type"] = "application/octet-stream"
    headers["ETag"] = f'"{entry.pointer.sha256 if entry.pointer else entry.oid}"'
    if entry.pointer is not None:
        headers["X-Linked-Etag"] = headers["ETag"]
        headers["X-Linked-Size"] = str(entry.pointer.size)
    return _part(content, request.headers.get("Range"), headers)


def _part(content: bytes, wanted: str | None, headers: dict[str, str]) -> Response:
    if wanted is None:
        return Response(200, content, headers)
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted)
    if match is None or int(match[1]) >= len(content):
        outside = {"Content-Range": f"bytes */{len(content)}"}
        raise HubError(416, f"No such range: {wanted}", headers=outside)
    start, last = int(match[1]), int(match[2] or len(content) - 1)
    piece = content[start : last + 1]
    headers["Content-Range"] = f"bytes {start}-{start + len(piece) - 1}/{len(content)}"
    return Response(206, piece, headers)
