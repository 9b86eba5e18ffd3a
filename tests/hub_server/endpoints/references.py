"""Branches and tags."""

from __future__ import annotations

from tests.hub_server.errors import HubError, revision_not_found
from tests.hub_server.messages import Request, Response, json_response
from tests.hub_server.repository import Repository
from tests.hub_server.store import Store

_KINDS = {"branches": "refs/heads/", "tags": "refs/tags/", "converts": "refs/convert/"}


def refs(store: Store, request: Request) -> Response:
    references = store.readable(request.kind, request.name, request.account).references()
    answer = {key: _rows(references, prefix) for key, prefix in _KINDS.items()}
    if request.flag("include_prs"):
        answer["pullRequests"] = _rows(references, "refs/pr/")
    return json_response(answer)


def _rows(references: dict[str, str], prefix: str) -> list[dict[str, str]]:
    return [
        {"name": name.removeprefix(prefix), "ref": name, "targetCommit": commit}
        for name, commit in references.items()
        if name.startswith(prefix)
    ]


def create_branch(store: Store, request: Request) -> Response:
    repository = store.writable(request.kind, request.name, request.account)
    branch = request.parts["rev"]
    with repository.lock:
        commit = _commit(repository, request.json().get("startingPoint", "main"))
        _must_be_free(repository, "refs/heads/", branch)
        repository.set_branch(branch, commit)
    return json_response({}, status=201)


def create_tag(store: Store, request: Request) -> Response:
    repository = store.writable(request.kind, request.name, request.account)
    wanted = request.json()
    with repository.lock:
        commit = _commit(repository, request.parts["rev"])
        _must_be_free(repository, "refs/tags/", wanted["tag"])
        repository.set_tag(wanted["tag"], commit, wanted.get("message"))
    return json_response({})


def delete_branch(store: Store, request: Request) -> Response:
    if request.parts["rev"] == "main":
        raise HubError(400, "The branch main cannot be deleted")
    return _delete(store, request, "refs/heads/")


def delete_tag(store: Store, request: Request) -> Response:
    return _delete(store, request, "refs/tags/")


def _delete(store: Store, request: Request, prefix: str) -> Response:
    repository = store.writable(request.kind, request.name, request.account)
    name = request.parts["rev"]
    with repository.lock:
        if prefix + name not in repository.references():
            raise revision_not_found(name)
        repository.delete_reference(prefix + name)
    return json_response({})


def _commit(repository: Repository, revision: str) -> str:
    commit = repository.resolve(revision)
    if commit is None:
        raise revision_not_found(revision)
    return commit


def _must_be_free(repository: Repository, prefix: str, name: str) -> None:
    if not repository.is_good_name(name):
        raise HubError(400, f"Invalid reference name: {name}")
    taken = [ref for ref in repository.references() if ref.startswith(prefix)]
    if prefix + name in taken:
        raise HubError(409, f"Reference already exists: {name}")
    # git keeps references as files: `a` and `a/b` cannot both be.
    if any(_one_in_the_other(prefix + name, ref) for ref in taken):
        raise HubError(400, f"A reference already takes a part of this name: {name}")


def _one_in_the_other(one: str, other: str) -> bool:
    return one.startswith(f"{other}/") or other.startswith(f"{one}/")
