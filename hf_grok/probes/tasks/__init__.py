"""Behavioural measures of a causal language model: loss, questions, tense, brackets."""

from __future__ import annotations

import warnings

from transformers import PreTrainedTokenizerBase

from hf_grok.annotation.rows import Rows, column
from hf_grok.languages import language, load
from hf_grok.measurement.tally import Tally
from hf_grok.probes.inputs.encoding import encode_lines
from hf_grok.probes.tasks.base import Behaviour, next_word_logits
from hf_grok.probes.tasks.dyck import DyckBehaviour
from hf_grok.probes.tasks.loss import TokenLoss
from hf_grok.probes.tasks.masked_loss import MaskedLoss
from hf_grok.probes.tasks.question_formation import QuestionBehaviour
from hf_grok.probes.tasks.tense_inflection import TenseBehaviour

__all__ = [
    "Behaviour",
    "DyckBehaviour",
    "MaskedLoss",
    "QuestionBehaviour",
    "Tally",
    "TenseBehaviour",
    "TokenLoss",
    "column",
    "encode_lines",
    "next_word_logits",
]


def behaviour_for(kind: str, rows: Rows, tokenizer: PreTrainedTokenizerBase) -> Behaviour:
    """The behaviour of a language over rows; goes in the next release (a FutureWarning says so)."""
    warnings.warn(
        "behaviour_for(name, ...) is now load(language(name).behaviour)(...), of hf_grok.languages",
        FutureWarning,
        stacklevel=2,
    )
    found: Behaviour = load(language(kind).behaviour)(rows, tokenizer)
    return found
