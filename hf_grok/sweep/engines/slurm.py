"""Runs as jobs of Slurm, submitted through submitit: an array for all that can start together."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from hf_grok._optional import import_optional
from hf_grok.errors import UserError
from hf_grok.sweep.engines.engine import Ended
from hf_grok.sweep.engines.slurm_queue import ENDED, LOST, QueueRecord, require_slurm, states_of
from hf_grok.sweep.engines.slurm_task import SlurmTask
from hf_grok.sweep.needs import Needs
from hf_grok.sweep.tasks import LOGS, Task

# A run may be preempted as often as its cluster likes: each start goes on from a checkpoint.
_MOST_TIMEOUTS = 100_000
_OURS = ("nodes", "ntasks_per_node", "array_parallelism", "stderr_to_stdout", "job_name")


class SlurmEngine:
    """Submits, looks after what it or an earlier start submitted, and leaves it when it is stopped.

    Args:
        out: the sweep's folder, on a file system that all machines see.
        given: Slurm's own settings, as `slurm_settings` reads them.
        at_once: runs at a time; None for as many as Slurm gives.

    Raises:
        UserError: submitit or Slurm is not there; a setting that sbatch has not.
    """

    name = "slurm"
    at_once: int | None = None  # Slurm's queue is for those that have to wait
    by_level = True
    look_every = 1.0
    ask_every = 20.0  # seconds between two questions to Slurm, which many ask

    def __init__(self, out: Path, given: Mapping[str, Any], at_once: int | None = None) -> None:
        self._submitit = import_optional("submitit", extra="slurm", purpose="sweeps on Slurm")
        self._check_machine()
        self.out, self._given, self._parallel = out, dict(given), at_once
        self._record = QueueRecord(out)
        self._jobs = self._record.read()
        self.underway: Collection[str] = tuple(self._jobs)
        self._asked, self._missed = 0.0, dict.fromkeys(self._jobs, 0)
        self._executor(Needs(gpus=0))  # refuses a wrong setting before anything is written

    def start(self, tasks: Sequence[Task]) -> None:
        """Submit them, those that take the same as one array.

        Raises:
            UserError: Slurm takes no such job.
        """
        for needs in dict.fromkeys(task.needs for task in tasks):
            alike = [task for task in tasks if task.needs == needs]
            for task, job in zip(alike, self._submit(alike, needs), strict=True):
                self._jobs[task.key], self._missed[task.key] = job, 0
            self._record.write(self._jobs)

    def ended(self) -> list[Ended]:
        """Those that left a result, and those that Slurm has ended without one."""
        ended = [
            self._read(key, job) for key, job in self._jobs.items() if self._result(job).is_file()
        ]
        if time.monotonic() - self._asked > self.ask_every:
            known = {one.key for one in ended}
            rest = {key: job for key, job in self._jobs.items() if key not in known}
            ended += self._gone(rest)
            self._asked = time.monotonic()
        for one in ended:
            del self._jobs[one.key]
        if ended:
            self._record.write(self._jobs)
        return ended

    def stop(self) -> str:
        """Leave the jobs to Slurm."""
        left = ", ".join(self._jobs)
        if not left:
            return "stopped; nothing of it is in Slurm's queue"
        return (
            f"{left} stay in Slurm's queue; the same command looks after them again, and "
            f"hf-grok sweep {self.out} --cancel ends them"
        )

    def _check_machine(self) -> None:
        require_slurm()

    def _states(self, jobs: Sequence[str]) -> Mapping[str, str] | None:
        return states_of(jobs)

    def _make_executor(self) -> Any:
        return self._submitit.SlurmExecutor(self._folder, max_num_timeout=_MOST_TIMEOUTS)

    @property
    def _folder(self) -> Path:
        return self.out.absolute() / LOGS / "slurm"

    def _executor(self, needs: Needs) -> Any:
        executor = self._make_executor()
        try:
            executor.update_parameters(**self._parameters(needs))
        except (TypeError, ValueError) as error:
            raise UserError(f"--slurm: {error}") from None
        return executor

    def _parameters(self, needs: Needs) -> dict[str, Any]:
        """What the sweep's file asks for; what --slurm says stands above it."""
        asked: dict[str, Any] = {
            "job_name": f"hf-grok-{self.out.absolute().name}",
            "cpus_per_task": needs.cpus,
            "stderr_to_stdout": True,
        }
        if needs.gpus:
            asked["gpus_per_node"] = needs.gpus
        if needs.memory_gb is not None:
            asked["mem"] = f"{round(needs.memory_gb * 1024)}MB"
        if self._parallel is not None:
            asked["array_parallelism"] = self._parallel
        return {**asked, **self._given}

    def _submit(self, tasks: Sequence[Task], needs: Needs) -> list[str]:
        calls = [SlurmTask(task, os.getcwd()) for task in tasks]
        try:
            return [job.job_id for job in self._jobs_of(self._executor(needs), calls)]
        except RuntimeError as error:  # as submitit tells of a command that failed
            said = " ".join(str(error).split())
            raise UserError(f"Slurm does not take the jobs of {self.out}: {said}") from None

    def _jobs_of(self, executor: Any, calls: Sequence[SlurmTask]) -> list[Any]:
        return executor.submit_array(calls)

    def _result(self, job: str) -> Path:
        return self._folder / f"{job}_0_result.pkl"

    def _read(self, key: str, job: str) -> Ended:
        """What the job left: the exit status of its task, or why there is none."""
        how, what = pickle.loads(self._result(job).read_bytes())
        if how == "success":
            return Ended(key, int(what))
        return Ended(key, None, f"job {job}: {str(what).strip().splitlines()[-1]}")

    def _gone(self, jobs: Mapping[str, str]) -> list[Ended]:
        """Jobs that Slurm has ended, or has not known for two looks, without a result."""
        states = self._states(list(jobs.values()))
        if states is None:
            return []
        found = []
        for key, job in jobs.items():
            state = states.get(job, "unknown")
            if state != "unknown" and state not in ENDED:
                self._missed[key] = 0
                continue
            self._missed[key] += 1  # its result may lie on the way to this machine
            if self._missed[key] > 1:
                lost = state in LOST or state == "unknown"
                found.append(Ended(key, None, f"Slurm's job {job} is {state}", lost))
        return found


def slurm_settings(words: Sequence[str]) -> dict[str, Any]:
    """`--slurm KEY=VALUE ...` as submitit takes it: whole numbers as numbers, the rest as text.

    Args:
        words: names as sbatch has them: time (in minutes), partition, account, qos, gres, ...

    Raises:
        UserError: a word of another form; no time; what a sweep sets itself.
    """
    found: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        key = name.replace("-", "_")
        if not equals or not key.isidentifier() or not value:
            raise UserError(f"--slurm {word}: expected KEY=VALUE, such as partition=gpu")
        if key in _OURS:
            raise UserError(
                f"--slurm {word}: a sweep sets that itself, a job a run (--workers says how many "
                "at a time; several GPUs of one run are asked for under `needs` and `launch`)"
            )
        found[key] = int(value) if value.isascii() and value.isdigit() else value
    if type(found.get("time")) is not int or found["time"] < 1:
        raise UserError(
            "--engine slurm: say how many minutes Slurm should give a job, such as --slurm "
            "time=240; a run that takes longer is put into the queue again and goes on"
        )
    return found
