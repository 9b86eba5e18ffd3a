"""Runs as tasks of Ray, on the cluster that RAY_ADDRESS names, or on this machine without one."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from typing import Any

from hf_grok._optional import import_optional
from hf_grok.errors import UserError
from hf_grok.sweep.engines.away import run_here
from hf_grok.sweep.engines.engine import Ended
from hf_grok.sweep.tasks import Task

# Seconds for the workers to end their processes, when the sweep stops.
_SECONDS_TO_STOP = 15.0


class RayEngine:
    """A task of Ray for each of the sweep's, with the processors and GPUs that it needs.

    A task whose worker or machine dies is told to the runner as lost, which starts it again.

    Args:
        at_once: tasks at a time; None for as many as the cluster has room for.

    Raises:
        UserError: ray is not installed, or its cluster does not answer.
    """

    name = "ray"
    by_level = False
    look_every = 0.5
    underway: Collection[str] = ()  # Ray ends a driver's tasks with it

    def __init__(self, at_once: int | None = None) -> None:
        self.at_once = at_once
        self._ray = import_optional("ray", extra="ray", purpose="sweeps on Ray")
        self._began = not self._ray.is_initialized()
        if self._began:
            self._connect()
        self._running: dict[str, Any] = {}

    def start(self, tasks: Sequence[Task]) -> None:
        """Hand them to Ray, which starts each where there is room for it.

        Raises:
            UserError: no machine of the cluster has what one needs.
        """
        for task in tasks:
            self._refuse_too_much(task)
            needs = task.needs
            memory = {} if needs.memory_gb is None else {"memory": int(needs.memory_gb * 2**30)}
            remote = self._ray.remote(run_in_worker).options(
                name=task.key,
                num_cpus=needs.cpus,
                num_gpus=needs.gpus or 0,
                max_retries=0,  # the runner does that, and says so
                **memory,
            )
            self._running[task.key] = remote.remote(task, os.getcwd())

    def ended(self) -> list[Ended]:
        """Those whose result is there."""
        references = list(self._running.values())
        done, _ = self._ray.wait(references, num_returns=len(references), timeout=0)
        ended = [self._read(key) for key, one in self._running.items() if one in done]
        for one in ended:
            del self._running[one.key]
        return ended

    def stop(self) -> str:
        """Interrupt every task; its worker ends the process, which goes on from its checkpoint."""
        stopped = ", ".join(self._running) or "no run"
        for reference in self._running.values():
            self._ray.cancel(reference)
        if self._running:
            references = list(self._running.values())
            self._ray.wait(references, num_returns=len(references), timeout=_SECONDS_TO_STOP)
        self._running = {}
        if self._began:
            self._ray.shutdown()
        return f"stopped {stopped}; the same command goes on with them"

    def _connect(self) -> None:
        try:
            self._ray.init(log_to_driver=False, include_dashboard=False, logging_level="error")
        except (ConnectionError, RuntimeError, ValueError) as error:
            said = " ".join(str(error).split())
            raise UserError(
                f"Ray cannot be reached: {said}. RAY_ADDRESS names a cluster (it is "
                f"{os.environ.get('RAY_ADDRESS', 'not set')}); unset, one is started here"
            ) from None

    def _read(self, key: str) -> Ended:
        errors = self._ray.exceptions
        try:
            return Ended(key, self._ray.get(self._running[key]))
        except (errors.WorkerCrashedError, errors.NodeDiedError, errors.OutOfMemoryError) as error:
            return Ended(key, None, f"its worker died ({type(error).__name__})", lost=True)
        except errors.RayError as error:
            said = str(error).strip().splitlines()[-1]
            return Ended(key, None, f"Ray could not run it: {said}")

    def _refuse_too_much(self, task: Task) -> None:
        """Ray itself would wait for ever for a machine that nobody has."""
        asked = {"CPU": task.needs.cpus, "GPU": task.needs.gpus or 0}
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        if not any(all(has.get(kind, 0) >= n for kind, n in asked.items()) for has in nodes):
            most = {kind: max(has.get(kind, 0) for has in nodes) for kind in asked}
            raise UserError(
                f"{task.key} needs {asked['CPU']} CPUs and {asked['GPU']} GPUs, and no machine of "
                f"Ray's has them (the most are {most['CPU']:g} and {most['GPU']:g}): take fewer "
                "under `needs` in the sweep's file"
            )


def run_in_worker(task: Task, folder: str) -> int | None:
    """In a worker of Ray: run the task to its end."""
    never: Callable[[], bool] = lambda: False  # noqa: E731
    return run_here(task, folder, never)
