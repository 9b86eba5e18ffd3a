"""Cards: data classes that hold what is known, and the Jinja templates that they fill."""

from hf_grok.model_cards.dataset_card import MARKER, DatasetCard, SplitFacts
from hf_grok.model_cards.facts import (
    AnnotationFacts,
    CostFacts,
    DataFacts,
    Figure,
    ModelFacts,
    RegulariserFacts,
    StepFacts,
    TrainingFacts,
)
from hf_grok.model_cards.languages import SENTENCE_COLUMNS, LanguageFacts
from hf_grok.model_cards.metadata import eval_result_files
from hf_grok.model_cards.papers import Paper
from hf_grok.model_cards.preserved import merge
from hf_grok.model_cards.readme import series_readme, step_readme
from hf_grok.model_cards.series_card import SeriesCard
from hf_grok.model_cards.step_card import StepCard
from hf_grok.model_cards.validation import problems, validate
from hf_grok.runs.step import NamedStep

__all__ = [
    "MARKER",
    "SENTENCE_COLUMNS",
    "AnnotationFacts",
    "CostFacts",
    "DataFacts",
    "DatasetCard",
    "Figure",
    "LanguageFacts",
    "ModelFacts",
    "NamedStep",
    "Paper",
    "RegulariserFacts",
    "SeriesCard",
    "SplitFacts",
    "StepCard",
    "StepFacts",
    "TrainingFacts",
    "eval_result_files",
    "merge",
    "problems",
    "series_readme",
    "step_readme",
    "validate",
]
