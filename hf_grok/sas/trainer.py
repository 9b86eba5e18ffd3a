"""`transformers.Trainer` with the syntactic attention structure regulariser."""

from __future__ import annotations

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
