"""git, as far as the server needs it: one process a question, never one a file."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


class GitError(Exception):
    """git refused; the message is its own."""


def run(directory: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """Standard output of `git ARGUMENTS` in a bare repository, with nobody's configuration."""
    completed = subprocess.run(
        ["git", "-C", str(directory), *arguments],
        input=stdin,
        capture_output=True,
        env=_environment(),
        check=False,
    )
    if completed.returncode != 0:
        raise GitError(completed.stderr.decode(errors="replace").strip())
    return completed.stdout


def _environment() -> dict[str, str]:
    # The tests may themselves run in a git hook, whose GIT_DIR would lead astray.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_AUTHOR_NAME": "hub",
        "GIT_AUTHOR_EMAIL": "hub@localhost",
        "GIT_COMMITTER_NAME": "hub",
        "GIT_COMMITTER_EMAIL": "hub@localhost",
        "LC_ALL": "C",
    }


def blobs(directory: Path, identifiers: list[str]) -> dict[str, bytes]:
    """Contents of many blobs, by one `git cat-file --batch`."""
    if not identifiers:
        return {}
    question = "".join(f"{identifier}\n" for identifier in identifiers).encode()
    output = run(directory, "cat-file", "--batch", stdin=question)
    contents, position = {}, 0
    for identifier in identifiers:
        end_of_header = output.index(b"\n", position)
        size = int(output[position:end_of_header].split()[2])
        contents[identifier] = output[end_of_header + 1 : end_of_header + 1 + size]
        position = end_of_header + 1 + size + 1
    return contents


def fast_import(directory: Path, stream: bytes) -> None:
    """All of the stream's commits, or none: references move when the whole was read."""
    run(directory, "fast-import", "--quiet", "--done", stdin=stream)


def quoted_path(path: str) -> bytes:
    """A path as fast-import reads it: in double quotes, with escapes."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'.encode()


def data(content: bytes) -> bytes:
    """fast-import's `data` command: an exact count of bytes, and the bytes."""
    return b"data %d\n%s\n" % (len(content), content)
