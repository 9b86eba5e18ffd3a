"""Signals as a flag: they are heeded between two looks at the runs, never within one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_HEEDED = (signal.SIGINT, signal.SIGTERM)
# A terminal that is closed; Windows has no such signal.
_HANG_UP: signal.Signals | None = getattr(signal, "SIGHUP", None)


class Interruption:
    """Whether somebody wants the sweep to stop.

    Attributes:
        name: of the signal that came first; None so far.
    """

    def __init__(self) -> None:
        self.name: str | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """As a signal's handler."""
        self.name = self.name or signal.Signals(number).name


@contextmanager
def heeded() -> Iterator[Interruption]:
    """Within it, SIGINT, SIGTERM and SIGHUP (unless ignored, as under nohup) raise the flag."""
    interruption = Interruption()
    heeded = [*_HEEDED]
    if _HANG_UP is not None and signal.getsignal(_HANG_UP) != signal.SIG_IGN:
        heeded.append(_HANG_UP)
    before = {number: signal.signal(number, interruption) for number in heeded}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
