"""Unlabelled attachment score as an `evaluate` metric; README.md is its card."""

from __future__ import annotations

from typing import Any

import datasets

from hf_grok.evaluate_metrics import base
from hf_grok.evaluate_metrics.uas import scores


class Uas(base.CheckedMetric):
    """uas = words with the right head / words, beside the fixed offsets."""

    card = "uas"

    def _features(self) -> datasets.Features:
        heads = datasets.List(datasets.Value("int64"))
        gold = {"heads": heads, "deprels": datasets.List(datasets.Value("string"))}
        return datasets.Features({"predictions": heads, "references": gold})

    def _checked(self, predictions: Any, references: Any) -> tuple[list[Any], list[Any]]:
        return scores.checked(predictions, references)

    def _compute(self, *, predictions: list[Any], references: list[Any]) -> dict[str, float]:
        return scores.uas_scores(predictions, references)
