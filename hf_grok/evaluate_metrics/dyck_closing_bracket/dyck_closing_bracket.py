"""Accuracy of closing brackets as an `evaluate` metric; README.md is its card."""

from __future__ import annotations

from typing import Any

import datasets

from hf_grok.evaluate_metrics import base
from hf_grok.evaluate_metrics.dyck_closing_bracket import scores


class DyckClosingBracket(base.CheckedMetric):
    """accuracy = right / all closing brackets far from their opening, and by distance."""

    card = "dyck_closing_bracket"

    def _features(self) -> datasets.Features:
        string = datasets.Value("string")
        return datasets.Features({"predictions": datasets.List(string), "references": string})

    def _checked(self, predictions: Any, references: Any) -> tuple[list[Any], list[Any]]:
        return scores.checked(predictions, references)

    def _compute(self, *, predictions: list[Any], references: list[Any]) -> dict[str, float]:
        return scores.closing_bracket_scores(predictions, references)
