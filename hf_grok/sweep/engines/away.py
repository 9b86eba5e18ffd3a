"""A task in the hands of a worker on another machine: run where the sweep was started from."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from hf_grok.sweep.engines.process import end_all, start_process
from hf_grok.sweep.job import FINISHED
from hf_grok.sweep.tasks import Task

LOOK_EVERY = 0.1


def run_here(task: Task, folder: str, is_asked_to_end: Callable[[], bool]) -> int | None:
    """Run the task, in whatever state its folder is; its exit status, None if it was asked to end.

    Its process ends with this one, even if this one is killed: whoever starts the task again finds
    nobody at work on it.

    Args:
        task: whose paths are those of the sweep.
        folder: in which the sweep was started, on a file system that all see.
        is_asked_to_end: looked at all the time.
    """
    os.chdir(folder)
    if task.job and task.job.state() == FINISHED:
        return 0
    process = start_process(task, with_parent=True)
    try:
        # Not wait(), which a signal's handler would find in the middle of its lock.
        while process.poll() is None and not is_asked_to_end():
            time.sleep(LOOK_EVERY)
        return process.poll()
    finally:
        if process.poll() is None:
            end_all([process])
        if process.stdin is not None:
            process.stdin.close()
