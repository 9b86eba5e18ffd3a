"""`hf-grok push` beside the training process: each sets steps aside, and neither loses one."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from hf_grok.series import SeriesError, State, StepValues
from hf_grok.series.local import staging, unfinished
from hf_grok.series.local.unfinished import remove_abandoned, unfinished_folder
from hf_grok.series.run_series import RunSeries
from tests.series import beside
from tests.series.material import save_checkpoint, series_of

SPAWN = multiprocessing.get_context("spawn")


def test_no_step_is_lost_to_a_pusher_beside_the_training(tmp_path: Path) -> None:
    over = SPAWN.Event()
    processes = [SPAWN.Process(target=beside.push, args=(tmp_path, over)) for _ in range(2)]
    processes.append(SPAWN.Process(target=beside.train, args=(tmp_path, over)))
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    series = series_of(tmp_path)
    records = series.journal.records()
    assert list(records) == list(range(1, beside.STEPS + 1))
    for step, record in records.items():
        assert record.state is State.STAGED, record
        assert staging.staged_flaws(series.folder, record.manifest()) == []
        content = (series.folder / "staged" / f"step{step}" / "model.safetensors").read_bytes()
        assert np.frombuffer(content[-4:], np.float32)[0] == step
    assert sorted(os.listdir(series.folder / "staged")) == sorted(f"step{s}" for s in records)


def test_what_a_killed_process_was_putting_together_goes(tmp_path: Path) -> None:
    process = SPAWN.Process(target=beside.die_at_work, args=(tmp_path,))
    process.start()
    process.join(60)
    assert process.exitcode == 9
    series = series_of(tmp_path)
    left = series.folder / "staged"
    assert len(list(left.glob(".step2.*.unfinished"))) == 1
    series.recover()
    assert list(left.iterdir()) == []
    record = series.add(2, save_checkpoint(tmp_path, 2), StepValues())
    assert set(record.weights) == {"model.safetensors"}


def test_what_a_living_process_puts_together_stays(tmp_path: Path) -> None:
    with unfinished_folder(tmp_path, 2) as mine, unfinished_folder(tmp_path, 2) as other:
        (mine / "model.safetensors").write_bytes(b"half")
        remove_abandoned(tmp_path)
        assert (mine / "model.safetensors").read_bytes() == b"half"
        assert other.is_dir()
        assert mine != other
    assert list(tmp_path.iterdir()) == []


def test_what_an_earlier_version_left_goes(tmp_path: Path) -> None:
    (tmp_path / ".step2.unfinished").mkdir()
    (tmp_path / ".step2.unfinished.config").write_text("{}")
    remove_abandoned(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_faster_of_two_counts_and_the_slower_one_agrees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process sets the same step aside while this one hashes its files."""
    folder, mine, other = save_checkpoint(tmp_path, 2), series_of(tmp_path), series_of(tmp_path)
    facts_of = staging.facts_of

    def slowly(path: Path) -> object:
        monkeypatch.setattr(staging, "facts_of", facts_of)
        other.add(2, folder, StepValues(tokens_seen=7))
        shutil.rmtree(folder)
        return facts_of(path)

    monkeypatch.setattr(staging, "facts_of", slowly)
    assert mine.add(2, folder, StepValues(tokens_seen=8)).tokens_seen == 7
    rows = mine.journal.path.read_text().splitlines()
    assert [json.loads(row)["state"] for row in rows] == ["saved", "saved", "staged"]


def test_a_checkpoint_that_is_being_deleted_is_not_refused_for_what_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plain Trainer's rotation, half way through, under a series that the pusher keeps."""
    folder, series = save_checkpoint(tmp_path, 2), series_of(tmp_path)
    chosen = staging.published_files

    def late(source: Path, optimizer: bool) -> list[Path]:
        (source / "config.json").unlink()
        return chosen(source, optimizer)

    monkeypatch.setattr(staging, "published_files", late)
    with pytest.raises(SeriesError, match=r"is being deleted: config.json went meanwhile"):
        series.add(2, folder, StepValues())
    record = series.journal.get(2)
    assert record is not None
    assert record.state is State.SAVED


def test_a_journal_that_another_process_adds_to_is_read_on(tmp_path: Path) -> None:
    one, two = series_of(tmp_path).journal, series_of(tmp_path).journal
    series: RunSeries = series_of(tmp_path)
    for step in (3, 1, 2):
        series.add(step, save_checkpoint(tmp_path, step), StepValues())
        assert one.records() == series.journal.records()
    assert list(two.records()) == [1, 2, 3]
    assert [record.step for record in two.in_state(State.STAGED)] == [1, 2, 3]
    shutil.rmtree(series.folder)
    assert one.records() == {}
    series.add(1, save_checkpoint(tmp_path, 1), StepValues())
    assert list(one.records()) == [1]


def test_the_lock_beside_a_folder_is_no_part_of_it(tmp_path: Path) -> None:
    with unfinished_folder(tmp_path, 1) as folder:
        assert list(folder.iterdir()) == []
        assert (tmp_path / f"{folder.name}.lock").is_file()
        assert folder.name.endswith(unfinished.ENDING)
