"""The same on this disk: a run, what waits in it, folders of revisions."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hf_grok.errors import UserError
from hf_grok.runs.manifest import write_manifest
from hf_grok.series import StepValues
from hf_grok.series.verify.local import verify_folder
from hf_grok.series.verify.report import Report
from tests.hub_server import HubServer
from tests.series.material import pusher_of, save_checkpoint, series_of, staged


def found(report: Report) -> set[tuple[str, str]]:
    return {(problem.kind, problem.revision) for problem in report.problems}


def test_a_clean_run(tmp_path: Path) -> None:
    staged(tmp_path, [0, 2, 4])
    report = verify_folder(tmp_path, quiet=True)
    assert report.problems == ()
    assert (len(report.revisions), report.described) == (3, 3)


def test_a_run_that_was_pushed_is_clean_without_its_weights(
    tmp_path: Path, hub_server: HubServer
) -> None:
    pusher_of(staged(tmp_path, [0, 2])).push_waiting()
    shutil.rmtree(tmp_path / "checkpoint-0")
    assert verify_folder(tmp_path, quiet=True).problems == ()


def test_a_run_without_a_journal(tmp_path: Path) -> None:
    for step in (0, 100, 200, 400):
        write_manifest(save_checkpoint(tmp_path, step, seed=1 if step == 200 else step))
    write_manifest(save_checkpoint(tmp_path, 100, seed=1))
    assert found(verify_folder(tmp_path, quiet=True)) == {
        ("repeated", "step200"),
        ("hole", "step300"),
    }


def test_a_checkpoint_that_is_not_as_its_manifest_says(tmp_path: Path) -> None:
    write_manifest(save_checkpoint(tmp_path, 1))
    save_checkpoint(tmp_path, 1, seed=5)
    assert found(verify_folder(tmp_path, quiet=True)) == {("altered", "step1")}


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_damage_to_what_is_staged(tmp_path: Path, name: str, damage: str) -> None:
    series = staged(tmp_path, [1])
    path = series.folder / "staged" / "step1" / name
    content = path.read_bytes()
    path.unlink()
    if damage == "changed":
        path.write_bytes(content[:-1] + b"?")
    assert found(verify_folder(tmp_path, quiet=True)) == {("altered", "step1")}


def test_a_checkpoint_that_differs_from_what_was_set_aside(tmp_path: Path) -> None:
    staged(tmp_path, [1])
    save_checkpoint(tmp_path, 1, seed=8)
    report = verify_folder(tmp_path, quiet=True)
    assert found(report) == {("altered", "step1")}
    assert "other weights than those that were set aside" in report.problems[0].detail


def test_refused_steps_are_told(tmp_path: Path) -> None:
    series = staged(tmp_path, [1])
    with pytest.raises(ValueError, match="same weights"):
        series.add(2, save_checkpoint(tmp_path, 2, seed=1), StepValues())
    assert ("refused", "step2") in found(verify_folder(tmp_path, quiet=True))


def test_what_was_saved_and_is_gone_is_told(tmp_path: Path) -> None:
    series = staged(tmp_path, [1])
    lines = series.journal.path.read_text().splitlines(keepends=True)
    series.journal.path.write_text(lines[0])
    assert verify_folder(tmp_path, quiet=True).problems == ()  # checkpoint-1 still has it
    shutil.rmtree(tmp_path / "checkpoint-1")
    assert found(verify_folder(tmp_path, quiet=True)) == {("missing", "step1")}


def test_downloaded_revisions(tmp_path: Path) -> None:
    series = staged(tmp_path / "run", [1, 2])
    for step in (1, 2):
        shutil.copytree(series.folder / "staged" / f"step{step}", tmp_path / "d" / f"step{step}")
    assert verify_folder(tmp_path / "d", quiet=True).problems == ()
    (tmp_path / "d" / "step2").rename(tmp_path / "d" / "step7")
    assert found(verify_folder(tmp_path / "d", quiet=True)) == {("mislabelled", "step7")}


def test_a_folder_without_a_series(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no series"):
        verify_folder(tmp_path, quiet=True)
    assert series_of(tmp_path).journal.records() == {}
