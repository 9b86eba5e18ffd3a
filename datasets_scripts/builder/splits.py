"""The four splits of every synthetic language: sizes, seed, and draws without repetition."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, TypeVar

import datasets

from hf_grok.errors import UserError

SPLITS = ("train", "validation", "test", "generalization")
# Small splits first: the commonest items are few, and 100,000 distinct training lines would use
# them up before the evaluation splits had their share. A language whose released files were drawn
# in another order has an order of its own.
DRAWING_ORDER = ("generalization", "test", "validation", "train")
# The unit of `num_proc`: a constant, so that the rows never depend on the number of processes.
SHARDS = 16
# Draws in a row that bring nothing new, after which a split counts as out of reach.
PATIENCE = 200_000

Item = TypeVar("Item")


@dataclasses.dataclass
class SplitConfig(datasets.BuilderConfig):
    """Sizes of the four splits (0 leaves a split out) and the seed of the draws."""

    version: datasets.Version | str | None = dataclasses.field(
        default_factory=lambda: datasets.Version("1.0.0")
    )
    train_size: int = 100_000
    validation_size: int = 1_000
    test_size: int = 10_000
    generalization_size: int = 10_000
    seed: int = 0

    def size(self, split: str) -> int:
        """Number of rows of a split."""
        return int(getattr(self, f"{split}_size"))

    def check(self) -> None:
        """Refuse sizes and seeds that are no whole numbers of the right sign.

        Raises:
            UserError: names the field and what it was given.
        """
        for name in (*(f"{split}_size" for split in SPLITS), "seed"):
            check_whole_number(name, getattr(self, name))
        if self.data_files is None and not any(self.size(split) for split in SPLITS):
            raise UserError("every split has size 0: give at least one of them rows")


def check_whole_number(name: str, value: object) -> None:
    """Refuse anything but an int >= 0 (bool is no number here).

    Raises:
        UserError: names the field and what it was given.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise UserError(f"{name} must be a whole number, 0 or more; got {value!r}")


def check_room(what: str, asked: int, available: int) -> None:
    """Refuse more distinct examples than the language has.

    Raises:
        UserError: says how many were asked for and how many there are.
    """
    if asked > available:
        raise UserError(
            f"{what}: asked for {asked:,} distinct examples, but the language has {available:,}: "
            "ask for fewer"
        )


def drawn_after(
    earlier: Iterable[str],
    drawn: Callable[[str, set[Any]], Iterator[Item]],
    split: str,
    known: dict[str, frozenset[Any]] | None = None,
) -> Iterator[Item]:
    """A split's items, none of which stands in the splits that are drawn before it.

    Args:
        earlier: splits that may hold the same items, in the order of drawing.
        drawn: given a split and the keys that are taken, its items; it adds their keys.
        split: the one that is asked for.
        known: split -> keys of its items, of splits that have been drawn to their end; what is
            drawn to its end here is added.
    """
    known = {} if known is None else known
    taken: set[Any] = set()
    for other in earlier:
        if other not in known:
            for _ in _remembered(drawn(other, taken), other, taken, known):
                pass
        taken |= known[other]
    yield from _remembered(drawn(split, taken), split, taken, known)


def _remembered(
    items: Iterator[Item], split: str, taken: set[Any], known: dict[str, frozenset[Any]]
) -> Iterator[Item]:
    before = frozenset(taken)
    yield from items
    known[split] = frozenset(taken - before)


def distinct(
    draw: Callable[[int], Item | None],
    size: int,
    taken: set[Any],
    key: Callable[[Item], Hashable],
    what: str,
) -> Iterator[Item]:
    """Draw until `size` items are found whose keys are new; the keys join `taken`.

    Args:
        draw: given the number of items found so far, an item, or None for a rejected draw.
        size: how many items.
        taken: keys that must not come again.
        key: what makes two items the same.
        what: what is drawn, for the error message.

    Raises:
        UserError: `PATIENCE` draws in a row brought nothing new.
    """
    found = misses = 0
    while found < size:
        item = draw(found)
        identity = None if item is None else key(item)
        if item is None or identity in taken:
            misses += 1
            if misses > PATIENCE:
                raise UserError(
                    f"{what}: asked for {size:,} distinct examples, but after {found:,} the next "
                    f"{PATIENCE:,} draws brought nothing new: ask for fewer"
                )
            continue
        taken.add(identity)
        found, misses = found + 1, 0
        yield item
