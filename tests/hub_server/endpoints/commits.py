"""Commits: operations come as lines of JSON and are applied all together or not at all."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timezone
from typing import Any

from tests.hub_server.errors import HubError, entry_not_found, revision_not_found
from tests.hub_server.lfs import Pointer
from tests.hub_server.messages import Request, Response, json_response
from tests.hub_server.pages import page
from tests.hub_server.repository import Change, Entry, Repository
from tests.hub_server.store import Store


def commit(store: Store, request: Request) -> Response:
    repository = store.writable(request.kind, request.name, request.account)
    header, *lines = _lines(request.body)
    with repository.lock:
        reference, parent = _target(repository, request)
        _must_follow(header.get("parentCommit"), parent)
        change = _change(store, lines, repository.listing(parent), parent)
        message = f"{header['summary']}\n\n{header.get('description', '')}".strip()
        oid = repository.commit(reference, parent, change, message, request.account.user)
    return json_response(_answer(request, oid, reference))


def _lines(body: bytes) -> list[dict[str, Any]]:
    """The header's value, then the operations."""
    try:
        lines = [json.loads(line) for line in body.splitlines() if line.strip()]
    except json.JSONDecodeError as error:
        raise HubError(400, f"The body has a line that is no JSON: {error}") from error
    if not lines or lines[0]["key"] != "header":
        raise HubError(400, "The first line must be the header")
    return [lines[0]["value"], *lines[1:]]


def _target(repository: Repository, request: Request) -> tuple[str, str]:
    """The reference to move, and the commit that it stands at."""
    revision = request.parts["rev"]
    references = repository.references()
    if request.flag("create_pr"):
        number = 1 + sum(name.startswith("refs/pr/") for name in references)
        return f"refs/pr/{number}", references["refs/heads/main"]
    for name in (f"refs/heads/{revision}", revision):
        if name in references and not name.startswith("refs/tags/"):
            return name, references[name]
    raise revision_not_found(revision)


def _must_follow(wanted: str | None, parent: str) -> None:
    if wanted is not None and wanted != parent:
        raise HubError(412, "A commit has happened since. Please refresh and try again.")


def _change(
    store: Store, lines: list[dict[str, Any]], listing: dict[str, Entry], parent: str
) -> Change:
    change = Change()
    for line in lines:
        key, value = line["key"], line["value"]
        if key in ("deletedFile", "deletedFolder"):
            change.deletions.append(_present(value["path"], key, listing, parent))
        elif key == "file":
            change.files[_safe(value["path"])] = base64.b64decode(value["content"])
        elif key == "lfsFile":
            change.files[_safe(value["path"])] = _pointer(store, value["oid"]).encode()
        else:
            raise HubError(400, f"Unknown operation: {key}")
    return change


def _present(path: str, key: str, listing: dict[str, Entry], parent: str) -> str:
    entry = listing.get(path.rstrip("/"))
    if entry is None or entry.is_folder != (key == "deletedFolder"):
        missing = entry_not_found(path, parent)
        missing.message = f"A {key.removeprefix('deleted').lower()} with this name doesn't exist"
        raise missing
    return entry.path


def _safe(path: str) -> str:
    parts = path.split("/")
    if any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
        raise HubError(400, f"Invalid path: {path}")
    return path


def _pointer(store: Store, oid: str) -> Pointer:
    if not store.large_files.has(oid):
        raise HubError(400, f"LFS pointer pointed to a file that does not exist: {oid}")
    return Pointer(oid, store.large_files.size(oid))


def _answer(request: Request, oid: str, reference: str) -> dict[str, Any]:
    prefix = "" if request.kind == "models" else f"{request.kind}/"
    home = f"{request.base}/{prefix}{request.name}"
    answer = {"success": True, "commitOid": oid, "commitUrl": f"{home}/commit/{oid}"}
    answer["hookOutput"] = ""
    if reference.startswith("refs/pr/"):
        answer["pullRequestUrl"] = f"{home}/discussions/{reference.removeprefix('refs/pr/')}"
    return answer


def commits(store: Store, request: Request) -> Response:
    repository = store.readable(request.kind, request.name, request.account)
    head = repository.resolve(request.parts["rev"])
    if head is None:
        raise revision_not_found(request.parts["rev"])
    rows = [
        {
            "id": row.oid,
            "title": row.title,
            "message": row.message.removeprefix(row.title).strip(),
            "date": iso_time(row.seconds),
            "authors": [{"user": row.author}],
        }
        for row in repository.history(head)
    ]
    return page(rows, request, store.page_size)


def iso_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
