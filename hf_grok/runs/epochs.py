"""How many examples a run has read by a step: one count, for whoever batches them."""

from __future__ import annotations

from dataclasses import dataclass


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
