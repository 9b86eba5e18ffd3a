"""Lines that were encoded once: the same batches as from lists in memory, read by all runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset

from hf_grok.errors import UserError
from hf_grok.recipes.data import encoded_lines as module
from hf_grok.recipes.data.arcs import arcs_of_rows, sham_column
from hf_grok.recipes.data.batches import TokenSequences
from hf_grok.recipes.data.encoded_lines import encoded_lines
from tests.recipes.test_arcs import ROWS, SEQUENCES, TOKENIZER

ORDER = [2, 0, 1, 1]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path))
    return tmp_path / "hf_grok_lines"


@pytest.fixture
def encodings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that were filled from here on."""
    filled, encode = list[Path](), module._encode

    def counted(folder: Path, *args: Any, **options: Any) -> dict[str, object]:
        filled.append(folder)
        return encode(folder, *args, **options)

    monkeypatch.setattr(module, "_encode", counted)
    return filled


@pytest.mark.parametrize(
    ("with_arcs", "with_sham"), [(False, False), (True, False), (True, True), (False, True)]
)
def test_batches_are_those_of_lists_in_memory(with_arcs: bool, with_sham: bool) -> None:
    rows = Dataset.from_dict(ROWS)
    sham = sham_column(rows) if with_sham else None
    arcs = arcs_of_rows(rows, SEQUENCES, sham=sham) if with_arcs else None
    expected = TokenSequences(SEQUENCES, 0, arcs).batch(ORDER)
    for _ in range(2):  # made, then found
        lines = encoded_lines(rows, TOKENIZER, with_arcs=with_arcs, with_sham=with_sham)
        batch = TokenSequences(lines.tokens, 0, lines.arcs).batch(ORDER)
        assert batch.keys() == expected.keys()
        for name, values in expected.items():
            assert torch.equal(batch[name], values)
            assert batch[name].dtype == values.dtype == torch.int64
        assert lines.words.tolist() == [3, 9, 1]
        assert (lines.arcs is None) == (arcs is None)
        if lines.arcs is not None and arcs is not None:
            assert lines.arcs.counts == arcs.counts


def test_the_second_run_maps_what_the_first_encoded(encodings: list[Path]) -> None:
    rows = Dataset.from_dict(ROWS)
    first, second = (encoded_lines(rows, TOKENIZER, with_arcs=True) for _ in range(2))
    assert len(encodings) == 1
    assert isinstance(second.tokens.values, np.memmap)
    # What a run does to its copy reaches neither the file nor another run.
    second.tokens.values[:] = 0
    third = encoded_lines(rows, TOKENIZER, with_arcs=True)
    assert np.array_equal(first.tokens.values, third.tokens.values)
    assert third.tokens.values.any()


@pytest.mark.parametrize(
    "changed",
    [
        lambda rows: rows.select([1, 0, 2]),
        lambda rows: rows.map(lambda row: {"text": row["text"] + " ."}),
    ],
    ids=["order", "text"],
)
def test_other_lines_are_other_files(
    changed: Callable[[Dataset], Dataset], encodings: list[Path]
) -> None:
    rows = Dataset.from_dict(ROWS)
    for each in (rows, changed(rows)):
        encoded_lines(each, TOKENIZER)
    encoded_lines(rows, TOKENIZER, with_arcs=True)
    assert len(set(encodings)) == len(encodings) == 3


def test_lines_that_are_refused_leave_nothing_behind(cache: Path, encodings: list[Path]) -> None:
    rows = Dataset.from_dict({**ROWS, "heads": [[2, 0, 9], *ROWS["heads"][1:]]})
    for _ in range(2):
        with pytest.raises(UserError, match="row 0"):
            encoded_lines(rows, TOKENIZER, with_arcs=True)
    assert len(encodings) == 2  # tried anew, not taken for made
    assert not [one for one in cache.iterdir() if one.suffix not in (".part", ".lock")]


def test_arcs_that_are_mapped_say_what_they_are() -> None:
    lines = encoded_lines(Dataset.from_dict(ROWS), TOKENIZER, with_arcs=True)
    assert repr(lines.arcs).startswith("ArcRows(3 rows, ")
