"""The server: started on a free port of this machine, with clients that are ready to use."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import HfApi

from tests.hub_server import routes
from tests.hub_server.client import patched
from tests.hub_server.faults import Faults
from tests.hub_server.handler import HubHTTPServer
from tests.hub_server.repository import Repository
from tests.hub_server.request_log import RequestLog
from tests.hub_server.store import Store

USER = "grower"


class HubServer:
    """A Hub of one's own.

    Args:
        folder: Where it keeps everything; caches of its clients too.

    Attributes:
        user: The namespace that the tokens below belong to.
        write_token: A token that may write there.
        read_token: A token that may read there.
        faults: What goes wrong, and what did.
        log: The requests.
        store: What is kept, to look into.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store(folder / "hub")
        self.faults = Faults(routes.NAMES)
        self.log = RequestLog()
        self.user = USER
        self.write_token = self.store.tokens.create(USER, "write")
        self.read_token = self.store.tokens.create(USER, "read")
        self._port = 0
        self._server: HubHTTPServer | None = None

    # --- on and off

    def start(self) -> None:
        """Listen; again at the same port after a `stop`, with everything still there."""
        self._server = HubHTTPServer(self._port, self.store, self.faults, self.log)
        self._port = self._server.server_port
        loop = self._server.serve_forever
        threading.Thread(target=loop, args=(0.02,), name="hub", daemon=True).start()

    def stop(self) -> None:
        """Hang up on everybody and stop listening.

        Raises:
            RuntimeError: If an endpoint failed in a way that is no answer of a Hub.
        """
        if self._server is None:
            return
        server, self._server = self._server, None
        server.shutdown()
        server.server_close()
        if server.failures:
            raise RuntimeError(f"the test server failed: {server.failures}")

    def __enter__(self) -> HubServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    # --- clients

    def client(self, token: str | bool | None = None) -> HfApi:
        """A client of this server, writing by default; False is a client without a token."""
        return HfApi(endpoint=self.url, token=self.write_token if token is None else token)

    def environment(self, token: str | None = None, xet: bool = False) -> dict[str, str]:
        """Environment for a process whose huggingface_hub shall talk to this server."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING"))}
        return kept | {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(self.folder / "home"),
            "HF_TOKEN": self.write_token if token is None else token,
            "HF_HUB_DISABLE_XET": "0" if xet else "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "OMP_NUM_THREADS": "1",
        }

    @contextmanager
    def patched(self, token: str | None = None) -> Iterator[None]:
        """Within, this process's huggingface_hub, transformers and datasets talk to the server."""
        with patched(self.url, self.folder / "home", token or self.write_token):
            yield

    # --- what is kept

    def everything_regular(self) -> None:
        """Keep every file in git from now on, as clients with hf_xet at work need it here."""
        self.store.large_suffixes = ()

    def repository(self, name: str, kind: str = "models") -> Repository:
        return self.store.repository(kind, name)

    def files(self, name: str, revision: str = "main", kind: str = "models") -> dict[str, bytes]:
        """Every file of a revision, as a client would download it."""
        repository = self.repository(name, kind)
        commit = repository.resolve(revision)
        if commit is None:
            raise KeyError(f"{name} has no revision {revision}")
        listing = repository.listing(commit).values()
        paths = [entry.path for entry in listing if not entry.is_folder]
        return {path: self.store.read(repository, commit, path) for path in paths}

    def holds(self, text: str) -> bool:
        """Whether a text is anywhere in what was ever stored, deleted branches included."""
        large = self.store.large_files.folder.iterdir()
        return any(repository.holds(text) for repository in self.store.repositories()) or any(
            text.encode() in path.read_bytes() for path in large
        )

    def check(self) -> str:
        """What `git fsck` says of all repositories; empty where all is well."""
        return "".join(repository.check() for repository in self.store.repositories())
