"""Tense inflection as an `evaluate` metric; README.md is its card."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import datasets

from hf_grok.evaluate_metrics import base
from hf_grok.evaluate_metrics.tense_inflection import scores


class TenseInflection(base.CheckedMetric):
    """accuracy = sentences with parts of speech and main verb right / all, and agree-recent."""

    card = "tense_inflection"

    def _features(self) -> datasets.Features:
        string = datasets.Value("string")
        row = {
            "source": string,
            "target": string,
            "main_index": datasets.Value("int64"),
            "words": datasets.List(string),
            "upos": datasets.List(string),
            "subject_modifier": string,
        }
        return datasets.Features({"predictions": string, "references": row})

    def _checked(self, predictions: Any, references: Any) -> tuple[list[Any], list[Any]]:
        return scores.checked(predictions, references)

    def _compute(
        self, *, predictions: list[Any], references: list[Any], vocabulary: Iterable[str] = ()
    ) -> dict[str, float]:
        return scores.inflection_scores(predictions, references, vocabulary=vocabulary)
