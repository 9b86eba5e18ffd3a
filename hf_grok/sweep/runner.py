"""Runs the tasks of a sweep on an engine, until all are done or somebody wants it to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from hf_grok.errors import UserError
from hf_grok.sweep.engines.engine import Ended, Engine
from hf_grok.sweep.job import Job
from hf_grok.sweep.progress import SweepProgress
from hf_grok.sweep.signals import heeded
from hf_grok.sweep.tasks import Task, tail

SHOW_EVERY = 2.0
MOST_STARTS = 4
"""Of a task whose machine went away each time."""


class Runner:
    """Starts each task when its turn comes and all that it waits for have finished.

    Args:
        tasks: in the order in which they are started; each after those that it waits for.
        engine: where they run.
        progress: the bar, and where lines are said.
        on_finished: called with each run that has ended well.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        engine: Engine,
        progress: SweepProgress,
        on_finished: Callable[[Job], None] | None = None,
    ) -> None:
        self._on_finished = on_finished
        self.engine, self.progress = engine, progress
        self.finished: set[str] = set()
        self.failed: dict[str, str] = {}
        self._running = {task.key: task for task in tasks if task.key in engine.underway}
        self._waiting = [task for task in tasks if task.key not in self._running]
        self._starts: dict[str, int] = {}

    def run(self) -> dict[str, str]:
        """Run everything; returns key -> why, of all that failed or could not start.

        Raises:
            KeyboardInterrupt: SIGINT, SIGTERM or SIGHUP came; the engine has stopped.
        """
        shown, stopped = 0.0, ""
        with heeded() as interruption:
            try:
                while (self._waiting or self._running) and interruption.name is None:
                    self._collect()
                    self._start_ready()
                    if time.monotonic() - shown > SHOW_EVERY:
                        self.progress.show(len(self._running), len(self.failed))
                        shown = time.monotonic()
                    time.sleep(self.engine.look_every if self._running else 0)
            finally:
                stopped = self.engine.stop()
        self.progress.show(0, len(self.failed))
        if interruption.name is not None:
            self.progress.say(f"{interruption.name}: {stopped}")
            raise KeyboardInterrupt
        return self.failed

    def _collect(self) -> None:
        for ended in self.engine.ended():
            task = self._running.pop(ended.key, None)
            if task is None:
                continue  # of an earlier start: it finished before this one looked
            if ended.lost and self._starts.get(task.key, 1) < MOST_STARTS:
                self.progress.say(f"{task.key}: {ended.why}; started again")
                self._start([task])
            elif ended.status == 0:
                self._finish(task)
            else:
                self._fail(task, f"{_told(ended)}; {task.log} ends:\n{tail(task.log)}")

    def _finish(self, task: Task) -> None:
        if task.job and not task.job.folder.is_dir():
            self._fail(task, f"its folder {task.job.folder} has vanished")
            return
        self.finished.add(task.key)
        self.progress.say(f"finished {task.key}")
        if task.job and self._on_finished:
            self._on_finished(task.job)

    def _start_ready(self) -> None:
        for task in list(self._waiting):
            lost = [key for key in task.after if key in self.failed]
            if lost:
                self._waiting.remove(task)
                self._fail(task, f"not started: {', '.join(lost)} failed")
        if self.engine.by_level and self._running:
            return
        ready = [task for task in self._waiting if self.finished.issuperset(task.after)]
        if self.engine.at_once is not None:
            ready = ready[: max(0, self.engine.at_once - len(self._running))]
        for task in ready:
            self._waiting.remove(task)
        self._start([task for task in ready if self._can_start(task)])

    def _can_start(self, task: Task) -> bool:
        try:
            if task.job:
                task.job.check_branch()
        except UserError as error:
            self._fail(task, str(error))
            return False
        return True

    def _start(self, tasks: Sequence[Task]) -> None:
        if not tasks:
            return
        for task in tasks:
            self._running[task.key] = task
            self._starts[task.key] = self._starts.get(task.key, 0) + 1
        self.engine.start(tasks)

    def _fail(self, task: Task, why: str) -> None:
        self.failed[task.key] = why
        self.progress.say(f"FAILED {task.key}: {why}")


def _told(ended: Ended) -> str:
    return ended.why or f"exit status {ended.status}"
