"""How much a run has read by a step: examples, words, tokens; and what a step is called by it.

One count of examples, for whoever batches them. Words and tokens are functions of the step that are
given by whoever knows the data; they never fall.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from hf_grok.errors import UserError

WORDS, TOKENS = UNITS = ("words", "tokens")
SCALES = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
Seen: TypeAlias = Mapping[str, Callable[[int], int]]
"""Unit -> how many of them a run has seen after so many optimiser steps."""

_AMOUNT = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,6})?)([KMBT]?)", re.IGNORECASE)


def examples_read(step: int, examples: int, batch: int) -> int:
    """Examples read in `step` steps of `batch`, each epoch ending with what is left of it.

    Args:
        step: optimiser steps taken.
        examples: read in an epoch.
        batch: read in a step, over devices, processes and accumulation.
    """
    epochs, within = divmod(step, -(-examples // batch))
    return epochs * examples + min(within * batch, examples)


def rows_in_epoch(
    rows: int,
    batch: int,
    processes: int = 1,
    *,
    drop_last: bool = False,
    even_batches: bool = True,
    split_batches: bool = False,
    dispatched: bool = False,
) -> int:
    """Rows that all processes together read in an epoch, as accelerate shares out a data set.

    One process reads each row once. Several take `processes` batches at a time (or a share each of
    one batch, under `split_batches`); of what is left at the end, `even_batches` makes a whole turn
    by beginning again at the first rows, which are read twice then.

    Args:
        rows: of the data set, as its sampler counts them.
        batch: rows of one batch of the loader, before it is shared out.
        processes: that share.
        drop_last: what does not fill a turn is left unread.
        even_batches: see above.
        split_batches: a turn is one batch.
        dispatched: process zero reads and hands out; it repeats no more than the processes need to
            get the same number each.
    """
    turn = batch if split_batches or processes == 1 else batch * processes
    if drop_last:
        return rows // turn * turn
    if processes == 1:
        return rows
    if dispatched:
        return -(-rows // processes) * processes
    return -(-rows // turn) * turn if even_batches else rows


@dataclass(frozen=True)
class Epoch:
    """One pass over a run's data.

    Attributes:
        examples: read in it, repeated ones included.
        per_step: examples read in one optimiser step; the epoch's last may read fewer.
    """

    examples: int
    per_step: int

    def read(self, step: int) -> int:
        """Examples read in the first `step` steps of a run."""
        return examples_read(step, self.examples, self.per_step)


def parse_amount(text: str) -> int | None:
    """A whole number, "1K" for 1,000 and "1.5M" for 1,500,000; None for anything else."""
    match = _AMOUNT.fullmatch(text)
    if match is None:
        return None
    value = Decimal(match[1]) * SCALES[match[2].upper()]
    return int(value) if value == value.to_integral_value() else None


def amount_text(amount: int) -> str:
    """The number with the greatest of K, M, B, T that divides it: "1M", "1500K", "1000037", "0"."""
    for letter, scale in reversed(SCALES.items()):
        if amount and amount % scale == 0:
            return f"{amount // scale}{letter}"
    return str(amount)


def roundest(before: int, now: int) -> int:
    """The multiple of the highest power of ten in (before, now], of several the greatest.

    What a step is called that takes a run from `before` words to `now`: the first step with a
    million words is 1,000,000, although it has seen 1,000,037. Steps have no number in common.

    Raises:
        UserError: there is no number between the two.
    """
    if now <= before:
        raise UserError(f"a step from {before:,} to {now:,} sees nothing: expected more each step")
    scale = 1
    while now // (10 * scale) * (10 * scale) > before:
        scale *= 10
    return now // scale * scale


def name_of_step(seen: Callable[[int], int], step: int) -> int:
    """The amount by which a step is called; 0 for step 0.

    Raises:
        UserError: nothing was seen between the step before it and this one.
    """
    return 0 if step == 0 else roundest(seen(step - 1), seen(step))
