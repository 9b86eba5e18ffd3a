"""Python in README and docs/ runs as it stands, or says what it would need to."""

from __future__ import annotations

import ast
from importlib import import_module
from itertools import groupby
from pathlib import Path

import pytest

from tests.docs.blocks import Block, blocks
from tests.docs.test_site import NAMES
from tests.test_docstrings import at_hand

ALL = list(blocks())
BY_PAGE = {page: list(found) for page, found in groupby(ALL, key=lambda block: block.page)}
RUNNING = {
    page: [block for block in found if not block.needs]
    for page, found in BY_PAGE.items()
    if not all(block.needs for block in found)
}
NEEDS = {
    *("minutes", "hours", "runs", "a file", "a treebank", "the Hub", "a treebank, the Hub"),
    *("a probe of your own", "a Trainer of your own", "a Trainer that does not save"),
}
# What a page explains that is no public name: its definition alone.
SHOWN = {("hf_grok.probes.dimension.two_nn", "two_nn")}


def test_there_are_blocks_and_most_pages_run() -> None:
    assert len(ALL) > 25
    assert len(RUNNING) > 7
    assert {block.needs for block in ALL} - {""} <= NEEDS


@pytest.mark.parametrize("block", ALL, ids=str)
def test_what_a_block_imports_of_ours_is_public_and_there(block: Block) -> None:
    for node in ast.walk(ast.parse(block.code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hf_grok"):
            for name in node.names:
                assert (node.module, name.name) in {*NAMES, *SHOWN}, f"{block}: {name.name}"
                assert hasattr(import_module(str(node.module)), name.name)


@pytest.mark.parametrize("page", RUNNING)
def test_a_page_runs(
    page: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    names = at_hand(tmp_path)
    for block in RUNNING[page]:
        # So that a traceback names the page and its line.
        code = "\n" * (block.line - 1) + block.code
        exec(compile(code, block.page, "exec"), names)
    assert "Traceback" not in capsys.readouterr().out
