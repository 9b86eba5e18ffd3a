"""The process of a task, on whatever machine: its command line, its environment, its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from hf_grok.sweep.held import COMMAND, WITH_PARENT
from hf_grok.sweep.needs import found
from hf_grok.sweep.tasks import Task

# One thread a run: runs beside each other use the cores better than threads within one do.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
NEW_GROUP: int = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
SECONDS_TO_END = 10.0


def command_line(task: Task, *, with_parent: bool = False) -> list[str]:
    """What starts the task as it stands now, holding the lock beside its log.

    The sweep's folder stays taken for as long as a run writes there, even if the sweep is killed.
    """
    parent = [WITH_PARENT] if with_parent else []
    held = [sys.executable, "-m", "hf_grok.sweep.held", *parent, str(task.lock)]
    if task.needs.launch:
        started = [COMMAND, *found(task.needs.launch), "-m", task.module]
    else:
        started = [task.module]
    return [*held, *started, *task.command()]


def start_process(
    task: Task, environment: Mapping[str, str] | None = None, *, with_parent: bool = False
) -> subprocess.Popen[bytes]:
    """Start it in a group of processes of its own: a terminal's signals do not reach it.

    Args:
        task: what is run.
        environment: on top of this process's.
        with_parent: whether it ends when this process has ended, in whatever way.
    """
    task.log.parent.mkdir(parents=True, exist_ok=True)
    with task.log.open("ab") as log:
        return subprocess.Popen(
            command_line(task, with_parent=with_parent),
            stdin=subprocess.PIPE if with_parent else subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **ONE_THREAD, **(environment or {})},
            start_new_session=True,  # heeded where there are sessions
            creationflags=NEW_GROUP,  # and where there are groups of the console instead
        )


def end_all(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask every process to end, and end those that do not: a run goes on from its checkpoint."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + SECONDS_TO_END
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _kill(process)
            process.wait()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The process, and what a launcher has started in its group."""
    end_group = getattr(os, "killpg", None)
    if end_group is not None:
        end_group(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    else:
        process.kill()
