"""The journal outlives what kills the process that writes it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from hf_grok.runs.manifest import FileFacts
from hf_grok.series import Journal, SeriesError, State, StepRecord


def record(step: int, state: State = State.SAVED) -> StepRecord:
    files = {"model.safetensors": FileFacts(3, "ab"), "config.json": FileFacts(2, "cd")}
    return StepRecord(
        *(step, f"step{step}", state, files, "me/x", "c0"),
        lambda_=0.1,
        tokens_seen=64,
        data_position=16,
        metrics={"eval_loss": 2.0},
        reason="why",
    )


def test_rows_come_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(record(2))
    journal.append(record(0))
    assert Journal(tmp_path).records() == {0: record(0), 2: record(2)}
    assert list(journal.records()) == [0, 2]
    assert journal.get(2) == record(2)
    assert journal.get(3) is None


def test_the_last_row_of_a_step_wins(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(record(2))
    journal.update(2, state=State.PUSHED)
    assert journal.records() == {2: record(2, State.PUSHED)}
    assert len(journal.path.read_text().splitlines()) == 2


@pytest.mark.parametrize("cut", [1, 10, 80])
def test_a_cut_last_line_is_passed_over_and_taken_away(tmp_path: Path, cut: int) -> None:
    journal = Journal(tmp_path)
    journal.append(record(1))
    journal.append(record(2))
    content = journal.path.read_bytes()
    journal.path.write_bytes(content[:-cut])
    assert list(journal.records()) == [1]
    journal.append(record(3))
    assert list(Journal(tmp_path).records()) == [1, 3]


def test_another_line_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(record(1))
    journal.path.write_bytes(b"not a row\n" + journal.path.read_bytes())
    with pytest.raises(SeriesError, match=r"journal.jsonl:1 is no row"):
        journal.records()


def test_a_full_disk_leaves_what_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path)
    journal.append(record(1))

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SeriesError, match="No space left"):
        journal.append(record(2))
    monkeypatch.undo()
    assert list(journal.records()) == [1]
    journal.append(record(3))
    assert list(journal.records()) == [1, 3]


def test_threads_lose_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path)

    def write(first: int) -> None:
        for step in range(first, first + 20):
            journal.append(record(step))

    threads = [threading.Thread(target=write, args=(first,)) for first in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(journal.records()) == 60


def test_nothing_there_is_an_empty_journal(tmp_path: Path) -> None:
    assert Journal(tmp_path / "none").records() == {}
    assert not (tmp_path / "none").exists()
