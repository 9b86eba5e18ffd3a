"""The console's line of a logged row, without a hundred numbers of a round of probes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from transformers import (
    PrinterCallback,
    ProgressCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

Shorten = Callable[[Mapping[str, Any]], dict[str, Any]]


class _Brief(TrainerCallback):
    """In front of a console callback: it is given what is left of each row."""

    shorten: Shorten

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Show what is left."""
        super().on_log(args, state, control, logs=self.shorten(logs or {}), **kwargs)


class BriefPrinter(_Brief, PrinterCallback):
    """PrinterCallback, of what is left of each row."""

    def __init__(self, shorten: Shorten) -> None:
        self.shorten = shorten


class BriefProgress(_Brief, ProgressCallback):
    """ProgressCallback, of what is left of each row."""

    def __init__(self, shorten: Shorten, max_str_len: int = 100) -> None:
        super().__init__(max_str_len)
        self.shorten = shorten


def make_brief(trainer: Trainer, shorten: Shorten) -> None:
    """Put brief ones in the place of a trainer's own console callbacks; others stay as they are."""
    callbacks = trainer.callback_handler.callbacks
    for place, one in enumerate(callbacks):
        if isinstance(one, _Brief):
            one.shorten = shorten
        elif type(one) is PrinterCallback:
            callbacks[place] = BriefPrinter(shorten)
        elif type(one) is ProgressCallback:
            callbacks[place] = BriefProgress(shorten, one.max_str_len)
