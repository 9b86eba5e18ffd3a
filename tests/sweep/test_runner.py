from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from hf_grok.errors import UserError
from hf_grok.sweep.engines.local import LocalEngine
from hf_grok.sweep.engines.process import end_all, start_process
from hf_grok.sweep.folder import locked
from hf_grok.sweep.job import Job
from hf_grok.sweep.progress import Pace, SweepProgress, last_logged, steps_done
from hf_grok.sweep.runner import Runner
from hf_grok.sweep.signals import heeded
from hf_grok.sweep.tasks import Task


def task(folder: Path, key: str, *after: str, seconds: float = 0.0, status: int = 0) -> Task:
    words = (str(folder / "order"), key, str(seconds), str(status))
    return Task(key, folder / "logs" / f"{key}.log", after, words, "tests.sweep.stand_in")


def run(folder: Path, tasks: Sequence[Task], workers: int = 2) -> dict[str, str]:
    progress = SweepProgress([])
    try:
        with locked(folder):
            return Runner(tasks, LocalEngine(workers), progress).run()
    finally:
        progress.close()


def order(folder: Path) -> list[str]:
    return (folder / "order").read_text().splitlines()


def test_a_task_waits_for_those_that_it_comes_after(tmp_path: Path) -> None:
    tasks = [
        task(tmp_path, "c", "a", "b"),
        task(tmp_path, "a", seconds=0.6),
        task(tmp_path, "b", "a"),
    ]
    assert run(tmp_path, tasks) == {}
    assert order(tmp_path) == [f"{what} {key}" for key in "abc" for what in ("begin", "end")]


def test_no_more_run_at_a_time_than_there_are_workers(tmp_path: Path) -> None:
    assert run(tmp_path, [task(tmp_path, key, seconds=0.3) for key in "abcd"], workers=2) == {}
    running = most = 0
    for line in order(tmp_path):
        running += 1 if line.startswith("begin") else -1
        most = max(most, running)
    assert most == 2


def test_a_failure_is_told_with_its_log_and_the_others_go_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    tasks = [
        task(tmp_path, "a", status=3),
        task(tmp_path, "b", "a"),
        task(tmp_path, "c", "b"),
        task(tmp_path, "d"),
    ]
    failed = run(tmp_path, tasks)
    assert list(failed) == ["a", "b", "c"]
    assert "exit status 3" in failed["a"]
    assert "a says something" in failed["a"]
    assert failed["c"] == "not started: b failed"
    assert "end d" in order(tmp_path)
    assert "FAILED a: exit status 3" in capfd.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends the process itself there")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_what_runs_and_starts_no_more(tmp_path: Path, name: str) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # ignored, were these tests under nohup
    tasks = [task(tmp_path, "a", seconds=60), task(tmp_path, "b", "a")]

    def send() -> None:
        while not (tmp_path / "order").is_file():
            time.sleep(0.05)
        os.kill(os.getpid(), getattr(signal, name))

    sender = threading.Thread(target=send)
    sender.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, tasks)
    finally:
        sender.join()
        signal.signal(signal.SIGHUP, before)
    assert order(tmp_path) == ["begin a"]
    with locked(tmp_path):  # nobody who was started holds it any more
        pass


def test_signals_that_a_system_lacks_are_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hf_grok.sweep.signals._HANG_UP", None)
    before = signal.getsignal(signal.SIGINT)
    with heeded() as interruption:
        signal.raise_signal(signal.SIGINT)
        assert interruption.name == "SIGINT"
    assert signal.getsignal(signal.SIGINT) is before


def test_a_run_that_outlives_its_sweep_keeps_the_folder(tmp_path: Path) -> None:
    with locked(tmp_path):
        process = start_process(task(tmp_path, "a", seconds=60))
        while not (tmp_path / "order").is_file():
            time.sleep(0.05)
    with (
        pytest.raises(UserError, match=r"a in .* is at work still, of a sweep that was killed"),
        locked(tmp_path),
    ):
        pass
    end_all([process])
    with locked(tmp_path):
        pass


def test_a_branch_without_its_checkpoint_fails_and_says_how_to_fix_it(tmp_path: Path) -> None:
    job = Job("b", 0, tmp_path / "b-seed0", (), "", 10, tmp_path / "a-seed0" / "checkpoint-5", 5)
    failed = run(tmp_path, [Task(job.key, tmp_path / "log", (), (), "nothing", job)])
    assert "remove" in failed["b-seed0"]
    assert "a-seed0" in failed["b-seed0"]


def test_progress_is_the_last_whole_row_and_leaves_out_what_came_before_a_branch(
    tmp_path: Path,
) -> None:
    job = Job("b", 0, tmp_path, (), "", 100, tmp_path / "checkpoint-30", 30)
    assert steps_done(job) == 0
    metrics = tmp_path / "metrics.jsonl"
    metrics.write_text('{"step": 20}\n')
    assert steps_done(job) == 0
    metrics.write_text('{"step": 20}\n' * 2000 + '{"step": 70}\n{"ste')
    assert last_logged(metrics) == 70
    assert steps_done(job) == 40
    (tmp_path / "run.json").write_text('{"status": "finished"}')
    assert steps_done(job) == 70


def test_the_time_left_is_that_of_training_and_not_of_starting() -> None:
    pace = Pace(100, 1_100)
    assert pace.told(100, 0.0) == ""
    assert pace.told(102, 60.0) == ""  # evaluated at steps 1 and 2
    assert pace.told(110, 90.0) == ""
    assert pace.told(210, 100.0) == "01:29 left, 10 steps a second"
    assert pace.told(1_100, 189.0).startswith("00:00 left")
    assert Pace(0, 10_000).told(10_000, 5.0) == ""  # all at once: adopted


def test_a_bar_of_no_runs_is_drawn(capfd: pytest.CaptureFixture[str]) -> None:
    progress = SweepProgress([])
    progress.show(0, 0)
    progress.close()
    assert "0 of 0 runs, 0 underway" in capfd.readouterr().err
