"""What the regulariser has done since the last line of the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from hf_grok.metrics import LM_LOSS, SAS_ARCS, SAS_PENALTY


class StepLog:
    """Means over the steps since `take`: the LM loss, R, and the arcs of a batch.

    Sums stay on their device until they are taken: looking at them would wait for it.
    """

    def __init__(self) -> None:
        self._loss: Tensor | None = None
        self._penalty: Tensor | None = None
        self._arcs: Tensor | None = None
        self._steps = self._measured = 0

    def begin_step(self, arcs: Tensor | None) -> None:
        """One optimiser step begins; `arcs` in its whole batch, None where lambda is 0."""
        self._steps += 1
        if arcs is not None:
            self._arcs = _plus(self._arcs, arcs)
            self._measured += 1

    def add_loss(self, loss: Tensor) -> None:
        """One micro-batch's LM loss as Trainer counts it: a process's mean over the whole batch."""
        self._loss = _plus(self._loss, loss)

    def add_penalty(self, share: Tensor) -> None:
        """One micro-batch's share of R."""
        self._penalty = _plus(self._penalty, share)

    def take(self, gather: Callable[[Tensor], Tensor]) -> dict[str, float]:
        """`lm_loss`, and `sas_penalty` and `sas_arcs` over the steps that had a strength.

        Args:
            gather: one row of every process, under one another.
        """
        taken: dict[str, float] = {}
        if self._loss is not None:
            taken[LM_LOSS] = float(gather(self._loss[None]).mean()) / self._steps
        if self._penalty is not None and self._arcs is not None:
            taken[SAS_PENALTY] = float(gather(self._penalty[None]).sum()) / self._measured
            taken[SAS_ARCS] = float(self._arcs) / self._measured
        self._loss = self._penalty = self._arcs = None
        self._steps = self._measured = 0
        return taken

    def sums(self) -> dict[str, Tensor]:
        """Each process's sums so far, by name, for a checkpoint; what has none is absent."""
        own = {"_loss": self._loss, "_penalty": self._penalty, "_arcs": self._arcs}
        return {name: value for name, value in own.items() if value is not None}

    def counts(self) -> dict[str, int]:
        """How many steps the sums are of, by name, for a checkpoint."""
        return {"_steps": self._steps, "_measured": self._measured}

    def go_on(self, sums: Mapping[str, Tensor], counts: Mapping[str, int]) -> None:
        """Add to what `sums` and `counts` gave when a checkpoint was written."""
        self._loss, self._penalty = sums.get("_loss"), sums.get("_penalty")
        self._arcs = sums.get("_arcs")
        self._steps, self._measured = counts["_steps"], counts["_measured"]


def _plus(total: Tensor | None, more: Tensor) -> Tensor:
    more = more.detach()
    return more.clone() if total is None else total + more
