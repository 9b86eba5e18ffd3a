"""Large files: content by sha256 in a folder, and the pointers that git keeps in their place."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\noid sha256:([0-9a-f]{64})\nsize (\d+)\n"
)
LARGEST_POINTER = 200  # bytes; no pointer is longer


@dataclass(frozen=True)
class Pointer:
    """What git stores of a large file."""

    sha256: str
    size: int

    def encode(self) -> bytes:
        lines = ["version https://git-lfs.github.com/spec/v1", f"oid sha256:{self.sha256}"]
        return "\n".join([*lines, f"size {self.size}", ""]).encode()


def pointer_of(content: bytes) -> Pointer | None:
    """The pointer that these bytes are, or None where they are a file like any other."""
    match = _POINTER.fullmatch(content)
    return Pointer(match[1].decode(), int(match[2])) if match else None


class LargeFiles:
    """Content-addressed files under one folder, shared by all repositories.

    Args:
        folder: Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        return self.folder / sha256

    def has(self, sha256: str) -> bool:
        return self.path(sha256).is_file()

    def size(self, sha256: str) -> int:
        return self.path(sha256).stat().st_size

    def read(self, sha256: str) -> bytes:
        return self.path(sha256).read_bytes()

    def put(self, sha256: str, content: bytes) -> bool:
        """Keep the content; False, and nothing kept, where it has another sha256."""
        if hashlib.sha256(content).hexdigest() != sha256:
            return False
        unfinished = self.folder / f"{sha256}.{id(content)}"
        unfinished.write_bytes(content)
        unfinished.replace(self.path(sha256))
        return True
