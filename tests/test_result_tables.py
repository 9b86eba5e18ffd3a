"""Every table in docs/results can be read as the page of results says."""

from __future__ import annotations

from pathlib import Path

import pytest

from hf_grok.explorer.reading import read_explored
from hf_grok.runs.results import load_results

TABLES = sorted((Path(__file__).parents[1] / "docs" / "results").glob("*.parquet"))


def test_there_are_tables() -> None:
    assert TABLES


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_a_table_has_runs_with_evaluations(path: Path) -> None:
    explored, _ = read_explored([path])
    assert {one.run.name for one in explored} == set(load_results(path)["run"])
    assert all(one.run.seed is not None and len(one.run.evaluations) > 1 for one in explored)


def test_the_page_of_results_names_every_table() -> None:
    text = (Path(__file__).parents[1] / "docs" / "results.md").read_text(encoding="utf-8")
    unnamed = [one.stem for one in TABLES if one.stem not in text]
    assert not [name for name in unnamed if not name.startswith("english-seed")]  # by a glob
