"""Questions that are given: which auxiliary stands in front?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from hf_grok.errors import UserError
from hf_grok.evaluate_metrics.generations import begins_with, checked_generations, tokenizer_of
from hf_grok.measurement.tally import Tally
from hf_grok.probes.tasks.prompts import add_by_label
from hf_grok.probes.tasks.question_formation import (
    AUXILIARIES,
    QuestionBehaviour,
    moved_auxiliary_tally,
)

NO_AUXILIARY = -1  # no auxiliary has this number


def checked(predictions: Any, references: Any) -> tuple[list[Any], list[Any]]:
    """Questions, and the rows that they answer.

    Args:
        predictions: strings, words parted by spaces.
        references: rows with columns source, target, words, main_index, subject_modifier.

    Raises:
        UserError: something is of another type, or missing; says where.
    """
    return checked_generations(predictions, references, ["words"])


def question_scores(
    predictions: Sequence[str], references: Sequence[Mapping[str, Any]], *, first_words: bool
) -> dict[str, float]:
    """The measures of `QuestionBehaviour`, the answer being a question's first word.

    Args:
        predictions: questions, one for each row.
        references: rows; those whose source does not end in `quest` are not scored.
        first_words: whether the predictions are first words alone, which have no exact match.

    Returns:
        `accuracy`, `accuracy_<modifier>`, `main_share`, `linear_share`, `neither_share` and
        `exact_match`, all in [0, 1] (what has no case is left out); `lines`, the scored rows.

    Raises:
        UserError: no row is a `quest` line, one does not fit its columns, or a prediction has
            several words where `first_words` says that it has one.
    """
    tokenizer = tokenizer_of(references, AUXILIARIES)
    gold = GivenQuestions(references, tokenizer)
    questions = [question.split() for question in predictions]
    if first_words:
        _require_single_words(questions)
    tally = gold.tally_of(questions, whole=not first_words)
    return tally.ratios() | {"lines": float(len(gold))}


class GivenQuestions(QuestionBehaviour):
    """`QuestionBehaviour` of questions that are given, instead of what a model would ask."""

    def tally_of(self, questions: Sequence[Sequence[str]], *, whole: bool) -> Tally:
        """Sums and counts over the `quest` lines.

        Args:
            questions: words of the answer to each row.
            whole: whether they are whole questions, to be held against the target.
        """
        asked = [questions[number] for number in self._prompts.numbers]
        chosen = torch.tensor([_first_auxiliary(words) for words in asked])
        tally = moved_auxiliary_tally(chosen, self._main, self._first)
        add_by_label(tally, "accuracy", chosen == self._gold, self._prompts.modifiers)
        if whole:
            pairs = zip(asked, self._prompts.targets, strict=True)
            tally.add("exact_match", sum(begins_with(*pair) for pair in pairs), len(asked))
        return tally


def _first_auxiliary(words: Sequence[str]) -> int:
    return AUXILIARIES.index(words[0]) if words and words[0] in AUXILIARIES else NO_AUXILIARY


def _require_single_words(questions: Sequence[Sequence[str]]) -> None:
    for number, words in enumerate(questions):
        if len(words) > 1:
            raise UserError(
                f"predictions[{number}] has {len(words)} words, and first_words=True says that it "
                "is a first word alone: leave it out, and the rest is held against the target"
            )
