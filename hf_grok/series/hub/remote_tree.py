"""What a revision of a repository holds, from the tree API: no weights are downloaded."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi, RepoFile

from hf_grok.runs.manifest import file_facts
from hf_grok.series.errors import SeriesError
from hf_grok.series.local.manifest import (
    INDEX_FILE,
    SERIES_FILE,
    Index,
    Manifest,
)
from hf_grok.series.local.safety import is_weights, safe_path
from hf_grok.text.files import decoded

HUB_OWN = ".gitattributes"  # which the Hub makes, and changes, in every repository


@dataclass(frozen=True)
class RemoteFile:
    """One file as the Hub lists it.

    Attributes:
        size: in bytes.
        blob: git's SHA-1 of the blob; for large files, of the pointer to them.
        sha256: of the content, for files in large-file storage; None for those in git itself.
    """

    size: int
    blob: str
    sha256: str | None

    def equals(self, path: Path) -> bool:
        """Whether a local file has this content."""
        if not path.is_file() or path.stat().st_size != self.size:
            return False
        if self.sha256 is not None:
            return file_facts(path).sha256 == self.sha256
        return git_blob(path.read_bytes()) == self.blob

    def matches(self, content: bytes) -> bool:
        """Whether this is the content."""
        if self.sha256 is not None:
            return hashlib.sha256(content).hexdigest() == self.sha256
        return git_blob(content) == self.blob


Tree = Mapping[str, RemoteFile]


def git_blob(content: bytes) -> str:
    """sha1 of "blob {length}", a zero byte and the content: git's name of a file."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def tree_of(api: HfApi, repository: str, revision: str) -> dict[str, RemoteFile]:
    """Path -> file of one revision, folders walked through."""
    entries = api.list_repo_tree(repository, recursive=True, revision=revision)
    return {
        entry.path: RemoteFile(entry.size, entry.blob_id, entry.lfs.sha256 if entry.lfs else None)
        for entry in entries
        if isinstance(entry, RepoFile)
    }


def weights_in(tree: Tree) -> dict[str, RemoteFile]:
    """The files of a tree that hold weights."""
    return {name: file for name, file in sorted(tree.items()) if is_weights(name)}


def read_remote(api: HfApi, repository: str, name: str, commit: str) -> bytes:
    """The content of a small file, by way of a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="hf-grok-") as folder:
        safe_path(Path(folder), name)
        found = api.hf_hub_download(repository, name, revision=commit, local_dir=folder)
        return Path(found).read_bytes()


def read_text(api: HfApi, repository: str, name: str, commit: str) -> str:
    """The same as text.

    Raises:
        SeriesError: it is not UTF-8.
    """
    where = f"{name} at {commit[:8]} of {repository}"
    return decoded(read_remote(api, repository, name, commit), where, error=SeriesError)


def read_index(api: HfApi, repository: str, commit: str | None) -> Index | None:
    """The index of a commit of `main`; None for a series of somebody who keeps none.

    Raises:
        SeriesError: there is one, and it cannot be read.
    """
    if commit is None or INDEX_FILE not in tree_of(api, repository, commit):
        return None
    text = read_text(api, repository, INDEX_FILE, commit)
    return Index.from_json(text, f"{INDEX_FILE} of {repository}")


def read_manifest(api: HfApi, repository: str, commit: str | None) -> Manifest | None:
    """The series.json of a commit; None where there is none.

    Raises:
        SeriesError: there is one, and it cannot be read.
    """
    if commit is None or SERIES_FILE not in tree_of(api, repository, commit):
        return None
    return Manifest.from_json(read_text(api, repository, SERIES_FILE, commit), SERIES_FILE)
