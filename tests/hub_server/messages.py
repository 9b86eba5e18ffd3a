"""A request as the endpoints see it, and the answer that they give."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.hub_server.errors import HubError
from tests.hub_server.tokens import Account


@dataclass
class Request:
    """One request, read whole.

    Attributes:
        base: The server's own address, as "http://127.0.0.1:8000".
        method: GET, HEAD, POST, PUT or DELETE.
        path: As sent, percent signs and all, without the query.
        query: Each name with all its values.
        headers: Of the request.
        body: Decoded from chunks where it came in such.
        account: Whom the token stands for; None without a token.
        parts: The pieces of the path that the route names, unquoted.
    """

    base: str
    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    body: bytes = b""
    account: Account | None = None
    parts: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """ "namespace/name" of the repository."""
        return self.parts["name"]

    @property
    def kind(self) -> str:
        """ "models" or "datasets"; addresses of files do not say "models"."""
        return self.parts.get("kind") or "models"

    def json(self) -> dict[str, Any]:
        try:
            return json.loads(self.body or b"{}")
        except json.JSONDecodeError as error:
            raise HubError(400, f"The body is no JSON: {error}") from error

    def flag(self, name: str) -> bool:
        return self.query.get(name, ["false"])[0].lower() in ("true", "1")


@dataclass
class Response:
    """Status, body and headers; the length is added when it is sent."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    typed = {"Content-Type": "application/json"} | (headers or {})
    return Response(status, json.dumps(value).encode(), typed)


def error_response(error: HubError) -> Response:
    headers = {"X-Error-Message": error.message} | error.headers
    if error.code is not None:
        headers["X-Error-Code"] = error.code
    # validate-yaml and the commit endpoint are read by `errors`, everything else by `error`.
    body = {"error": error.message, "errors": [{"message": error.message}]}
    return json_response(body, error.status, headers)
