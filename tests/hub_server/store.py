"""All that the server holds: repositories, large files, tokens."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

from tests.hub_server.errors import repository_not_found, revision_not_found
from tests.hub_server.lfs import LargeFiles
from tests.hub_server.repository import Repository
from tests.hub_server.tokens import Account, Tokens, must_write

# What the Hub keeps outside git, whatever its size, as a repository's .gitattributes says there.
LARGE_SUFFIXES = (".safetensors", ".parquet", ".arrow", ".bin", ".pt", ".npz", ".h5")


class Store:
    """The state of one server.

    Args:
        folder: Where repositories and large files lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tokens = Tokens()
        self.large_files = LargeFiles(folder / "lfs")
        # With () every file goes into git: what a client with hf_xet at work can be served with.
        self.large_suffixes: tuple[str, ...] = LARGE_SUFFIXES
        self.page_size = 1000  # rows of a listing in one answer
        self.upload_tickets: dict[str, str] = {}  # ticket of an upload address -> sha256
        self._repositories: dict[tuple[str, str], Repository] = {}
        self._lock = threading.Lock()

    def create(self, kind: str, name: str, private: bool, author: str) -> bool:
        """Make a repository; False, and nothing changed, where there is one of that name."""
        with self._lock:
            if (kind, name) in self._repositories:
                return False
            directory = self.folder / kind / f"{name}.git"
            self._repositories[kind, name] = Repository(directory, kind, name, private, author)
            return True

    def delete(self, kind: str, name: str) -> None:
        with self._lock:
            if (kind, name) not in self._repositories:
                raise repository_not_found()
            shutil.rmtree(self._repositories.pop((kind, name)).directory)

    def repositories(self) -> list[Repository]:
        return list(self._repositories.values())

    def repository(self, kind: str, name: str) -> Repository:
        """A repository, asked for by a test: nobody's rights are checked."""
        return self._repositories[kind, name]

    def readable(self, kind: str, name: str, account: Account | None) -> Repository:
        """A repository that this account may read.

        Raises:
            HubError: 401 without a token, 404 with one, whether it is missing or private.
        """
        found = self._repositories.get((kind, name))
        owner = name.split("/")[0]
        if found is None or (found.private and (account is None or account.user != owner)):
            raise repository_not_found(401 if account is None else 404)
        return found

    def writable(self, kind: str, name: str, account: Account | None) -> Repository:
        found = self.readable(kind, name, account)
        must_write(account, name.split("/")[0])
        return found

    def read(self, repository: Repository, revision: str, path: str) -> bytes:
        """Content of a file at a revision, large or not."""
        commit = repository.resolve(revision)
        if commit is None:
            raise revision_not_found(revision)
        entry = repository.listing(commit)[path]
        if entry.pointer is not None:
            return self.large_files.read(entry.pointer.sha256)
        return repository.blob(entry.oid)
