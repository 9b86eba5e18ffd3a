"""Sums and counts: the state of every ratio that is measured here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


class Tally(Mapping[str, tuple[float, float]]):
    """ratio[name] = sum of numerators / sum of denominators, exact over any split of the data.

    Batches, processes and a last ragged batch add up to the same numbers as one pass, which means
    of means do not.

    Args:
        entries: name -> (numerator, denominator) to start from.
    """

    def __init__(self, entries: Mapping[str, tuple[float, float]] | None = None) -> None:
        self._entries: dict[str, tuple[float, float]] = dict(entries or {})

    def add(self, name: str, numerator: float, denominator: float) -> None:
        """Add to one ratio's numerator and denominator (plain numbers)."""
        old_numerator, old_denominator = self._entries.get(name, (0.0, 0.0))
        self._entries[name] = (old_numerator + numerator, old_denominator + denominator)

    def ratios(self) -> dict[str, float]:
        """name -> numerator / denominator; a name without any case is left out, not guessed."""
        return {name: top / bottom for name, (top, bottom) in self.items() if bottom}

    def prefixed(self, prefix: str) -> Tally:
        """The same sums with `prefix` before every name."""
        return Tally({prefix + name: entry for name, entry in self.items()})

    def __add__(self, other: Tally) -> Tally:
        total = Tally(self._entries)
        for name, (numerator, denominator) in other.items():
            total.add(name, numerator, denominator)
        return total

    def __getitem__(self, name: str) -> tuple[float, float]:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"Tally({self._entries!r})"
