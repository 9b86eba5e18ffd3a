"""Runs as processes of this machine, some at a time."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection, Mapping, Sequence

from hf_grok._cores import usable_cores
from hf_grok.sweep.engines.engine import Ended
from hf_grok.sweep.engines.gpus import VISIBLE, Gpus, has_another_accelerator, visible_gpus
from hf_grok.sweep.engines.process import end_all, start_process
from hf_grok.sweep.needs import Needs
from hf_grok.sweep.tasks import Task


class LocalEngine:
    """A process a task, each with GPUs of its own where there are any.

    Args:
        workers: how many run at a time.
        gpus: names of the GPUs that are dealt out.
    """

    name = "local"
    by_level = False
    look_every = 0.2
    underway: Collection[str] = ()

    def __init__(self, workers: int, gpus: Sequence[str] = ()) -> None:
        self.at_once: int | None = workers
        self._gpus = Gpus(gpus)
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, tasks: Sequence[Task]) -> None:
        """Start them all."""
        for task in tasks:
            self._running[task.key] = start_process(task, self._dealt(task))

    def ended(self) -> list[Ended]:
        """Those whose process has ended."""
        found = [(key, process.poll()) for key, process in self._running.items()]
        ended = [Ended(key, status) for key, status in found if status is not None]
        for one in ended:
            del self._running[one.key]
            self._gpus.give_back(one.key)
        return ended

    def stop(self) -> str:
        """End every process: the next start of the sweep goes on from their checkpoints."""
        end_all(list(self._running.values()))
        stopped = ", ".join(self._running) or "no run"
        self._running = {}
        return f"stopped {stopped}; the same command goes on with them"

    def _dealt(self, task: Task) -> Mapping[str, str]:
        """Nothing for the data, for a run on the processor, and on a machine without GPUs."""
        wanted = min(1, len(self._gpus)) if task.needs.gpus is None else task.needs.gpus
        return {VISIBLE: ",".join(self._gpus.deal(task.key, wanted))} if wanted else {}


def runs_on_cores(needs: Needs) -> int:
    """How many runs the cores are enough for at a time; one at least."""
    return max(1, usable_cores() // needs.cpus)


def local_engine(needs: Needs, workers: int | None, *, on_cpu: bool) -> LocalEngine:
    """As many runs at a time as there are GPUs for them, or else cores, unless it is said.

    Cores are those that this process may use (a job's, a container's), not all of the machine's. An
    accelerator that cannot be dealt out (Apple's, Intel's) has one run at a time.

    Args:
        needs: of each run.
        workers: that were asked for; None for as many as fit.
        on_cpu: whether every run leaves the GPUs alone.
    """
    on_cpu = on_cpu or needs.gpus == 0
    gpus = () if on_cpu else visible_gpus(os.environ)
    Gpus(gpus).deal("a run", needs.gpus or 0)  # said now, not when the first run starts
    if workers is None and not gpus and not on_cpu and has_another_accelerator():
        workers = 1
    fitting = len(gpus) // (needs.gpus or 1) or runs_on_cores(needs)
    return LocalEngine(fitting if workers is None else workers, gpus)
