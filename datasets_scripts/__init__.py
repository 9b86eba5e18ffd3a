"""Synthetic languages with their gold structure, their builders, and readers of annotated files.

Every name loads on first use, so importing this package needs no `datasets`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hf_grok._lazy import lazily

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

__getattr__, __dir__ = lazily(__name__, _HOMES)
