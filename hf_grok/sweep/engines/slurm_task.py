"""A task as a job of Slurm: it ends when Slurm asks, and goes on when Slurm starts it again."""

from __future__ import annotations

import os
import signal
import time
from types import FrameType
from typing import Any

from hf_grok._optional import import_optional
from hf_grok.runs.folder import checkpoints, step_of
from hf_grok.sweep.engines.away import run_here
from hf_grok.sweep.tasks import Task

MOST_FRUITLESS = 3
"""Starts in a row that ended before the run had saved anything new."""
PATIENCE = 600.0
"""Seconds after SIGTERM for what Slurm does next."""
# Sent by Slurm some time before it ends a job, as submitit has it.
_LAST_CALL = "SIG" + os.environ.get("SUBMITIT_PREEMPT_SIGNAL", "USR2")


class SlurmTask:
    """What submitit calls in a job, and asks for what to call in the next one.

    Slurm warns a job by SIGTERM (when it is preempted, or ended by scancel) and by SIGUSR2 some
    time before its end. submitit heeds the second alone, by putting the job into the queue again.
    Both end the training process here, which goes on from its last checkpoint.

    Args:
        task: that is run.
        folder: in which the sweep was started.
    """

    def __init__(self, task: Task, folder: str) -> None:
        self.task, self.folder = task, folder
        self.fruitless, self.reached = 0, -1

    def __call__(self) -> int:
        """Run the task; the exit status of its process.

        Raises:
            RuntimeError: SIGTERM came, and nothing after it.
        """
        os.chdir(self.folder)
        self.reached = self._saved_step()
        asked: list[int] = []

        def note(number: int, frame: FrameType | None) -> None:
            asked.append(number)

        warnings = (signal.SIGTERM, getattr(signal, _LAST_CALL))
        submitits = {int(number): signal.signal(number, note) for number in warnings}
        status = run_here(self.task, self.folder, lambda: bool(asked))
        if status in {-number for number in submitits}:
            time.sleep(1.0)  # Slurm has sent it to all processes of the job: ours comes, or is here
        if status is not None and not (status and asked):
            return status
        return self._hand_on(asked, submitits)

    def _hand_on(self, asked: list[int], submitits: dict[int, Any]) -> int:
        """The warnings as submitit gets them, now that nothing trains: the last call ends this."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            while asked:
                number = asked.pop(0)
                submitits[number](number, None)
            time.sleep(0.1)
        raise RuntimeError("SIGTERM came, and Slurm did not end the job after it")

    def checkpoint(self) -> Any:
        """What Slurm is to start next: the same. None after too many starts that came to nothing.

        A run that is ended before it can save would never come to its end.
        """
        saved = self._saved_step()
        self.fruitless = 0 if saved > self.reached else self.fruitless + 1
        if self.fruitless >= MOST_FRUITLESS:
            self._say_that_it_is_in_vain(saved)
            return None
        helpers = import_optional("submitit.helpers", extra="slurm", purpose="sweeps on Slurm")
        return helpers.DelayedSubmission(self)

    __submitit_checkpoint__ = checkpoint  # as the next version of submitit calls it

    def _saved_step(self) -> int:
        saved = checkpoints(self.task.job.folder) if self.task.job else []
        return step_of(saved[-1]) if saved else -1

    def _say_that_it_is_in_vain(self, saved: int) -> None:
        with self.task.log.open("a", encoding="utf-8") as log:
            log.write(
                f"{MOST_FRUITLESS} times, Slurm ended {self.task.key} before it had saved a step "
                f"after {max(saved, 0)}: give it more time (--slurm time=MINUTES), or let it save "
                "more often (checkpoints)\n"
            )
