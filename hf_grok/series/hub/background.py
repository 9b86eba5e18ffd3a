"""Pushing beside the training: a thread that waits for news and raises into nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hf_grok.series.errors import SeriesError
from hf_grok.series.hub.pusher import Pusher
from hf_grok.series.hub.retry import HUB_ERRORS


class BackgroundPusher:
    """A `Pusher` on a daemon thread, which ends with the process, wherever it is.

    Args:
        pusher: what to run; once its `stop` is set the thread begins nothing more.
        warn: is told why nothing can be pushed, once for each reason.
    """

    def __init__(self, pusher: Pusher, warn: Callable[[str], None]) -> None:
        self._pusher, self._warn = pusher, warn
        self._changed = threading.Condition()
        self._asked, self._done = 0, 0
        self._told: str | None = None
        self._thread = threading.Thread(target=self._run, name="hf-grok-series", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Something new is staged."""
        with self._changed:
            self._asked += 1
            self._changed.notify_all()

    def finish(self, seconds: float) -> None:
        """Wait until all that was asked for is done, for at most so long; then begin no more.

        The series' card is written once more: only now is it known what the run has cost.
        """
        self._pusher.refresh_main()
        self.wake()
        with self._changed:
            self._changed.wait_for(lambda: self._done >= self._asked, timeout=seconds)
            self._pusher.stop.set()
            self._changed.notify_all()

    def halt(self, seconds: float) -> bool:
        """Begin no more, whatever waits; whether what was under way ended within so long."""
        self._pusher.stop.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._pusher.stop.is_set():
            with self._changed:
                self._changed.wait_for(self._has_work)
                asked = self._asked
            self._round()
            with self._changed:
                self._done = asked
                self._changed.notify_all()

    def _has_work(self) -> bool:
        return self._asked > self._done or self._pusher.stop.is_set()

    def _round(self) -> None:
        try:
            stopped = self._pusher.push_waiting().stopped
        except (SeriesError, *HUB_ERRORS) as error:
            stopped = self._pusher.masked(str(error))
        if stopped is not None and stopped != self._told:
            self._warn(stopped)
        self._told = stopped
