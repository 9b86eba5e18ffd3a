"""Code that may fail in any way, and must not take down what is around it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType


class Isolated(AbstractContextManager["Isolated"]):
    """Ends at whatever error its block raises, and keeps it: `failure` is its type and message.

    For what other packages bring, which may fail in any way. An interrupt goes through.
    """

    failure: str | None = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if isinstance(error, Exception):
            self.failure = f"{type(error).__name__}: {error}"
        return isinstance(error, Exception)
