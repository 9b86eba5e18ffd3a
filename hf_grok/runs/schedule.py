"""When something happens during a run: a pure function of the step.

So is a schedule of words or tokens: it is turned into steps before the first of them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from hf_grok.errors import UserError
from hf_grok.runs.epochs import UNITS, Seen, amount_text, parse_amount
from hf_grok.text.printable import quoted

_MOST_DIGITS = 18
FORMS = (
    '"log:N" (0, 1, 2, 4, ... then every N), "every:N" (0, N, 2N, ...), steps "0,10,100", or both '
    '"every:N,10,100"; where words or tokens are counted, "words:1M,2M" or "tokens:1M,2M"'
)
AMOUNTS = '"words:1M,2M,10M" or "tokens:500K,1B"'


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


@dataclass(frozen=True)
class AmountSchedule:
    """Due at the first step at which so many words, or tokens, have been seen.

    Attributes:
        unit: "words" or "tokens".
        amounts: strictly increasing, above 0.
    """

    unit: str
    amounts: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> AmountSchedule:
        """Read "words:1M,2M,10M".

        Raises:
            UserError: another form, amounts that do not increase.
        """
        unit, _, listed = text.partition(":")
        amounts = [parse_amount(part.strip()) for part in listed.split(",")]
        if unit not in UNITS or None in amounts:
            raise UserError(f"cannot read the schedule {quoted(text)}: expected {AMOUNTS}")
        found = tuple(amount for amount in amounts if amount is not None)
        if any(later <= earlier for earlier, later in pairwise((0, *found))):
            raise UserError(
                f"schedule {quoted(text)}: the amounts do not increase from above 0: list each "
                "once, the smallest first (step 0 and the last step are always due)"
            )
        return cls(unit, found)

    def __str__(self) -> str:
        return f"{self.unit}:{','.join(map(amount_text, self.amounts))}"

    def in_steps(self, seen: Seen, last: int) -> StepSchedule:
        """step(amount) = min { t : seen(t) >= amount }, for each amount.

        Args:
            seen: by unit.
            last: step of the run.

        Raises:
            UserError: nobody counts this unit; an amount that the run does not reach; two amounts
                that one step passes.
        """
        if self.unit not in seen:
            known = f"it counts {', '.join(seen)}" if seen else "it counts neither"
            raise UserError(
                f"schedule {quoted(str(self))}: this run does not know how many {self.unit} it has "
                f"seen ({known}). Say so as a function of the step, seen={{{self.unit!r}: "
                "lambda step: ...}, or schedule by steps"
            )
        count = seen[self.unit]
        if (most := count(last)) < self.amounts[-1]:
            raise UserError(
                f"schedule {quoted(str(self))} goes beyond the run, which has seen {most:,} "
                f"{self.unit} at its last step, {last:,}: lengthen the run or shorten the schedule"
            )
        steps = [bisect_left(range(last + 1), amount, key=count) for amount in self.amounts]
        for place, (one, other) in enumerate(pairwise(steps)):
            if one == other:
                first, second = map(amount_text, self.amounts[place : place + 2])
                raise UserError(
                    f"schedule {quoted(str(self))}: step {one:,} goes from {count(one - 1):,} to "
                    f"{count(one):,} {self.unit}, and so passes {first} and {second} at once: "
                    "expected a step at least between two amounts"
                )
        return StepSchedule(steps=tuple(steps))


def parse_schedule(text: str) -> StepSchedule | AmountSchedule:
    """Read a schedule of steps ("log:250", "every:500", "0,10,100") or of words or tokens.

    Raises:
        UserError: as `StepSchedule.parse` and `AmountSchedule.parse`.
    """
    if text.partition(":")[0] in UNITS:
        return AmountSchedule.parse(text)
    return StepSchedule.parse(text)


def in_steps(schedule: StepSchedule | AmountSchedule | str, seen: Seen, last: int) -> StepSchedule:
    """A schedule of steps: itself, or what `AmountSchedule.in_steps` makes of one of amounts.

    Raises:
        UserError: as `parse_schedule` and `AmountSchedule.in_steps`.
    """
    found = parse_schedule(schedule) if isinstance(schedule, str) else schedule
    return found.in_steps(seen, last) if isinstance(found, AmountSchedule) else found


def _step(text: str) -> int:
    """A step as it is written; ValueError for what is none, or is more than any run can have."""
    if len(text.strip()) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(text):,} digits")
    return int(text)


def _unreadable(text: str) -> UserError:
    return UserError(f"cannot read the schedule {quoted(text)}: expected {FORMS}")
