"""Cards: data classes that hold what is known, and the Jinja templates that they fill."""

from hf_grok.model_cards.dataset_card import MARKER, DatasetCard, SplitFacts
from hf_grok.model_cards.languages import LANGUAGES, LanguageFacts, language_facts
from hf_grok.model_cards.papers import Paper

__all__ = [
    "LANGUAGES",
    "MARKER",
    "DatasetCard",
    "LanguageFacts",
    "Paper",
    "SplitFacts",
    "language_facts",
]
