"""Runs the tasks of a sweep, some at a time, until all are done or somebody wants it to stop."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence

from hf_grok.errors import UserError
from hf_grok.sweep.jobs import Job
from hf_grok.sweep.progress import SweepProgress
from hf_grok.sweep.signals import Interruption, heeded
from hf_grok.sweep.tasks import Task, end_all, start, tail

LOOK_EVERY = 0.2
SHOW_EVERY = 2.0


class Runner:
    """Starts each task when its turn comes and all that it waits for have finished.

    Args:
        tasks: in the order in which they are started; each after those that it waits for.
        workers: how many processes run at a time.
        progress: the bar, and where lines are said.
        on_finished: called with each run that has ended well.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        workers: int,
        progress: SweepProgress,
        on_finished: Callable[[Job], None] | None = None,
    ) -> None:
        self._on_finished = on_finished
        self.workers, self.progress = workers, progress
        self.finished: set[str] = set()
        self.failed: dict[str, str] = {}
        self._waiting = list(tasks)
        self._running: dict[str, tuple[Task, subprocess.Popen[bytes]]] = {}

    def run(self) -> dict[str, str]:
        """Run everything; returns key -> why, of all that failed or could not start.

        Raises:
            KeyboardInterrupt: SIGINT, SIGTERM or SIGHUP came; every process has been ended.
        """
        shown = 0.0
        with heeded() as interruption:
            try:
                while (self._waiting or self._running) and interruption.name is None:
                    self._collect()
                    self._start_ready()
                    if time.monotonic() - shown > SHOW_EVERY:
                        self.progress.show(len(self._running), len(self.failed))
                        shown = time.monotonic()
                    time.sleep(LOOK_EVERY if self._running else 0)
            finally:
                end_all([process for _, process in self._running.values()])
        self.progress.show(0, len(self.failed))
        self._refuse_to_go_on(interruption)
        return self.failed

    def _refuse_to_go_on(self, interruption: Interruption) -> None:
        if interruption.name is not None:
            stopped = ", ".join(self._running) or "no run"
            self.progress.say(
                f"{interruption.name}: stopped {stopped}; the same command goes on with them"
            )
            raise KeyboardInterrupt

    def _collect(self) -> None:
        for key, (task, process) in list(self._running.items()):
            status = process.poll()
            if status is None:
                continue
            del self._running[key]
            if status == 0:
                self.finished.add(key)
                self.progress.say(f"finished {key}")
                if task.job and self._on_finished:
                    self._on_finished(task.job)
            else:
                self._fail(task, f"exit status {status}; {task.log} ends:\n{tail(task.log)}")

    def _start_ready(self) -> None:
        for task in list(self._waiting):
            lost = [key for key in task.after if key in self.failed]
            if lost:
                self._waiting.remove(task)
                self._fail(task, f"not started: {', '.join(lost)} failed")
            elif len(self._running) < self.workers and self.finished.issuperset(task.after):
                self._waiting.remove(task)
                self._start(task)

    def _start(self, task: Task) -> None:
        try:
            if task.job:
                task.job.check_branch()
        except UserError as error:
            self._fail(task, str(error))
            return
        self._running[task.key] = (task, start(task))

    def _fail(self, task: Task, why: str) -> None:
        self.failed[task.key] = why
        self.progress.say(f"FAILED {task.key}: {why}")
