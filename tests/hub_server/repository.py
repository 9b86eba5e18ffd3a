"""One repository: a bare git directory, commits made whole, listings kept by commit."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.hub_server import git
from tests.hub_server.lfs import LARGEST_POINTER, Pointer, pointer_of

_COMMIT = re.compile(r"[0-9a-f]{40}")
_REFERENCES = "%(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end) %(refname)"


@dataclass(frozen=True)
class Entry:
    """A file or a folder of one commit; `pointer` where git keeps a large file's pointer."""

    path: str
    is_folder: bool
    oid: str
    size: int
    pointer: Pointer | None = None


@dataclass(frozen=True)
class Commit:
    """A row of the history."""

    oid: str
    seconds: int
    author: str
    title: str
    message: str
    changed: tuple[str, ...] = ()


@dataclass
class Change:
    """What one commit does: paths to delete (files or folders), then files to write."""

    deletions: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)


class Repository:
    """A repository of the Hub.

    Args:
        directory: The bare git directory, made where it is missing.
        kind: "models", "datasets" or "spaces".
        name: "namespace/name".
        private: Whether only its owner may read it.
        author: Who makes the first commit.
    """

    def __init__(self, directory: Path, kind: str, name: str, private: bool, author: str) -> None:
        self.directory = directory
        self.kind = kind
        self.name = name
        self.private = private
        self.lock = threading.RLock()
        self.created = time.time()
        self._listings: dict[str, dict[str, Entry]] = {}
        directory.mkdir(parents=True)
        git.run(directory, "init", "--bare", "--quiet", "--template=", "--initial-branch=main")
        git.run(directory, "config", "core.fsync", "none")  # it lives as long as a test
        self.commit("refs/heads/main", None, Change(), "initial commit", author)

    # --- references

    def references(self) -> dict[str, str]:
        """Full name of each reference, and its commit (not the tag object)."""
        lines = git.run(self.directory, "for-each-ref", f"--format={_REFERENCES}").decode()
        rows = (line.split(" ", 1) for line in lines.splitlines())
        return {name: commit for commit, name in rows}

    def resolve(self, revision: str) -> str | None:
        """The commit of a branch, a tag, `refs/pr/N` or a whole commit id; None where none is."""
        references = self.references()
        for name in (f"refs/heads/{revision}", f"refs/tags/{revision}", revision):
            if name in references:
                return references[name]
        return revision if _COMMIT.fullmatch(revision) and self._is_commit(revision) else None

    def set_branch(self, branch: str, commit: str) -> None:
        git.run(self.directory, "update-ref", f"refs/heads/{branch}", commit)

    def set_tag(self, tag: str, commit: str, message: str | None) -> None:
        annotation = [] if message is None else ["--annotate", f"--message={message}"]
        git.run(self.directory, "tag", *annotation, tag, commit)

    def delete_reference(self, name: str) -> None:
        git.run(self.directory, "update-ref", "-d", name)

    def is_good_name(self, branch: str) -> bool:
        try:
            git.run(self.directory, "check-ref-format", f"refs/heads/{branch}")
        except git.GitError:
            return False
        return not branch.startswith("-")

    def _is_commit(self, oid: str) -> bool:
        try:
            return git.run(self.directory, "cat-file", "-t", oid).strip() == b"commit"
        except git.GitError:
            return False

    # --- commits

    def commit(
        self, reference: str, parent: str | None, change: Change, message: str, author: str
    ) -> str:
        """Make one commit on a reference, whole or not at all; its id."""
        who = f"{author} <{author}@localhost> {int(time.time())} +0000".encode()
        stream = [b"commit %s\n" % reference.encode(), b"committer %s\n" % who]
        stream.append(git.data(message.encode()))
        if parent is not None:
            stream.append(b"from %s\n" % parent.encode())
        stream += [b"D %s\n" % git.quoted_path(path) for path in change.deletions]
        for path, content in change.files.items():
            stream += [b"M 100644 inline %s\n" % git.quoted_path(path), git.data(content)]
        git.fast_import(self.directory, b"".join([*stream, b"\n", b"done\n"]))
        return self.references()[reference]

    def history(self, commit: str) -> list[Commit]:
        """The commits that lead to this one, newest first, each with the paths it changed."""
        layout = "--format=%x01%H%x00%ct%x00%an%x00%s%x00%B%x00"
        output = git.run(self.directory, "log", layout, "--name-only", "-z", "--root", commit)
        return [_commit(record) for record in output.decode().split("\x01")[1:]]

    # --- contents

    def listing(self, commit: str) -> dict[str, Entry]:
        """Every file and folder of a commit, by path. A commit never changes, so it is kept."""
        if commit not in self._listings:
            output = git.run(self.directory, "ls-tree", "-r", "-t", "-l", "-z", commit).decode()
            rows = [row.split("\t", 1) for row in output.split("\0") if row]
            entries = [_entry(facts.split(), path) for facts, path in rows]
            self._listings[commit] = {entry.path: entry for entry in self._with_pointers(entries)}
        return self._listings[commit]

    def blob(self, oid: str) -> bytes:
        return git.blobs(self.directory, [oid])[oid]

    def holds(self, text: str) -> bool:
        """Whether any object ever stored has this text in it: files, messages, names."""
        everything = git.run(self.directory, "cat-file", "--batch-all-objects", "--batch")
        return text.encode() in everything or any(text in name for name in self.references())

    def check(self) -> str:
        """What `git fsck` has to say; empty where all is well."""
        try:
            return git.run(self.directory, "fsck", "--full", "--strict", "--no-dangling").decode()
        except git.GitError as error:
            return str(error)

    def _with_pointers(self, entries: list[Entry]) -> Iterable[Entry]:
        small = [e.oid for e in entries if not e.is_folder and e.size <= LARGEST_POINTER]
        contents = git.blobs(self.directory, sorted(set(small)))
        for entry in entries:
            pointer = pointer_of(contents[entry.oid]) if entry.oid in contents else None
            yield Entry(entry.path, entry.is_folder, entry.oid, entry.size, pointer)


def _entry(facts: list[str], path: str) -> Entry:
    _mode, kind, oid, size = facts
    return Entry(path, kind == "tree", oid, 0 if kind == "tree" else int(size))


def _commit(record: str) -> Commit:
    oid, seconds, author, title, message, *changed = record.split("\0")
    paths = tuple(path.strip("\n") for path in changed if path.strip("\n"))
    return Commit(oid, int(seconds), author, title, message.strip(), paths)
