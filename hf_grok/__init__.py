"""hf-grok: watch language models come to have syntax.

Importing this package loads neither torch nor datasets: names load where they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hf_grok._lazy import lazily
from hf_grok._moved import keep_old_names
from hf_grok.version import __version__

if TYPE_CHECKING:
    from hf_grok.sas.trainer import SASTrainer
    from hf_grok.sas.training_arguments import SASTrainingArguments

_HOMES = {"SASTrainer": "sas.trainer", "SASTrainingArguments": "sas.training_arguments"}

__all__ = ["SASTrainer", "SASTrainingArguments", "__version__"]

__getattr__, __dir__ = lazily(__name__, _HOMES)

keep_old_names()
