"""Synthetic languages with their gold structure, their builders, and readers of annotated files.

Every name loads on first use, so importing this package needs no `datasets`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hf_grok._lazy import lazily

if TYPE_CHECKING:
    from hf_grok.datasets_scripts.agreement import Agreement
    from hf_grok.datasets_scripts.builder.base import GrammarBuilder, PlainFeatures
    from hf_grok.datasets_scripts.builder.splits import (
        DRAWING_ORDER,
        SplitConfig,
        distinct,
        drawn_after,
    )
    from hf_grok.datasets_scripts.constituency import ConstituencyTreebank
    from hf_grok.datasets_scripts.dyck import Dyck
    from hf_grok.datasets_scripts.grammar.derivation import Rule, feature
    from hf_grok.datasets_scripts.grammar.grammar import Grammar, Words, instantiate
    from hf_grok.datasets_scripts.minimal_pairs import MinimalPairs
    from hf_grok.datasets_scripts.question_formation import QuestionFormation
    from hf_grok.datasets_scripts.readers.minimal_pairs import read_minimal_pairs
    from hf_grok.datasets_scripts.tense_inflection import TenseInflection
    from hf_grok.datasets_scripts.treebank import Treebank, treebank_rows

_HOMES = {
    "QuestionFormation": "question_formation",
    "TenseInflection": "tense_inflection",
    "Dyck": "dyck",
    "Agreement": "agreement",
    "MinimalPairs": "minimal_pairs",
    "Treebank": "treebank",
    "ConstituencyTreebank": "constituency",
    "read_minimal_pairs": "readers.minimal_pairs",
    "treebank_rows": "treebank",
    # For a grammar of your own: docs/your_language.md.
    "GrammarBuilder": "builder.base",
    "PlainFeatures": "builder.base",
    "SplitConfig": "builder.splits",
    "DRAWING_ORDER": "builder.splits",
    "distinct": "builder.splits",
    "drawn_after": "builder.splits",
    "Grammar": "grammar.grammar",
    "Words": "grammar.grammar",
    "instantiate": "grammar.grammar",
    "Rule": "grammar.derivation",
    "feature": "grammar.derivation",
}

__all__ = [
    "DRAWING_ORDER",
    "Agreement",
    "ConstituencyTreebank",
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
    "treebank_rows",
]

__getattr__, __dir__ = lazily(__name__, _HOMES)
