"""What a reader does with a line that is wrong: end there, or pass over it, count it and say so."""

from __future__ import annotations

from hf_grok.errors import UserError
from hf_grok.text.printable import shortened

HOW = "to leave such lines out and have them counted: skip_bad_lines=True (--skip-bad-lines)"
_SHOWN = 240


class BadLines:
    """The lines, or the sentences of several lines, that a reader left out.

    Args:
        skip: pass over what is wrong. Without it the first such line is an error.

    Attributes:
        count: how many.
        first: what was wrong with the first one, with file:line; None while there is none.
    """

    def __init__(self, skip: bool = False) -> None:
        self.skip = skip
        self.count = 0
        self.first: str | None = None

    def meet(self, error: UserError) -> None:
        """Count what is wrong.

        Raises:
            UserError: it, and how to pass over it, where nothing is to be skipped.
        """
        if not self.skip:
            raise UserError(f"{shortened(str(error), 380)}; {HOW}") from None
        self.count += 1
        self.first = self.first or str(error)

    def told(self) -> str:
        """One sentence on what was left out; empty where nothing was."""
        if not self.count:
            return ""
        lines = "1 bad line was" if self.count == 1 else f"{self.count:,} bad lines were"
        return f"{lines} left out, the first: {shortened(str(self.first), _SHOWN)}"
