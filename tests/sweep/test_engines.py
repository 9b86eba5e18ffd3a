"""One table from every engine, however its runs are interrupted."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from hf_grok._cores import usable_cores
from hf_grok.errors import UserError
from hf_grok.sweep.engines.choice import engine_of
from hf_grok.sweep.engines.engine import Ended
from hf_grok.sweep.engines.gpus import VISIBLE, Gpus, visible_gpus
from hf_grok.sweep.engines.local import LocalEngine, local_engine
from hf_grok.sweep.engines.slurm import SlurmEngine, slurm_settings
from hf_grok.sweep.engines.slurm_queue import QueueRecord, cancel_all, queued, states_of
from hf_grok.sweep.engines.slurm_task import SlurmTask
from hf_grok.sweep.needs import Needs, needs_of
from hf_grok.sweep.tasks import Task, shown_command
from tests.sweep.engine_jobs import check_table, grid, run_on, starts, tasks_of


class SubmititLocally(SlurmEngine):
    """The engine for Slurm on submitit's own stand-in for it, which starts processes here."""

    look_every = ask_every = 0.1
    limits: Mapping[str, float] = {"timeout_min": 5}

    def _check_machine(self) -> None:
        pass

    def _make_executor(self) -> Any:
        return self._submitit.LocalExecutor(self._folder, max_num_timeout=100)

    def _parameters(self, needs: Needs) -> dict[str, Any]:
        return {**self.limits, "stderr_to_stdout": True}

    def _jobs_of(self, executor: Any, calls: Sequence[SlurmTask]) -> list[Any]:
        jobs = super()._jobs_of(executor, calls)
        PROCESSES.update((job.job_id, job._process) for job in jobs)
        return jobs

    def _states(self, jobs: Sequence[str]) -> Mapping[str, str]:
        return {job: "RUNNING" for job in jobs if PROCESSES[job].poll() is None}


# Of every job, whichever engine looks after it: they outlive the one that submitted them.
PROCESSES: dict[str, subprocess.Popen[bytes]] = {}


@pytest.fixture(autouse=True)
def _where_workers_find_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    root = str(Path(__file__).resolve().parents[2])
    monkeypatch.chdir(root)
    monkeypatch.setenv("PYTHONPATH", root)


@pytest.fixture
def waited_for() -> Iterator[None]:
    """Processes of submitit's, which nobody else asks how they ended."""
    yield
    for process in PROCESSES.values():
        process.wait(60)


def interrupted(run: Callable[[], object], after: Callable[[], bool]) -> None:
    """Run until something is so, and then press Ctrl-C."""

    def press() -> None:
        while not after():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    presser = threading.Thread(target=press)
    presser.start()
    with pytest.raises(KeyboardInterrupt):
        run()
    presser.join()


def test_a_grid_that_is_stopped_here_ends_with_its_table(tmp_path: Path) -> None:
    jobs = grid(tmp_path, (0.5, 1.0, 2.0), 2, seconds=0.15)
    marks = tmp_path / "starts"
    interrupted(lambda: run_on(LocalEngine(2), jobs, tmp_path), marks.is_file)
    stopped = [job for job in jobs if job.state() == "to go on with"]
    assert stopped
    assert run_on(LocalEngine(2), jobs, tmp_path) == {}
    check_table(jobs, tmp_path)
    assert len(set(starts(tmp_path))) == len(starts(tmp_path)) == 24  # no step was trained twice


