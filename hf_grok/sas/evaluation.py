"""Evaluation by a Trainer, of the batch as its model knows it and with one mean over labels."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.utils.data import DataLoader

from hf_grok.sas.batches.loaders import Loaders
from hf_grok.sas.losses.evaluated import EvaluatedLoss, check_evaluation


class Evaluation(Loaders):
    """eval loss = mean over all labels of all rows, on any number of processes: `EvaluatedLoss`."""

    _evaluated_loss: EvaluatedLoss | None = None

    def evaluation_loop(
        self,
        dataloader: DataLoader,
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> Any:
        """Trainer's, whose loss is the mean over all labels."""
        check_evaluation(self)
        self._evaluated_loss = measured = EvaluatedLoss(self, dataloader)
        try:
            output = super().evaluation_loop(
                dataloader, description, prediction_loss_only, ignore_keys, metric_key_prefix
            )
        finally:
            # A caller may catch what ended it, and ask for the predictions of a batch of its own.
            self._evaluated_loss = None
        measured.put_into(output.metrics, f"{metric_key_prefix}_loss")
        return output

    def prediction_step(
        self, model: nn.Module, inputs: dict[str, Any], *positional: Any, **named: Any
    ) -> Any:
        """Trainer's, whose loss is taken into account where an evaluation is going on."""

        def predict(batch: dict[str, Any]) -> Any:
            return super(Evaluation, self).prediction_step(model, batch, *positional, **named)

        measured = self._evaluated_loss
        return measured.step(inputs, predict) if measured else predict(inputs)
