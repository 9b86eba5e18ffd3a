"""Synthetic languages with their gold structure, their builders, and readers of annotated files.

Every name loads on first use, so importing this package needs no `datasets`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hf_grok._lazy import lazily

if TYPE_CHECKING:
    from hf_grok.datasets_scripts.agreement import Agreement
    from hf_grok.datasets_scripts.builder import GrammarBuilder, PlainFeatures
    from hf_grok.datasets_scripts.derivation import Rule, feature
    from hf_grok.datasets_scripts.dyck import Dyck
    from hf_grok.datasets_scripts.grammar import Grammar, Words, instantiate
    from hf_grok.datasets_scripts.minimal_pairs import MinimalPairs
    from hf_grok.datasets_scripts.pairs import read_minimal_pairs
    from hf_grok.datasets_scripts.question_formation import QuestionFormation
    from hf_grok.datasets_scripts.splits import DRAWING_ORDER, SplitConfig, distinct, drawn_after
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
    # For a grammar of your own: docs/your_language.md.
    "GrammarBuilder": "builder",
    "PlainFeatures": "builder",
    "SplitConfig": "splits",
    "DRAWING_ORDER": "splits",
    "distinct": "splits",
    "drawn_after": "splits",
    "Grammar": "grammar",
    "Words": "grammar",
    "instantiate": "grammar",
    "Rule": "derivation",
    "feature": "derivation",
}

__all__ = [
    "DRAWING_ORDER",
    "Agreement",
    "Dyck",
    "Grammar",
    "GrammarBuilder",
    "MinimalPairs",
    "PlainFeatures",
    "QuestionFormation",
    "Rule",
    "SplitConfig",
    "TenseInflection",
    "Treebank",
    "Words",
    "distinct",
    "drawn_after",
    "feature",
    "instantiate",
    "read_minimal_pairs",
]

__getattr__, __dir__ = lazily(__name__, _HOMES)