@pytest.mark.slow
@pytest.mark.usefixtures("waited_for")
def test_jobs_outlive_the_sweep_and_a_lost_one_is_started_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    jobs = grid(tmp_path, (0.5, 1.0), 2, seconds=0.3, kills="factor-0.5-seed1")
    first = SubmititLocally(tmp_path, {})
    interrupted(lambda: run_on(first, jobs, tmp_path), (tmp_path / "starts").is_file)
    assert "stay in Slurm's queue" in capfd.readouterr().err
    with pytest.raises(UserError, match="may be in Slurm's queue"):
        engine_of("local", tmp_path, Needs(), jobs)
    assert set(queued(tmp_path).values()) == {"queued"}  # there is no Slurm here to ask more
    while all(job.state() != "finished" for job in jobs):
        time.sleep(0.1)  # one ends while nobody looks
    second = SubmititLocally(tmp_path, {})
    assert second.underway
    assert run_on(second, jobs, tmp_path) == {}
    assert "factor-0.5-seed1: Slurm's job" in capfd.readouterr().err
    check_table(jobs, tmp_path)
    assert len(set(starts(tmp_path))) == len(starts(tmp_path))
    assert not QueueRecord(tmp_path).path.exists()


@pytest.mark.slow
@pytest.mark.usefixtures("waited_for")
def test_a_run_that_was_begun_here_goes_on_in_a_job_and_out_of_time_in_the_next(
    tmp_path: Path,
) -> None:
    (job,) = jobs = grid(tmp_path, (1.0,), 1, seconds=1.5)
    interrupted(lambda: run_on(LocalEngine(1), jobs, tmp_path), (tmp_path / "starts").is_file)
    engine = SubmititLocally(tmp_path, {})
    engine.limits = {"timeout_min": 0.1, "signal_delay_s": 2}  # six seconds, warned after four
    assert run_on(engine, jobs, tmp_path) == {}
    check_table(jobs, tmp_path)
    log = next((tmp_path / "logs" / "slurm").glob("*.out")).read_text()
    assert "Requeued" in log
    assert job.state() == "finished"


@pytest.mark.slow
def test_tasks_of_ray_end_with_the_same_table_though_a_worker_dies(tmp_path: Path) -> None:
    ray = pytest.importorskip("ray", reason="ray is not installed: pip install 'hf-grok[ray]'")
    from hf_grok.sweep.engines.ray import RayEngine

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
    try:
        jobs = grid(tmp_path, (0.5, 1.0), 2, kills="factor-0.5-seed1")
        assert run_on(RayEngine(), jobs, tmp_path) == {}
        check_table(jobs, tmp_path)
        (task, *_) = tasks_of(grid(tmp_path, (3.0,), 1), tmp_path)
        greedy = Task(task.key, task.log, (), task.words, task.module, needs=Needs(cpus=64))
        with pytest.raises(UserError, match="needs 64 CPUs and 0 GPUs, and no machine"):
            RayEngine().start([greedy])
    finally:
        ray.shutdown()


class Losing:
    """An engine whose machines go away a number of times under each task."""

    name, at_once, by_level, look_every = "losing", None, True, 0.0
    underway = ()

    def __init__(self, losses: int) -> None:
        self.losses = losses
        self.started: list[list[str]] = []
        self._now: list[Task] = []

    def start(self, tasks: Sequence[Task]) -> None:
        self.started.append([task.key for task in tasks])
        self._now += tasks

    def ended(self) -> list[Ended]:
        done, self._now = self._now, []
        times = [sum(task.key in level for level in self.started) for task in done]
        return [
            Ended(task.key, None, "its machine went away", lost=True)
            if count <= self.losses
            else Ended(task.key, 0)
            for task, count in zip(done, times, strict=True)
        ]

    def stop(self) -> str:
        return "stopped"


def light(folder: Path, key: str, *after: str) -> Task:
    return Task(key, folder / f"{key}.log", after, (), "nothing")


def test_what_is_lost_is_started_again_a_few_times_and_a_level_waits_for_the_last(
    tmp_path: Path,
) -> None:
    from hf_grok.sweep.progress import SweepProgress
    from hf_grok.sweep.runner import Runner

    tasks = [light(tmp_path, "a"), light(tmp_path, "b"), light(tmp_path, "c", "a")]
    engine = Losing(3)
    assert Runner(tasks, engine, SweepProgress([])).run() == {}
    assert engine.started[0] == ["a", "b"]
    assert [level for level in engine.started if "c" in level] == [["c"]] * 4
    assert engine.started.index(["c"]) == 7  # after a and b, each started four times
    failed = Runner(tasks, Losing(4), SweepProgress([])).run()
    assert "its machine went away" in failed["a"]
    assert failed["c"] == "not started: a failed"


