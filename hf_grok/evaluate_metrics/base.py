"""What every metric here shares: a card, and inputs that are checked before they are stored."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import datasets
import evaluate

from hf_grok.evaluate_metrics.cards import read_card


class CheckedMetric(evaluate.Metric, ABC):
    """An `evaluate.Metric` that refuses what the library would cast.

    `evaluate` writes every batch to an Arrow file of the declared types and gives `_compute` what
    it reads back, all batches and processes together: a check in `_compute` comes too late.

    Attributes:
        card: name of the folder whose README.md describes the metric.
    """

    card: ClassVar[str]

    @abstractmethod
    def _features(self) -> datasets.Features:
        """The types in which predictions and references are stored."""

    @abstractmethod
    def _checked(self, predictions: Any, references: Any) -> tuple[list[Any], list[Any]]:
        """A batch in those types.

        Raises:
            UserError: it does not fit them without a cast.
        """

    def _info(self) -> evaluate.MetricInfo:
        card = read_card(self.card)
        return evaluate.MetricInfo(
            description=card.description,
            citation=card.citation,
            inputs_description=card.inputs,
            features=self._features(),
        )

    def add_batch(self, *, predictions: Any = None, references: Any = None, **others: Any) -> None:
        """Check a batch and keep it for `compute`.

        Args:
            predictions: one for each reference.
            references: as the inputs below say.
            **others: nothing is known by another name.

        Raises:
            UserError: the batch does not fit; nothing of it is kept.
        """
        predictions, references = self._checked(predictions, references)
        super().add_batch(predictions=predictions, references=references, **others)

    def add(self, *, prediction: Any = None, reference: Any = None, **others: Any) -> None:
        """Check one prediction with its reference and keep them for `compute`.

        Args:
            prediction: of one example.
            reference: of the same.
            **others: nothing is known by another name.

        Raises:
            UserError: they do not fit; nothing is kept.
        """
        self.add_batch(predictions=[prediction], references=[reference], **others)
