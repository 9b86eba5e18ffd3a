"""Which steps a series ought to have and has not, as far as its other steps tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

# A distance is the schedule's if at least so many gaps have it, and half of all gaps do.
_ENOUGH = 2


def missing_steps(steps: Sequence[int]) -> list[int]:
    """Steps that the regularity of the others asks for.

    Two regularities are known: powers of two at the beginning (0, 1, 2, 4, ...), where a missing
    power stands out, and a constant distance after them, where a gap of several distances does.
    Where the distance changes, as from every 1M to every 10M, the other distance is a regularity
    of its own: two equal gaps or more that stand together are no holes. A series with neither has
    no holes that can be told.

    Args:
        steps: of the revisions that are there, in any order.

    Returns:
        The missing steps, in order.
    """
    known = sorted(set(steps))
    early = _powers_at_the_start(known)
    powers = [step for step in early if step > 0]
    found = _missing_powers(powers) if len(powers) > _ENOUGH else []
    # The last power begins the regular part: in 0, 1, 2, 4, 6, 8 the distance is 2.
    regular = known[max(len(early) - 1, 0) :] if powers[:2] == [1, 2] else known
    return sorted({*found, *_missing_regular(regular)} - set(known))


def _powers_at_the_start(steps: Sequence[int]) -> list[int]:
    """The leading run of 0 and powers of two."""
    early = []
    for step in steps:
        if step & (step - 1):
            break
        early.append(step)
    return early


def _missing_powers(powers: Sequence[int]) -> list[int]:
    """Powers of two between the first and the last that are not there, if most of them are."""
    if powers[0] != 1:
        return []
    whole = [1 << exponent for exponent in range(powers[-1].bit_length())]
    missing = [power for power in whole if power not in powers]
    return missing if len(missing) < len(powers) else []


def _missing_regular(steps: Sequence[int]) -> list[int]:
    gaps = [later - earlier for earlier, later in pairwise(steps)]
    if not gaps:
        return []
    distance, count = min(Counter(gaps).items(), key=lambda item: (-item[1], item[0]))
    if count < _ENOUGH or 2 * count < len(gaps):
        return []
    return [
        missing
        for place, (earlier, gap) in enumerate(zip(steps, gaps, strict=False))
        if gap > distance and gap % distance == 0 and gap not in _beside(gaps, place)
        for missing in range(earlier + distance, earlier + gap, distance)
    ]


def _beside(gaps: Sequence[int], place: int) -> Sequence[int]:
    return [*gaps[max(0, place - 1) : place], *gaps[place + 1 : place + 2]]