def test_a_run_whose_folder_vanished_has_failed(tmp_path: Path) -> None:
    class Removing(LocalEngine):
        def ended(self) -> list[Ended]:
            found = super().ended()
            for one in found:
                shutil.rmtree(tmp_path / one.key)
            return found

    jobs = grid(tmp_path, (1.0,), 1)
    failed = run_on(Removing(1), jobs, tmp_path)
    assert "has vanished" in failed["factor-1.0-seed0"]
    assert run_on(LocalEngine(1), jobs, tmp_path) == {}
    check_table(jobs, tmp_path)


def test_a_table_that_cannot_be_read_is_said_and_the_others_go_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    class Spoiling(LocalEngine):
        def ended(self) -> list[Ended]:
            found = super().ended()
            for one in found:
                if one.key == "factor-0.5-seed0":
                    (tmp_path / one.key / "metrics.jsonl").write_text("no JSON\n{}\n")
            return found

    jobs = grid(tmp_path, (0.5, 1.0), 1)
    assert run_on(Spoiling(1), jobs, tmp_path) == {}
    assert "factor-0.5-seed0 is not in" in capfd.readouterr().err
    check_table(jobs[1:], tmp_path)


def test_what_an_engine_lacks_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name, **more: None)
    settings = ["time=10"]
    with pytest.raises(UserError, match="no command sbatch here"):
        engine_of("slurm", tmp_path, Needs(), [], slurm=settings)
    with pytest.raises(UserError, match="no command 'accelerate' here"):
        engine_of("local", tmp_path, Needs(launch=("accelerate", "launch")), [])
    monkeypatch.setitem(__import__("sys").modules, "submitit", None)
    with pytest.raises(UserError, match=r'pip install "hf-grok\[slurm\]"'):
        engine_of("slurm", tmp_path, Needs(), [], slurm=settings)
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(UserError, match=r'pip install "hf-grok\[ray\]"'):
        engine_of("ray", tmp_path, Needs(), [])
    with pytest.raises(UserError, match="go with --engine slurm"):
        engine_of("local", tmp_path, Needs(), [], slurm=settings)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["partition=gpu"], "time=240"),
        (["time=1-0:00"], "time=240"),
        (["time"], "expected KEY=VALUE"),
        (["time=5", "nodes=2"], "a sweep sets that itself"),
        (["time=5", "array-parallelism=2"], "a sweep sets that itself"),
    ],
)
def test_settings_of_slurm_are_checked(words: list[str], told: str) -> None:
    with pytest.raises(UserError, match=told):
        slurm_settings(words)


def test_settings_reach_sbatch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name, **more: f"/usr/bin/{name}")
    given = slurm_settings(["time=90", "partition=gpu", "gres=gpu:a100:1", "cpus-per-task=9"])
    engine = SlurmEngine(tmp_path / "mine", given, at_once=3)
    executor = engine._executor(Needs(cpus=4, gpus=2, memory_gb=1.5))
    text = executor._make_submission_file_text("command", "id")
    for line in (
        *("--time=90", "--partition=gpu", "--gpus-per-node=2", "--mem=1536MB"),
        *("--gres=gpu:a100:1", "--cpus-per-task=9", "--job-name=hf-grok-mine", "--signal=USR2@90"),
    ):
        assert f"#SBATCH {line}\n" in text
    with pytest.raises(UserError, match="partitoin"):
        SlurmEngine(tmp_path, {"time": 1, "partitoin": "gpu"})


