"""A log of requests, without tokens, that knows whether a token was where none belongs."""

from __future__ import annotations

import base64
import binascii
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from tests.hub_server.faults import Fault

_ENCODED = re.compile(rb'"(?:content|sample)"\s*:\s*"([A-Za-z0-9+/=]+)"')


@dataclass(frozen=True)
class Entry:
    """One request.

    Attributes:
        endpoint: Its route's name; "unknown" where there is none.
        method: Of HTTP.
        path: As sent, with the query.
        status: Of the answer; 0 where the connection broke before anything was done.
        user: Whom the token stands for; None without a (good) token.
        fault: What was injected.
        leak: Whether a token stood in the address or in the body, base64 within JSON undone.
    """

    endpoint: str
    method: str
    path: str
    status: int
    user: str | None
    fault: Fault | None
    leak: bool


class RequestLog:
    """Entries, as requests were answered; safe to add to from many threads."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._lock = threading.Lock()

    def add(self, entry: Entry) -> None:
        with self._lock:
            self._entries.append(entry)

    def entries(self, endpoint: str | None = None) -> list[Entry]:
        """All entries, or those of one endpoint."""
        with self._lock:
            return [entry for entry in self._entries if endpoint in (None, entry.endpoint)]

    def statuses(self, endpoint: str) -> list[int]:
        return [entry.status for entry in self.entries(endpoint)]

    def leaks(self) -> list[Entry]:
        """Requests that carried a token outside their Authorization header."""
        return [entry for entry in self.entries() if entry.leak]


def holds_token(path: str, body: bytes, tokens: Iterable[str]) -> bool:
    """Whether any token stands in the address or in the body of a request."""
    texts = [unquote(path).encode(), body, *_decoded(body)]
    return any(token.encode() in text for token in tokens for text in texts)


def _decoded(body: bytes) -> list[bytes]:
    contents = []
    for match in _ENCODED.finditer(body):
        try:
            contents.append(base64.b64decode(match[1], validate=True))
        except binascii.Error:
            continue  # a text that merely looks like base64
    return contents
