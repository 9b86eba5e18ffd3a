"""Synthetic languages with their gold structure, their builders, and readers of annotated files.

Every name loads on first use, so importing this package needs no `datasets`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hf_grok.datasets_scripts.agreement import Agreement
    from hf_grok.datasets_scripts.dyck import Dyck
    from hf_grok.datasets_scripts.minimal_pairs import MinimalPairs
    from hf_grok.datasets_scripts.pairs import read_minimal_pairs
    from hf_grok.datasets_scripts.question_formation import QuestionFormation
    from hf_grok.datasets_scripts.tense_inflection import TenseInflection
    from hf_grok.datasets_scripts.treebank import Treebank

_HOMES = {
    "QuestionFormation": "question_formation",
    "TenseInflection": "tense_inflection",
    "Dyck": "dyck",
    "Agreement": "agreement",
    "MinimalPairs": "minimal_pairs",
    "Treebank": "treebank",
    "read_minimal_pairs": "pairs",
}

__all__ = [
    "Agreement",
    "Dyck",
    "MinimalPairs",
    "QuestionFormation",
    "TenseInflection",
    "Treebank",
    "read_minimal_pairs",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
