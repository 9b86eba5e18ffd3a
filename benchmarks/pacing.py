"""Training loops in processes of their own, run a few steps at a time in turns.

Only one works at a time, so that each has the machine as the others had it a moment before.
This module imports no torch: a child reads OMP_* when it imports it.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any


class Pacer:
    """The child's side: `tick()` at each step's end waits for its turn and times the steps.

    Args:
        connection: to the parent.
        warm_up: steps taken before the first turn, not timed.
        about: what the parent is told when the loop is ready.
    """

    def __init__(self, connection: Connection, warm_up: int, about: Mapping[str, Any]) -> None:
        self._connection, self._about = connection, dict(about)
        self._left = warm_up
        self._warm = False
        self._times: list[tuple[float, float]] = []
        self._last = _now()

    def tick(self) -> bool:
        """A step has ended; False when the parent asks for no more."""
        now = _now()
        self._times.append((now[0] - self._last[0], now[1] - self._last[1]))
        self._left -= 1
        if self._left <= 0:
            self._connection.send(self._times if self._warm else self._about)
            self._warm, self._times = True, []
            self._left = self._connection.recv()
        self._last = _now()
        return self._left > 0


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


class Arm:
    """The parent's side of one loop: `turn(steps)` has it work and returns its steps' times.

    Args:
        name: in the table.
        work: a function of a module, called in the child with (connection, *arguments).
        arguments: passed on to `work`.
        environment: variables of the child; None as a value removes one.
    """

    def __init__(
        self,
        name: str,
        work: Callable[..., None],
        *arguments: Any,
        environment: Mapping[str, str | None] | None = None,
    ) -> None:
        self.name = name
        self.rounds: list[list[tuple[float, float]]] = []
        self.about: dict[str, Any] = {}
        self._connection, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=work, args=(theirs, *arguments), daemon=True)
        with _environment(environment or {}):
            self._process.start()
        theirs.close()

    def wait_until_ready(self) -> None:
        self.about = self._receive()

    def turn(self, steps: int) -> None:
        self._connection.send(steps)
        self.rounds.append(self._receive())

    def stop(self) -> None:
        self._connection.send(0)
        self._process.join(60)
        self._process.kill()

    def _receive(self) -> Any:
        try:
            return self._connection.recv()
        except EOFError:
            raise SystemExit(f"{self.name} ended before its turn: see its message above") from None


@contextmanager
def _environment(changes: Mapping[str, str | None]) -> Iterator[None]:
    before = dict(os.environ)
    for name, value in changes.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def busy_cores(seconds: float = 1.0) -> float | None:
    """Cores that anybody keeps busy while we sleep; None where /proc/stat does not exist."""
    if not Path("/proc/stat").is_file():
        return None
    before = _jiffies()
    time.sleep(seconds)
    busy, total = (now - then for now, then in zip(_jiffies(), before, strict=True))
    return (os.cpu_count() or 1) * busy / total


def _jiffies() -> tuple[int, int]:
    columns = [int(word) for word in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    idle = columns[3] + columns[4]
    return sum(columns) - idle, sum(columns)