def test_gpus_are_dealt_out_one_a_run_and_shared_only_if_they_must_be() -> None:
    gpus = Gpus(("0", "1"))
    assert [gpus.deal(key, 1) for key in "abc"] == [("0",), ("1",), ("0",)]
    gpus.give_back("b")
    assert gpus.deal("d", 1) == ("1",)
    gpus.give_back("a")
    gpus.give_back("c")
    assert gpus.deal("e", 2) == ("0", "1")
    with pytest.raises(UserError, match="needs 3 GPUs, and this machine has 2"):
        gpus.deal("f", 3)
    assert visible_gpus({VISIBLE: "2,GPU-5f, 3,-1,4"}) == ("2", "GPU-5f", "3")
    assert visible_gpus({VISIBLE: ""}) == ()


def test_a_run_sees_its_gpus_and_a_machine_without_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Mapping[str, str]] = []

    def note(task: Task, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        seen.append(environment)
        return subprocess.Popen([sys.executable, "-c", ""])

    monkeypatch.setattr("hf_grok.sweep.engines.local.start_process", note)
    tasks = [
        replace(light(tmp_path, key), needs=Needs(gpus=number))
        for key, number in (("a", None), ("b", 0))
    ]
    for names in (("4", "7"), ()):
        engine = LocalEngine(2, names)
        engine.start(tasks)
        engine.stop()
    assert seen == [{VISIBLE: "4"}, {}, {}, {}]
    monkeypatch.setenv(VISIBLE, "0,1,2,3")
    assert local_engine(Needs(), None, on_cpu=False).at_once == 4
    assert local_engine(Needs(gpus=2), None, on_cpu=False).at_once == 2
    assert local_engine(Needs(), None, on_cpu=True).at_once == usable_cores()
    monkeypatch.setattr("hf_grok.sweep.engines.local.usable_cores", lambda: 7)
    at_once = [local_engine(Needs(cpus), None, on_cpu=True).at_once for cpus in (1, 3, 8)]
    assert at_once == [7, 2, 1]
    monkeypatch.setenv(VISIBLE, "")
    monkeypatch.setattr("torch.accelerator.current_accelerator", lambda **_: torch.device("mps"))
    assert local_engine(Needs(), None, on_cpu=False).at_once == 1
    assert local_engine(Needs(), 3, on_cpu=False).at_once == 3
    assert local_engine(Needs(), None, on_cpu=True).at_once == 7
    with pytest.raises(UserError, match="needs 8 GPUs"):
        local_engine(Needs(gpus=8), None, on_cpu=False)


def test_a_run_starts_under_what_launches_it_and_ends_with_it(tmp_path: Path) -> None:
    launcher = tmp_path / "launcher.py"
    launcher.write_text(
        "import subprocess, sys\n"
        "raise SystemExit(subprocess.run([sys.executable, *sys.argv[1:]]).returncode)\n"
    )
    launch = (sys.executable, str(launcher))
    (job,) = jobs = grid(tmp_path, (1.0,), 1, seconds=0.5)
    (task,) = [replace(task, needs=Needs(launch=launch)) for task in tasks_of(jobs, tmp_path)]
    assert shown_command(job, ("accelerate", "launch")).startswith(
        "accelerate launch -m hf_grok.train /"
    )
    engine = LocalEngine(1)
    engine.start([task])
    while not (tmp_path / "starts").is_file():
        assert engine.ended() == [], task.log.read_text()
        time.sleep(0.05)
    began = len(starts(tmp_path))
    engine.stop()  # the launcher's child too: nothing is trained after it
    time.sleep(1.2)
    assert len(starts(tmp_path)) <= began + 1 < 4
    engine.start([task])
    while not (ended := engine.ended()):
        time.sleep(0.05)
    assert ended == [Ended(job.key, 0)]
    assert job.state() == "finished"


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ({"needs": {"gpu": 1}}, "unknown key of here, needs 'gpu'.*Did you mean 'gpus'"),
        ({"needs": {"gpus": -1}}, "whole number from 0 on"),
        ({"needs": {"cpus": 0}}, "whole number from 1 on"),
        ({"needs": {"memory_gb": "16"}}, "expected GiB above 0"),
        ({"needs": [1]}, "expected such as"),
        ({"launch": 2}, "expected a command"),
        ({"launch": "a 'b"}, "expected a command"),
    ],
)
def test_needs_are_checked(file: dict[str, object], told: str) -> None:
    with pytest.raises(UserError, match=told):
        needs_of(file, "here")


