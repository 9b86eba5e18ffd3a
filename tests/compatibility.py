"""What of Trainer works with what of ours, each cell with the test that shows it.

`docs/compatibility.md` is written from this table: `python -m tests.compatibility` after a change.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "compatibility.md"
OURS = ("SASTrainer", "ProbeCallback", "LogSpacedCallback", "CheckpointSeriesCallback")


@dataclass(frozen=True)
class Cell:
    """What is known of one feature beside one class.

    Attributes:
        said: "works", "refused" or "not tried".
        test: node id of the test that shows it; empty for what was not tried.
        why: of a refusal, or a condition under which it works.
    """

    said: str
    test: str = ""
    why: str = ""


def works(test: str, why: str = "") -> Cell:
    return Cell("works", test, why)


def refused(test: str, why: str) -> Cell:
    return Cell("refused", test, why)


NOT_TRIED = Cell("not tried")
