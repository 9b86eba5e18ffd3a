"""Any bytes: a result, or one short message. A few of each reader; the campaign has 100,000."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.text.fuzz import outcome_of, prepared, run_case
from tests.text.readers import READERS, SEEDS

CASES = {"recipe": 6, "sweep file": 3, "onsets printed": 8}
FEW = 24


def test_every_reader_has_a_valid_file_that_it_reads(tmp_path: Path) -> None:
    """Or the mutations would be of nothing."""
    assert READERS.keys() == SEEDS.keys()
    for name, read in READERS.items():
        found = outcome_of(read, prepared(tmp_path, SEEDS[name]))
        expected = "refused" if name == "sweep.json" else "read"  # none of its runs is finished
        assert found.kind == expected, (name, found)


@pytest.mark.parametrize("name", READERS)
def test_mutated_files_end_in_a_result_or_a_message(name: str, tmp_path: Path) -> None:
    for number in range(CASES.get(name, FEW)):
        found, data = run_case(name, SEEDS, READERS, number, tmp_path)
        assert found.kind != "broken", f"case {number}, {data[:300]!r}: {found.told}"
