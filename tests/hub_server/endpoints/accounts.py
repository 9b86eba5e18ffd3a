"""Who am I, and the making and deleting of repositories."""

from __future__ import annotations

from tests.hub_server.errors import HubError
from tests.hub_server.messages import Request, Response, json_response
from tests.hub_server.store import Store
from tests.hub_server.tokens import must_be_somebody, must_write


def whoami(store: Store, request: Request) -> Response:
    account = must_be_somebody(request.account)
    right = {"accessToken": {"displayName": "test", "role": account.right}, "type": "access_token"}
    return json_response({"type": "user", "name": account.user, "orgs": [], "auth": right})


def create_repo(store: Store, request: Request) -> Response:
    kind, name = _kind_and_name(request)
    account = must_write(request.account, name.split("/")[0])
    wanted = request.json()
    private = wanted.get("visibility") == "private" or wanted.get("private") is True
    if kind == "spaces" and wanted.get("sdk") not in ("static", "gradio", "docker"):
        raise HubError(400, "A space needs an sdk: static, gradio or docker")
    made = store.create(kind, name, private, account.user)
    prefix = "" if kind == "models" else f"{kind}/"
    answer = {"url": f"{request.base}/{prefix}{name}", "name": name}
    if not made:
        # The address comes with the refusal too: exist_ok reads it there.
        return json_response(answer | {"error": f"You already created this repo: {name}"}, 409)
    return json_response(answer)


def delete_repo(store: Store, request: Request) -> Response:
    kind, name = _kind_and_name(request)
    store.writable(kind, name, request.account)
    store.delete(kind, name)
    return json_response({})


def _kind_and_name(request: Request) -> tuple[str, str]:
    wanted = request.json()
    kinds = {"model": "models", "dataset": "datasets", "space": "spaces"}
    kind = kinds.get(wanted.get("type") or "model")
    if kind is None:
        raise HubError(400, f"This server keeps models, datasets and spaces, no {wanted['type']}")
    namespace = wanted.get("organization") or must_be_somebody(request.account).user
    return kind, f"{namespace}/{wanted['name']}"
