"""The Python blocks of README and docs/: where each stands, and what it needs to run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# A whole package, which tests/test_your_language.py installs and uses; a conversation, which
# tests/evaluate_metrics/test_loading.py holds to what is printed.
APART = {"docs/your_language.md", "docs/evaluate_metrics.md"}
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"(?:^<!-- needs: ([^>]*) -->\n)?^```python\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """One block.

    Attributes:
        page: path in the repository.
        line: of its first line of code.
        code: its text.
        needs: what it takes to run it, as the comment before it says; "": nothing but what a
            script has by then.
    """

    page: str
    line: int
    code: str
    needs: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks() -> Iterator[Block]:
    """Every block of every page, in order."""
    for path in PAGES:
        page, text = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        if page in APART:
            continue
        for found in BLOCK.finditer(text):
            line = text.count("\n", 0, found.start(2)) + 1
            yield Block(page, line, found[2], (found[1] or "").strip())
