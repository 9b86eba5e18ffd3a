"""Code that may fail in any way, and must not take down what is around it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType


class Isolated(AbstractContextManager["Isolated"]):
    """Ends at whatever error its block raises, and keeps it: `failure` is its type and message.

    For what other packages bring, which may fail in any way. An interrupt goes through.
    """

    error: Exception | None = None

    @property
    def failure(self) -> str | None:
        """Type and message of the error, if there was one."""
        return None if self.error is None else f"{type(self.error).__name__}: {self.error}"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if isinstance(error, Exception):
            self.error = error
        return isinstance(error, Exception)
