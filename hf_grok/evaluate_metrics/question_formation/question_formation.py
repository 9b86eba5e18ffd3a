"""Question formation as an `evaluate` metric; README.md is its card."""

from __future__ import annotations

from typing import Any

import datasets

from hf_grok.evaluate_metrics import base
from hf_grok.evaluate_metrics.question_formation import scores


class QuestionFormation(base.CheckedMetric):
    """accuracy = questions that start with the main auxiliary / all, and which one was moved."""

    card = "question_formation"

    def _features(self) -> datasets.Features:
        string = datasets.Value("string")
        row = {
            "source": string,
            "target": string,
            "words": datasets.List(string),
            "main_index": datasets.Value("int64"),
            "subject_modifier": string,
        }
        return datasets.Features({"predictions": string, "references": row})

    def _checked(self, predictions: Any, references: Any) -> tuple[list[Any], list[Any]]:
        return scores.checked(predictions, references)

    def _compute(
        self, *, predictions: list[Any], references: list[Any], first_words: bool = False
    ) -> dict[str, float]:
        return scores.question_scores(predictions, references, first_words=first_words)
