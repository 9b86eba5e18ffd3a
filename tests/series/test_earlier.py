"""What stands on the Hub already: one run's own steps are kept, another run's are refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hf_grok.series import StepValues
from hf_grok.series.verify.hub import verify_hub
from tests.hub_server import HubServer
from tests.series.material import (
    REPO,
    pusher_of,
    save_checkpoint,
    series_of,
    staged,
    weights_of,
    weights_on,
)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([1, 2, 8], "the series of another run: its step1 has other weights"),
        ([8], "may be another"),
    ],
)
def test_two_runs_are_no_series(
    tmp_path: Path, hub_server: HubServer, steps: list[int], message: str
) -> None:
    pusher_of(staged(tmp_path / "a", [1, 4])).push_waiting()
    before = hub_server.repository(REPO).references()
    series = series_of(tmp_path / "b")
    for step in steps:
        series.add(step, save_checkpoint(tmp_path / "b", step, seed=70 + step), StepValues())
    outcome = pusher_of(series).push_waiting()
    assert message in str(outcome.stopped)
    assert len(outcome.waiting) == len(steps)
    assert hub_server.repository(REPO).references() == before


def test_another_template_is_no_series_either(tmp_path: Path, hub_server: HubServer) -> None:
    pusher_of(staged(tmp_path / "a", [1])).push_waiting()
    series = series_of(tmp_path / "b", template="ckpt{step}")
    series.add(1, tmp_path / "a" / "checkpoint-1", StepValues())
    assert "branches are called 'step{step}'" in str(pusher_of(series).push_waiting().stopped)


def test_an_index_that_cannot_be_read_stops(tmp_path: Path, hub_server: HubServer) -> None:
    series = staged(tmp_path, [1])
    pusher_of(series).push_waiting()
    hub_server.client().upload_file(
        path_or_fileobj=b"{", path_in_repo="series-index.json", repo_id=REPO
    )
    series.add(2, save_checkpoint(tmp_path, 2), StepValues())
    assert "fix the file on main" in str(pusher_of(series).push_waiting().stopped)


def test_a_lost_journal_loses_no_step(tmp_path: Path, hub_server: HubServer) -> None:
    """Of the earlier steps only the last is still on the disk; the index and the card keep all."""
    pusher_of(staged(tmp_path, [1, 2, 4])).push_waiting()
    shutil.rmtree(tmp_path / "series")
    series = series_of(tmp_path)
    series.add(4, tmp_path / "checkpoint-4", StepValues(metrics={"eval_loss": 1.0}))
    series.add(8, save_checkpoint(tmp_path, 8), StepValues(metrics={"eval_loss": 0.5}))
    assert pusher_of(series).push_waiting().complete
    report = verify_hub(REPO, quiet=True)
    assert report.problems == ()
    assert [found.step for found in report.revisions] == [1, 2, 4, 8]
    card = hub_server.files(REPO)["README.md"].decode()
    assert "4 checkpoints" in card
    assert card.count("| 1.000 |") == 3


def test_main_keeps_a_later_step(tmp_path: Path, hub_server: HubServer) -> None:
    pusher_of(staged(tmp_path, [1, 2, 4])).push_waiting()
    before = hub_server.repository(REPO).resolve("main")
    shutil.rmtree(tmp_path / "series")
    series = series_of(tmp_path)
    series.add(2, tmp_path / "checkpoint-2", StepValues(metrics={"eval_loss": 1.0}))
    assert pusher_of(series).push_waiting().complete
    assert hub_server.repository(REPO).resolve("main") == before
    assert weights_on(hub_server, "main") == weights_of(tmp_path, 4)
