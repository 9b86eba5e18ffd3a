"""TrainingArguments with the regulariser's settings."""

from __future__ import annotations

from dataclasses import dataclass

from transformers import TrainingArguments

from hf_grok.sas.arguments import SASArguments

__all__ = ["SASArguments", "SASTrainingArguments"]


@dataclass
class SASTrainingArguments(SASArguments, TrainingArguments):
    """`transformers.TrainingArguments` and the `sas_` fields of `SASArguments`.

    Example:
        >>> SASTrainingArguments("run", max_steps=10_000, sas_schedule="0:0.1,3000:0")
    """
