"""How many commits the Hub allows in an hour, and how many there were."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from hf_grok.runs.folder import replace

COMMITS_PER_HOUR = 128  # the Hub answers 429 beyond (braindecode issue 947 quotes it)
_WINDOW = 3600.0
_LARGEST_FILE = 1 << 16


def seconds_until_allowed(times: Sequence[float], now: float, limit: int) -> float:
    """How long until another commit keeps every hour at `limit` commits or fewer.

    Args:
        times: of the commits made so far, in seconds, in order.
        now: the present, by the same clock.
        limit: commits an hour.
    """
    recent = [at for at in times if now - at < _WINDOW]
    return 0.0 if len(recent) < limit else recent[-limit] + _WINDOW - now


class CommitBudget:
    """Times of the commits of the last hour, kept on disk so that a restart does not forget them.

    The file has the times of a clock that people set. What is waited for goes by one that nobody
    does: a time is taken for so long ago as it says when it is first read, for an hour at most and
    not for the future, and counts on from there. No slip of the clock makes a wait longer than an
    hour.

    Args:
        path: of the file.
        limit: commits an hour; a few below the Hub's own, which other programs use up too.
        clock: seconds since the epoch.
        ticks: seconds that only go on; by default the system's, or `clock` where that is given.
    """

    def __init__(
        self,
        path: Path,
        limit: int = COMMITS_PER_HOUR - 8,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] | None = None,
    ) -> None:
        self._path, self._limit, self._clock = path, limit, clock
        self._ticks = ticks or (time.monotonic if clock is time.time else clock)
        self._at: dict[float, float] = {}  # time on disk -> tick

    def wait(self) -> float:
        """Seconds until the next commit is allowed."""
        ticks = sorted(self._recent().values())
        return seconds_until_allowed(ticks, self._ticks(), self._limit)

    def spend(self) -> None:
        """Write down a commit, before it is made: one that is not known to have failed counts."""
        recent, now = self._recent(), self._clock()
        while now in recent:  # two within what the clock can tell apart
            now = math.nextafter(now, math.inf)
        self._at = {**recent, now: self._ticks()}
        temporary = self._path.with_suffix(".tmp")
        temporary.write_text(json.dumps(list(self._at)[-self._limit :]))
        replace(temporary, self._path)

    def _recent(self) -> dict[float, float]:
        """Commits of the last hour: what the file calls their times, and their ticks."""
        wall, tick = self._clock(), self._ticks()
        for at in self._times():
            if at not in self._at:  # of another process, or of this one's predecessor
                self._at[at] = tick - min(max(wall - at, 0.0), _WINDOW)
        self._at = {at: then for at, then in self._at.items() if tick - then < _WINDOW}
        return self._at

    def _times(self) -> list[float]:
        """The last times in the file, as many as count; none where it is no list of times."""
        try:
            with self._path.open("rb") as file:
                found = json.loads(file.read(_LARGEST_FILE))
        except (FileNotFoundError, ValueError, RecursionError):
            return []  # never written, or cut by a power failure: the Hub's own 429 is heeded too
        times = found if isinstance(found, list) else []
        numbers = [float(at) for at in times[-self._limit :] if isinstance(at, int | float)]
        return [at for at in numbers if math.isfinite(at)]
