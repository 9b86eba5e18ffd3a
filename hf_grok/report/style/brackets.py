"""Trees as brackets over words: which span lies how high, and how well two trees agree."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]  # half-open, of words


def levels(spans: Iterable[Span]) -> dict[Span, int]:
    """level = 1 + the highest level of the spans inside; 1 for a span that holds no other.

    Args:
        spans: [start, end) of a tree, none of which cross.
    """
    found: dict[Span, int] = {}
    for start, end in sorted(set(spans), key=lambda span: (span[1] - span[0], span)):
        inside = [level for (first, last), level in found.items() if start <= first and last <= end]
        found[start, end] = 1 + max(inside, default=0)
    return found


def f_score(spans: Collection[Span], gold: Collection[Span]) -> float:
    """F1 = 2 |common| / (|spans| + |gold|) of one sentence, in [0, 1]; the whole of it counts."""
    common = set(spans) & set(gold)
    return 2 * len(common) / (len(spans) + len(gold))
