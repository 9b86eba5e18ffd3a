"""lambda(t): the strength of the regulariser as a function of the step."""

from __future__ import annotations

import itertools
import math
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from hf_grok.errors import UserError
from hf_grok.text.printable import quoted

EXPECTED = (
    'expected phases "STEP:STRENGTH" with commas between them, the first from step 0, such as '
    '"0:0.01" (suppress throughout), "0:0.01,3000:0" (suppress for 3,000 steps) or '
    '"0:0.01,3000:0.01->0@500" (and let go over the next 500)'
)
_STEPS = "[0-9]{1,18}"
_PHASE = re.compile(
    rf"(?P<start>{_STEPS}):(?P<first>[^>@]+?)(->(?P<last>[^@]+)@(?P<length>{_STEPS}))?"
)


@dataclass(frozen=True)
class Phase:
    """From step `start` on: `first`, moving in a straight line to `last` within `length` steps.

    Attributes:
        start: number of optimiser steps taken before the phase.
        first: strength at `start`.
        last: strength from `start + length` on.
        length: 0 for a strength that stays.
    """

    start: int
    first: float
    last: float
    length: int = 0

    def at(self, step: int) -> float:
        """The strength at a step of the phase."""
        if step >= self.start + self.length:
            return self.last
        return self.first + (self.last - self.first) * (step - self.start) / self.length

    def __str__(self) -> str:
        if not self.length:
            return f"{self.start}:{self.first:g}"
        return f"{self.start}:{self.first:g}->{self.last:g}@{self.length}"


@dataclass(frozen=True)
class LambdaSchedule:
    """lambda(t), piecewise constant or linear; t is the number of optimiser steps already taken.

    A function of the step and of nothing else, so that a resumed run has the strength of the
    uninterrupted one. Positive strengths suppress, negative ones promote, 0 is off.

    Attributes:
        phases: in order of their first steps; the first begins at step 0.

    Source: phased suppression is that of Chen et al. 2024 (arXiv 2309.07311); ramps are ours.
    """

    phases: tuple[Phase, ...]

    @classmethod
    def parse(cls, text: str) -> LambdaSchedule:
        """Read "0:1e-2,3000:0", with ramps such as "3000:1e-2->0@500".

        Raises:
            UserError: text of another form, a strength that is no finite number, phases that go
                back in time or overlap, a first phase that does not begin at step 0.
        """
        phases = tuple(_phase(part.strip(), text) for part in str(text).split(","))
        _check_order(phases, text)
        return cls(phases)

    def __call__(self, step: int) -> float:
        """The strength of the optimiser step that follows `step` others."""
        starts = [phase.start for phase in self.phases]
        return self.phases[bisect_right(starts, step) - 1].at(step)

    def before(self, step: int) -> float:
        """lambda of the update that led to `step`; of step 0, of the one that follows it."""
        return self(max(step - 1, 0))

    def __str__(self) -> str:
        return ",".join(map(str, self.phases))

    @property
    def is_off(self) -> bool:
        """Whether the strength is 0 at every step."""
        return not any(phase.first or phase.last for phase in self.phases)

    @property
    def promotes(self) -> bool:
        """Whether the strength is negative at some step."""
        return any(min(phase.first, phase.last) < 0 for phase in self.phases)

    @property
    def switches(self) -> tuple[int, ...]:
        """The steps at which a phase begins or a ramp ends, 0 left out."""
        steps = {phase.start for phase in self.phases}
        return tuple(sorted((steps | {p.start + p.length for p in self.phases}) - {0}))

    def check_length(self, max_steps: int) -> None:
        """Refuse a schedule of which a run would not see the end.

        Raises:
            UserError: a phase or the end of a ramp beyond the last step.
        """
        for step in self.switches:
            if step > max_steps:
                raise UserError(
                    f"sas_schedule {quoted(str(self))} changes at step {step:,}, and the run ends "
                    f"at max_steps={max_steps:,}: expected steps up to there; lengthen the run or "
                    "shorten the schedule"
                )


def _phase(part: str, text: str) -> Phase:
    match = _PHASE.fullmatch(part)
    if match is None:
        raise _wrong(text, f": {quoted(part)} is no phase")
    first = _strength(match["first"], text)
    if match["length"] is None:
        return Phase(int(match["start"]), first, first)
    length = int(match["length"])
    if length == 0:
        raise _wrong(text, f": the ramp {quoted(part)} takes no steps")
    return Phase(int(match["start"]), first, _strength(match["last"], text), length)


def _strength(word: str, text: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _wrong(text, f": {quoted(word)} is no finite number")
    return value


def _check_order(phases: Sequence[Phase], text: str) -> None:
    if phases[0].start != 0:
        raise _wrong(
            text,
            f" begins at step {phases[0].start} and does not say what holds before "
            '("0:0" for nothing)',
        )
    for earlier, later in itertools.pairwise(phases):
        if later.start <= earlier.start:
            raise _wrong(
                text,
                f" goes back in time: step {later.start} comes after step {earlier.start}",
            )
        if later.start < earlier.start + earlier.length:
            raise _wrong(
                text,
                f": the ramp {quoted(str(earlier))} ends at step "
                f"{earlier.start + earlier.length}, beyond the start of {quoted(str(later))}",
            )


def _wrong(text: str, told: str) -> UserError:
    return UserError(f"sas_schedule {quoted(text)}{told}; {EXPECTED}")
