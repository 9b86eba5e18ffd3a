"""What no client of ours does on purpose: dying in the middle, or speaking nonsense."""

from __future__ import annotations

import base64
import json
import socket
from pathlib import Path

import pytest
from huggingface_hub import get_session
from huggingface_hub.utils import httpx

from tests.hub_server import HubServer

REPO = "grower/series"


def commit_body(*names: str) -> bytes:
    content = base64.b64encode(b"1").decode()
    files = [{"key": "file", "value": {"path": name, "content": content}} for name in names]
    rows = [{"key": "header", "value": {"summary": "Raw"}}, *files]
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def send_raw(hub_server: HubServer, head: str, body: bytes) -> bytes:
    """Send a commit as bytes, hang up, and return what comes back."""
    host, port = hub_server.url.removeprefix("http://").split(":")
    start = f"POST /api/models/{REPO}/commit/main HTTP/1.1\r\nHost: hub\r\n"
    authorization = f"Authorization: Bearer {hub_server.write_token}\r\n"
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall((start + authorization + head + "\r\n").encode() + body)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(4096), b""))


def chunked(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(body), body)


def test_a_client_that_dies_half_way_has_made_no_commit(hub_server: HubServer) -> None:
    hub_server.client().create_repo(REPO)
    whole = commit_body("a", "b")
    part = commit_body("a")  # by itself it would be a good commit
    assert send_raw(hub_server, f"Content-Length: {len(whole)}\r\n", part) == b""
    assert send_raw(hub_server, "Transfer-Encoding: chunked\r\n", chunked(part)) == b""
    assert hub_server.files(REPO) == {}


def test_a_body_in_chunks_is_the_body(hub_server: HubServer) -> None:
    hub_server.client().create_repo(REPO)
    body = commit_body("a", "b")
    pieces = chunked(body[:30]) + chunked(body[30:]) + b"0\r\n\r\n"
    answer = send_raw(hub_server, "Transfer-Encoding: chunked\r\n", pieces)
    assert answer.startswith(b"HTTP/1.1 200")
    assert hub_server.files(REPO) == {"a": b"1", "b": b"1"}


@pytest.mark.parametrize("body", [b"", b"{", b'{"key": "file", "value": {}}\n'])
def test_a_commit_that_is_no_commit_is_a_bad_request(hub_server: HubServer, body: bytes) -> None:
    hub_server.client().create_repo(REPO)
    answer = send_raw(hub_server, f"Content-Length: {len(body)}\r\n", body)
    assert answer.startswith(b"HTTP/1.1 400")


def test_a_mistake_of_the_server_fails_the_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    server = HubServer(tmp_path / "hub")
    server.start()
    monkeypatch.setattr(server.store.tokens, "account", lambda authorization: 1 / 0)
    with server.patched(), pytest.raises(httpx.TransportError):
        get_session().get(f"{server.url}/api/whoami-v2")
    with pytest.raises(RuntimeError, match="division by zero"):
        server.stop()
    assert "ZeroDivisionError" in capfd.readouterr().err
