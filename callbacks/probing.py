"""What a callback that probes lets others see of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from transformers import Trainer, TrainerCallback

from hf_grok.evaluation.runner import Probed
from hf_grok.probes import Probe


@dataclass(frozen=True)
class Round:
    """One round of probes: where it was, and what it gave."""

    step: int
    probed: Probed


class ProbingCallback(TrainerCallback):
    """Probes a run.

    Attributes:
        probes: which.
        latest: the last round, from before its numbers are logged; None before the first one.
    """

    probes: Sequence[Probe] = ()
    latest: Round | None = None


def probing_callbacks(trainer: Trainer) -> list[ProbingCallback]:
    """Those of a trainer."""
    callbacks: list[Any] = trainer.callback_handler.callbacks
    return [one for one in callbacks if isinstance(one, ProbingCallback)]


def probes_of(trainer: Trainer) -> list[Probe]:
    """Whose numbers a trainer logs: its callbacks' probes, and of a recipe's its measures."""
    theirs = [probe for one in probing_callbacks(trainer) for probe in one.probes]
    return [*theirs, *getattr(trainer, "measures", ())]
