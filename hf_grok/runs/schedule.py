"""When something happens during a run: a pure function of the step."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace

from hf_grok.errors import UserError
from hf_grok.text.printable import quoted

_MOST_DIGITS = 18
FORMS = (
    '"log:N" (0, 1, 2, 4, ... then every N), "every:N" (0, N, 2N, ...), steps "0,10,100", or both '
    '"every:N,10,100"'
)


@dataclass(frozen=True)
class StepSchedule:
    """Due at listed steps, at powers of two below `every`, at multiples of `every`, and last.

    Step 0 (before any training) is always due, and so is the last step.

    Attributes:
        every: distance of the regular steps; 0 for none.
        log_spaced: also 1, 2, 4, ... below `every`.
        steps: further steps, strictly increasing.
    """

    every: int = 0
    log_spaced: bool = False
    steps: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.every < 0 or (self.every == 0 and not self.steps):
            raise UserError(f"an empty schedule (every={self.every}): expected {FORMS}")
        pairs = zip(self.steps, self.steps[1:], strict=False)
        if any(later <= earlier for earlier, later in pairs) or min(self.steps, default=0) < 0:
            raise UserError(
                f"schedule steps {quoted(list(self.steps))} are not increasing from 0 or more: "
                "list each step once, the smallest first"
            )

    @classmethod
    def parse(cls, text: str) -> StepSchedule:
        """Read one of the forms "log:N", "every:N", "0,10,100", "every:N,10,100".

        Raises:
            UserError: another form, an empty or unsorted list, N below 1.
        """
        kind, colon, rest = text.partition(":")
        number, comma, listed = rest.partition(",") if colon else ("", ",", text)
        try:
            steps = tuple(_step(step) for step in listed.split(",")) if comma else ()
            every = _step(number) if colon else 0
        except ValueError:
            raise _unreadable(text) from None
        if not colon:
            return cls(steps=steps)
        if kind not in ("log", "every"):
            raise _unreadable(text)
        if every < 1:
            raise UserError(f"schedule {quoted(text)}: N must be 1 or more")
        return cls(every=every, log_spaced=kind == "log", steps=steps)

    def __str__(self) -> str:
        regular = f"{'log' if self.log_spaced else 'every'}:{self.every}" if self.every else ""
        return ",".join(filter(None, [regular, *map(str, self.steps)]))

    def with_steps(self, steps: Iterable[int]) -> StepSchedule:
        """The same, due at these steps too."""
        return replace(self, steps=tuple(sorted({*self.steps, *steps})))

    def due(self, step: int, last: int) -> bool:
        """Whether `step` is due in a run whose last step is `last`."""
        if step in (0, last) or self._is_listed(step):
            return True
        if not self.every:
            return False
        power_of_two = step & (step - 1) == 0
        return step % self.every == 0 or (self.log_spaced and step < self.every and power_of_two)

    def _is_listed(self, step: int) -> bool:
        place = bisect_left(self.steps, step)
        return place < len(self.steps) and self.steps[place] == step


def _step(text: str) -> int:
    """A step as it is written; ValueError for what is none, or is more than any run can have."""
    if len(text.strip()) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(text):,} digits")
    return int(text)


def _unreadable(text: str) -> UserError:
    return UserError(f"cannot read the schedule {quoted(text)}: expected {FORMS}")
