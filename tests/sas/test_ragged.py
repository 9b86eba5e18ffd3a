"""Ragged: rows in one array are the lists that they were made of, in memory and in a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hf_grok.sas.batches.ragged import Ragged

ROWS = [[3, 1, 4], [], [1], [5, 9], []]


def padded_by_hand(rows: list[list[int]], width: int) -> list[list[int]]:
    return [row + [-1] * (width - len(row)) for row in rows]


def listed(ragged: Ragged) -> list[list[int]]:
    return [ragged[at].tolist() for at in range(len(ragged))]


@pytest.mark.parametrize("chosen", [[0, 1, 2, 3, 4], [3, 0, 3], [4], [1, 4], [2, 1]])
@pytest.mark.parametrize("width", [None, 6])
def test_a_padded_batch_is_the_rows_with_minus_one_behind_them(
    chosen: list[int], width: int | None
) -> None:
    rows = [ROWS[at] for at in chosen]
    widest = max(map(len, rows)) if width is None else width
    batch = Ragged.of_rows(ROWS).padded(np.array(chosen), width)
    assert batch.dtype == np.int64
    assert batch.tolist() == padded_by_hand(rows, widest)


def test_rows_without_any_value_are_padding_alone() -> None:
    nothing = Ragged.of_rows([[], []])
    assert nothing.padded(np.array([1, 0])).shape == (2, 0)
    assert nothing.padded(np.array([1, 0]), 2).tolist() == [[-1, -1], [-1, -1]]


def test_chosen_rows_are_rows_again(tmp_path: Path) -> None:
    chosen = Ragged.of_rows(ROWS).at(np.array([3, 0, 3, 1]))
    assert listed(chosen) == [[5, 9], [3, 1, 4], [5, 9], []]
    assert chosen.at(np.array([1])).padded(np.array([0])).tolist() == [[3, 1, 4]]
    chosen.save(tmp_path, "words", np.int32)  # in the order chosen, however they lay before
    back = Ragged.mapped(tmp_path, "words")
    assert listed(back) == listed(chosen)
    assert back.values.dtype == np.int32
    assert isinstance(back.values, np.memmap)


def test_what_is_done_to_a_mapped_row_does_not_reach_the_file(tmp_path: Path) -> None:
    Ragged.of_rows(ROWS).save(tmp_path, "ids", np.int64)
    Ragged.mapped(tmp_path, "ids").values[0] = 7
    assert Ragged.mapped(tmp_path, "ids")[0].tolist() == [3, 1, 4]
