"""Whether a loss is a sum over what it is told to divide by, found out by asking it twice."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from hf_grok.errors import UserError
from hf_grok.measurement.guard import watching

# Of the loss: single precision and another order of the sums, at most.
TOLERANCE = 1e-3
# A Trainer's records are shorter; data sets of longer lists are nobody's records.
LONGEST = 10_000


class LossMeasure:
    """loss(n) = S / n + U, from loss(n) and loss(2 n): U must be 0 where nothing else divides.

    Some heads of the library (BERT's) average over the micro-batch and yet take the number of
    items n, so Trainer does not divide by the accumulation: their loss is U, which grows with
    accumulation and processes, and beside it the weight of the regulariser would shrink.

    Args:
        gather: one row of every process, under one another; so that all find the same.
    """

    def __init__(self, gather: Callable[[Tensor], Tensor]) -> None:
        self._gather = gather
        self.settled = False

    def measure(
        self, trainer: Any, model: nn.Module, loss_of: Callable[[Tensor], Tensor], items: Any
    ) -> None:
        """Ask on one micro-batch, without gradients, dropout or traces in the trainer.

        A batch without a labelled token has a loss of 0 and says nothing: the next one is asked.

        Args:
            trainer: whose records are kept as they are.
            model: put into evaluation mode for it.
            loss_of: the loss of the micro-batch as a Trainer counts it, given n.
            items: n; None where the loss is not told it.

        Raises:
            UserError: a part of the loss, or all of it, does not know n.
        """
        if self.settled or items is None:
            return
        number = torch.as_tensor(items)
        with watching(model), _no_traces(trainer), torch.compiler.set_stance("force_eager"):
            losses = torch.stack([loss_of(number).detach(), loss_of(2 * number).detach()])
        once, halved = self._gather(losses.float()[None]).sum(0).tolist()
        if once == 0 and halved == 0:
            return
        uncounted = 2 * halved - once
        if abs(uncounted) > TOLERANCE * abs(once):
            raise _uncounted(uncounted / once, type(model).__name__)
        self.settled = True


def _uncounted(share: float, name: str) -> UserError:
    what = "the loss" if abs(share - 1) < TOLERANCE else f"{share:.0%} of the loss"
    return UserError(
        f"{what} of {name} is a mean over each micro-batch that Trainer takes for one over the "
        "whole batch: it would grow with accumulation and processes. Expected a loss that divides "
        "its sum over tokens by num_items_in_batch: pass "
        "compute_loss_func=hf_grok.sas.token_mean_loss to the trainer, switch off what a router "
        "adds, or set loss_is_scaled_for_ga = False in a Trainer whose compute_loss takes the mean "
        "of a micro-batch"
    )


@contextmanager
def _no_traces(trainer: Any) -> Iterator[None]:
    """Put back the numbers, and the collections, that a Trainer keeps in its attributes."""
    numbers = {
        name: value for name, value in vars(trainer).items() if isinstance(value, int | float)
    }
    undo = [restore for value in vars(trainer).values() for restore in _restorers(value)]
    try:
        yield
    finally:
        vars(trainer).update(numbers)
        for restore in undo:
            restore()


def _restorers(value: Any) -> Iterator[Callable[[], None]]:
    """What puts a dict, list, set or deque back to what it holds now, and those inside it."""
    if not isinstance(value, dict | list | set | deque) or len(value) > LONGEST:
        return
    held = value.copy()

    def restore() -> None:
        value.clear()
        if isinstance(value, dict | set):
            value.update(held)
        else:
            value.extend(held)

    yield restore
    for inside in held.values() if isinstance(held, dict) else held:
        yield from _restorers(inside)
