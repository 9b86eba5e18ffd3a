"""What runs tasks: start them, ask which have ended, stop. The runner knows no more of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from hf_grok.sweep.tasks import Task


@dataclass(frozen=True)
class Ended:
    """A task that has ended.

    Attributes:
        key: of the task.
        status: exit status of its process; None where nobody knows it.
        why: it ended, where that is not of its own doing; "" elsewhere.
        lost: whether its machine or worker went away under it. A run is a folder with exact
            resume: the same command, started again, goes on with it.
    """

    key: str
    status: int | None
    why: str = ""
    lost: bool = False


class Engine(Protocol):
    """Runs tasks, which are processes that write a folder and a log on a file system that all see.

    Attributes:
        name: as `--engine` has it.
        at_once: tasks that may be started beside each other; None: those that are ready, all.
        by_level: whether tasks are started only when all that were started before have ended.
        look_every: seconds between two looks at what runs.
        underway: keys of tasks that an earlier start left running, or waiting, and that are looked
            after now.
    """

    name: str
    at_once: int | None
    by_level: bool
    look_every: float
    underway: Collection[str]

    def start(self, tasks: Sequence[Task]) -> None:
        """Start them, or hand them to whoever starts them.

        Raises:
            UserError: they cannot be started at all.
        """

    def ended(self) -> list[Ended]:
        """Those that have ended since the last look."""

    def stop(self) -> str:
        """Nobody will look any more: end what runs, or leave it to its scheduler.

        Returns:
            What became of what ran, for people.
        """
