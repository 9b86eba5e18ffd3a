"""How an upload begins: what goes where, and the Git LFS batch protocol for large files."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from tests.hub_server.errors import HubError, revision_not_found
from tests.hub_server.messages import Request, Response, json_response
from tests.hub_server.repository import Entry
from tests.hub_server.store import Store

_LFS_JSON = {"Content-Type": "application/vnd.git-lfs+json"}


def preupload(store: Store, request: Request) -> Response:
    """Says of each file whether it goes into git or beside it, and what is there already."""
    repository = store.writable(request.kind, request.name, request.account)
    commit = repository.resolve(request.parts["rev"])
    if commit is None:
        raise revision_not_found(request.parts["rev"])
    listing = repository.listing(commit)
    files = [_mode(store, file["path"], listing) for file in request.json()["files"]]
    return json_response({"files": files, "commitOid": commit})


def _mode(store: Store, path: str, listing: dict[str, Entry]) -> dict[str, Any]:
    mode = "lfs" if path.endswith(store.large_suffixes) else "regular"
    answer: dict[str, Any] = {"path": path, "uploadMode": mode, "shouldIgnore": False}
    present = listing.get(path)
    if present is not None and not present.is_folder:
        # The client drops a file whose content it recognises here, and so makes no empty commit.
        answer["oid"] = present.pointer.sha256 if present.pointer else present.oid
    return answer


def lfs_batch(store: Store, request: Request) -> Response:
    store.writable(request.kind, request.name, request.account)
    objects = [_actions(store, request, wanted) for wanted in request.json()["objects"]]
    return json_response({"transfer": "basic", "objects": objects}, headers=_LFS_JSON)


def _actions(store: Store, request: Request, wanted: dict[str, Any]) -> dict[str, Any]:
    if store.large_files.has(wanted["oid"]):
        return wanted
    # As on the Hub, the upload address is itself the permission, and takes no token.
    ticket = secrets.token_hex(16)
    store.upload_tickets[ticket] = wanted["oid"]
    repository = request.path.removesuffix("/objects/batch")
    upload = {"href": f"{request.base}/lfs-upload/{wanted['oid']}?ticket={ticket}", "header": {}}
    verify = {"href": f"{request.base}{repository}/verify", "header": {}}
    return wanted | {"actions": {"upload": upload, "verify": verify}}


def lfs_put(store: Store, request: Request) -> Response:
    sha256 = request.parts["oid"]
    if store.upload_tickets.get(request.query.get("ticket", [""])[0]) != sha256:
        raise HubError(403, "This upload address was not given out")
    if not store.large_files.put(sha256, request.body):
        seen = hashlib.sha256(request.body).hexdigest()
        raise HubError(400, f"Content has sha256 {seen}, not {sha256}")
    return Response(200, headers={"ETag": f'"{sha256}"'})


def lfs_verify(store: Store, request: Request) -> Response:
    store.writable(request.kind, request.name, request.account)
    wanted = request.json()
    if not store.large_files.has(wanted["oid"]):
        raise HubError(404, f"No object {wanted['oid']}")
    if store.large_files.size(wanted["oid"]) != wanted["size"]:
        raise HubError(400, f"Object {wanted['oid']} has another size than {wanted['size']}")
    return json_response({})