def test_needs_are_written_as_they_are_read() -> None:
    file = {"needs": {"cpus": 4, "gpus": 0, "memory_gb": 2.5}, "launch": "a --b 'c d'"}
    assert needs_of(file, "here").as_written() == file
    assert needs_of({}, "here").as_written() == {}


def command_that(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="Slurm's commands are stood for by scripts")
def test_slurm_is_asked_and_told_by_its_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    asked = tmp_path / "asked"
    told = "17_0 RUNNING\n17_1 PENDING\n18 NODE_FAIL"
    command_that(tmp_path, "squeue", f'echo "$@" > {asked}; echo "{told}"')
    for name in ("sbatch", "srun", "scontrol"):
        command_that(tmp_path, name, "exit 1")
    command_that(tmp_path, "scancel", f'echo "$@" >> {asked}')
    assert states_of(["17_1", "17_0", "18"]) == {
        **{"17_0": "RUNNING", "17_1": "PENDING", "18": "NODE_FAIL"}
    }
    assert "--array" in asked.read_text()
    assert "--jobs=17,18" in asked.read_text()
    QueueRecord(tmp_path).write({"a": "17_0", "b": "17_1", "c": "18", "d": "19"})
    assert queued(tmp_path) == {"a": "running", "b": "pending", "c": "node_fail", "d": "queued"}
    engine = SlurmEngine(tmp_path, {"time": 1})
    engine.ask_every = -1.0
    assert engine.ended() == []  # a second look, for what lies on the way
    lost = [Ended("c", None, "Slurm's job 18 is NODE_FAIL", True)]
    lost.append(Ended("d", None, "Slurm's job 19 is unknown", True))
    assert engine.ended() == lost
    command_that(tmp_path, "squeue", "echo 17_0 CANCELLED; echo 17_1 PENDING")
    assert engine.ended() == []
    assert engine.ended() == [Ended("a", None, "Slurm's job 17_0 is CANCELLED", False)]
    command_that(tmp_path, "squeue", "echo slurm_load_jobs error: cannot contact >&2; exit 1")
    assert states_of(["17_1"]) is None
    assert engine.ended() == engine.ended() == []  # nobody knows: they are waited for
    command_that(tmp_path, "squeue", "echo slurm_load_jobs error: Invalid job id >&2; exit 1")
    assert states_of(["17_1"]) == {}
    assert cancel_all(tmp_path).startswith("ended b;")
    assert asked.read_text().splitlines()[-1] == "17_1"
    with pytest.raises(UserError, match="nothing in Slurm's queue"):
        cancel_all(tmp_path)
    light_task = light(tmp_path, "z")
    with pytest.raises(UserError, match="Slurm does not take the jobs"):
        engine.start([light_task])


def test_a_job_that_never_saves_is_not_started_for_ever(tmp_path: Path) -> None:
    (job,) = grid(tmp_path, (1.0,), 1)
    (task,) = tasks_of([job], tmp_path)
    task.log.parent.mkdir()
    call = SlurmTask(task, str(tmp_path))
    assert call.checkpoint().function is call
    assert call.__submitit_checkpoint__().function is call
    assert call.checkpoint() is None
    assert "3 times, Slurm ended" in task.log.read_text()
    (job.folder / "checkpoint-3").mkdir(parents=True)
    assert call.checkpoint().function is call  # it has got on
