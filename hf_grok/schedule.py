"""When something happens during a run: a pure function of the step."""

from __future__ import annotations

from dataclasses import dataclass

from hf_grok.errors import UserError

FORMS = '"log:N" (0, 1, 2, 4, ... then every N), "every:N" (0, N, 2N, ...) or steps "0,10,100"'


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
                f"schedule steps {list(self.steps)} are not increasing from 0 or more: "
                "list each step once, the smallest first"
            )

    @classmethod
    def parse(cls, text: str) -> StepSchedule:
        """Read one of the forms "log:N", "every:N", "0,10,100".

        Raises:
            UserError: another form, an empty or unsorted list, N below 1.
        """
        kind, _, number = text.partition(":")
        try:
            if kind in ("log", "every"):
                every = int(number)
                if every < 1:
                    raise UserError(f"schedule {text!r}: N must be 1 or more")
                return cls(every=every, log_spaced=kind == "log")
            return cls(steps=tuple(int(step) for step in text.split(",")))
        except UserError:
            raise
        except ValueError:
            raise UserError(f"cannot read the schedule {text!r}: expected {FORMS}") from None

    def due(self, step: int, last: int) -> bool:
        """Whether `step` is due in a run whose last step is `last`."""
        if step in (0, last) or step in self.steps:
            return True
        if not self.every:
            return False
        power_of_two = step & (step - 1) == 0
        return step % self.every == 0 or (self.log_spaced and step < self.every and power_of_two)

    def all_steps(self, last: int) -> list[int]:
        """Every due step of a run of `last` steps, in order."""
        return [step for step in range(last + 1) if self.due(step, last)]
