"""The behavioural measure of each language, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from transformers import PreTrainedTokenizerBase

from hf_grok.behaviour.base import Behaviour
from hf_grok.behaviour.dyck import DyckBehaviour
from hf_grok.behaviour.question import QuestionBehaviour
from hf_grok.behaviour.rows import Rows
from hf_grok.behaviour.tense import TenseBehaviour
from hf_grok.errors import unknown_name

BEHAVIOURS: Mapping[str, Callable[[Rows, PreTrainedTokenizerBase], Behaviour]] = {
    "question-formation": QuestionBehaviour,
    "tense-inflection": TenseBehaviour,
    "dyck": DyckBehaviour,
}


def behaviour_for(kind: str, rows: Rows, tokenizer: PreTrainedTokenizerBase) -> Behaviour:
    """The measure of the language `kind`, over the rows of one split.

    Args:
        kind: a name in `BEHAVIOURS`.
        rows: a list of dicts or a `datasets.Dataset`, with the columns of that language.
        tokenizer: one token a word.

    Raises:
        UserError: no such language, or the rows do not fit it.
    """
    if kind not in BEHAVIOURS:
        raise unknown_name("behaviour", kind, BEHAVIOURS)
    return BEHAVIOURS[kind](rows, tokenizer)
