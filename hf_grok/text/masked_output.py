"""What a command prints has no token in it: one place for output, errors, logs and tracebacks."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from types import TracebackType
from typing import Any, TextIO, cast

from hf_grok.text import credentials


class MaskedStream:
    """A stream of text that shows no token, neither one of a known shape nor this machine's.

    Args:
        stream: where the rest goes; what is no writing of text is its own.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text without tokens; a length, as of the text that was given."""
        self._stream.write(credentials.mask(text, credentials.of_this_machine()))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each of them."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def masked_output() -> Iterator[None]:
    """Within, what is printed and logged has no token in it, nor has a traceback that ends it all.

    The hook for tracebacks stays: an error that leaves this block is shown after it.
    """
    sys.excepthook = _show
    output, errors = MaskedStream(sys.stdout), MaskedStream(sys.stderr)
    with redirect_stdout(cast(TextIO, output)), redirect_stderr(cast(TextIO, errors)):
        yield


def _show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    text = "".join(traceback.format_exception(kind, error, trace))
    sys.stderr.write(credentials.mask(text, credentials.of_this_machine()))
