"""docs/compatibility.md: every cell says what it knows, and names a test that is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8")
OURS = ["SASTrainer", "ProbeCallback", "LogSpacedCallback", "CheckpointSeriesCallback"]
TABLE = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("|")
]
TESTS = dict(re.findall(r"^(\d+)\. `([^`]+)`$", PAGE, re.MULTILINE))


def test_the_columns_are_ours() -> None:
    assert TABLE[0][1:] == OURS


@pytest.mark.parametrize("row", TABLE[2:], ids=lambda row: str(row[0]))
def test_every_cell_says_what_is_known_and_by_which_test(row: list[str]) -> None:
    assert len(row) == 1 + len(OURS)
    for cell in row[1:]:
        known = re.fullmatch(r"(works|refused: ).*\[(\d+)\]", cell)
        assert cell == "not tried" or (known and known[2] in TESTS), cell


@pytest.mark.parametrize("node", TESTS.values())
def test_the_tests_are_there_and_used(node: str) -> None:
    file, _, function = node.partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    names = {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}
    assert function in names
    (number,) = (one for one, test in TESTS.items() if test == node)
    assert any(f"[{number}]" in cell for row in TABLE[2:] for cell in row), (
        f"{number} is in no cell"
    )
