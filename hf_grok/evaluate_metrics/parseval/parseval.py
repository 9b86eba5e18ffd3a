"""Unlabelled parseval as an `evaluate` metric; README.md is its card."""

from __future__ import annotations

from typing import Any

import datasets

from hf_grok.evaluate_metrics import base
from hf_grok.evaluate_metrics.parseval import scores


class Parseval(base.CheckedMetric):
    """f1 = 2 matched / (predicted + gold) over spans, beside trees that saw no sentence."""

    card = "parseval"

    def _features(self) -> datasets.Features:
        spans = datasets.List(datasets.List(datasets.Value("int64")))
        return datasets.Features({"predictions": spans, "references": spans})

    def _checked(self, predictions: Any, references: Any) -> tuple[list[Any], list[Any]]:
        return scores.checked(predictions, references)

    def _compute(self, *, predictions: list[Any], references: list[Any]) -> dict[str, float]:
        return scores.parseval_scores(predictions, references)
