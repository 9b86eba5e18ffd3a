"""hf-grok: watch language models come to have syntax.

Importing this package loads neither torch nor datasets: names load where they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hf_grok.version import __version__

if TYPE_CHECKING:
    from hf_grok.trainer import SASTrainer
    from hf_grok.training_args import SASTrainingArguments

_HOMES = {"SASTrainer": "trainer", "SASTrainingArguments": "training_args"}

__all__ = ["SASTrainer", "SASTrainingArguments", "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
