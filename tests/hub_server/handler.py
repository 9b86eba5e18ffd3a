"""HTTP: reads requests, meets the faults, sends answers."""

from __future__ import annotations

import socket
import struct
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.hub_server import routes
from tests.hub_server.errors import HubError
from tests.hub_server.faults import Fault, Faults, Injection
from tests.hub_server.messages import Request, Response, error_response
from tests.hub_server.request_log import Entry, RequestLog, holds_token
from tests.hub_server.store import Store
from tests.hub_server.tokens import Account, token_of

_LINGER_ZERO = struct.pack("ii", 1, 0)  # closing then resets the connection


class HubHTTPServer(ThreadingHTTPServer):
    """Listens, and hands each connection a thread with a `Handler`.

    Args:
        port: To listen at; 0 takes a free one.
        store: What is served.
        faults: What goes wrong.
        log: Where requests are written down.
    """

    daemon_threads = False  # closing waits for them: no thread outlives its server
    request_queue_size = 64

    def __init__(self, port: int, store: Store, faults: Faults, log: RequestLog) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.store = store
        self.faults = faults
        self.log = log
        self.connections: set[socket.socket] = set()
        self.failures: list[BaseException | None] = []

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def server_close(self) -> None:
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the client was faster
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is a mistake of this server's."""
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError):
            self.failures.append(error)
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection, request after request."""

    server: HubHTTPServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    _broken = False

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()
        if self._broken:  # as a network breaks it: with a reset, not with a farewell
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
            self.connection.close()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing on the terminal: the server has a log of its own."""

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 (http.server's names)

    def _serve(self) -> None:
        address = urlsplit(self.path)
        found = routes.find(self.command, address.path)
        name = found[0].name if found else "unknown"
        injection = self.server.faults.draw(name) if found else None
        fault = injection.fault if injection else None
        if fault is Fault.RESET_UPLOAD:
            self._write_down(name, fault, self._read_half_of_the_body(), 0, None)
            self._break()
            return
        request = Request(
            base=self.server.base,
            method=self.command,
            path=address.path,
            query=parse_qs(address.query),
            headers=self.headers,
            body=self._read_body(),
            parts=found[1] if found else {},
        )
        response = self._answer(found[0] if found else None, request, injection)
        self._write_down(name, fault, request.body, response.status, request.account)
        if fault is Fault.LOST_RESPONSE:
            self._break()
        else:
            self._send(response, truncated=fault is Fault.TRUNCATED_DOWNLOAD)

    # --- answers

    def _answer(
        self, route: routes.Route | None, request: Request, injection: Injection | None
    ) -> Response:
        try:
            if injection is not None:
                self._meet(injection)
            request.account = self.server.store.tokens.account(self.headers.get("Authorization"))
            if route is None:
                raise HubError(404, f"This server has no {request.method} {request.path}")
            return route.endpoint(self.server.store, request)
        except HubError as error:
            return error_response(error)

    def _meet(self, injection: Injection) -> None:
        """Wait, revoke, or refuse with an error, as the fault says; others come later."""
        if injection.fault is Fault.LATENCY:
            time.sleep(injection.seconds)
        elif injection.fault is Fault.REVOKED_TOKEN:
            token = token_of(self.headers.get("Authorization"))
            if token is not None:
                self.server.store.tokens.revoke(token)
        elif injection.fault is Fault.ECHOED_TOKEN:
            told = f"no right for {self.headers.get('Authorization')} at {self.path}"
            raise HubError(injection.status, told)
        elif injection.fault is Fault.TOO_MANY_REQUESTS:
            headers = {"Retry-After": str(injection.retry_after)}
            raise HubError(429, "Too many requests", headers=headers)
        elif injection.fault is Fault.SERVER_ERROR:
            raise HubError(500, "Internal server error")
        elif injection.fault is Fault.UNAVAILABLE:
            raise HubError(503, "Service unavailable")
        elif injection.fault is Fault.OUT_OF_SPACE:
            raise HubError(injection.status, "No space left on device")

    def _write_down(
        self, name: str, fault: Fault | None, body: bytes, status: int, account: Account | None
    ) -> None:
        # Before the answer goes out, so that whoever got it finds it in the log.
        leak = holds_token(self.path, body, self.server.store.tokens.known())
        user = account.user if account else None
        self.server.log.add(Entry(name, self.command, self.path, status, user, fault, leak))

    # --- bytes

    def _read_body(self) -> bytes:
        if self._is_chunked():
            return b"".join(iter(self._read_chunk, b""))
        return self._read_exactly(self._length())

    def _read_half_of_the_body(self) -> bytes:
        return self._read_chunk() if self._is_chunked() else self._read_exactly(self._length() // 2)

    def _read_chunk(self) -> bytes:
        size = self.rfile.readline().split(b";")[0].strip()
        chunk = self._read_exactly(int(size, 16) if size else 1)
        self.rfile.readline()  # the line end after the chunk, or after the last, empty one
        return chunk

    def _read_exactly(self, count: int) -> bytes:
        """So many bytes; a client that died half way must not have half of a commit made."""
        content = self.rfile.read(count)
        if len(content) < count:
            raise ConnectionAbortedError("the client hung up in the middle of a body")
        return content

    def _is_chunked(self) -> bool:
        return self.headers.get("Transfer-Encoding", "").lower() == "chunked"

    def _length(self) -> int:
        return int(self.headers.get("Content-Length", 0))

    def _send(self, response: Response, truncated: bool) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if truncated:
            self.wfile.write(response.body[: len(response.body) // 2])
            self.close_connection = True  # with less than was promised
        elif self.command != "HEAD":
            self.wfile.write(response.body)

    def _break(self) -> None:
        self.close_connection = self._broken = True
