"""`transformers.Trainer` with the syntactic attention structure regulariser."""

from __future__ import annotations

from functools import update_wrapper
from typing import Any

from transformers import Trainer

from hf_grok.sas.mixin import SASMixin

__all__ = ["SASMixin", "SASTrainer"]


class SASTrainer(SASMixin, Trainer):
    """loss = LM loss + lambda(step) x R: `transformers.Trainer` and nothing but the regulariser.

    A Trainer of your own takes it as `class Mine(SASMixin, TheirTrainer)`. See `SASMixin`.

    Example:
        >>> trainer = SASTrainer(
        ...     model=model,
        ...     args=SASTrainingArguments("run", sas_schedule="0:0.1,3000:0"),
        ...     train_dataset=rows,  # columns words, heads, deprels
        ...     data_collator=ArcCollator(tokenizer),
        ... )
    """

    def __init__(self, *positional: Any, **named: Any) -> None:
        super().__init__(*positional, **named)

    def train(self, *positional: Any, **named: Any) -> Any:
        """Trainer's; the model is left with the attention that it came with."""
        return super().train(*positional, **named)


# The mixin passes on whatever it is given: help() and completion show what Trainer takes.
update_wrapper(SASTrainer.__init__, Trainer.__init__, assigned=())
update_wrapper(SASTrainer.train, Trainer.train, assigned=())
