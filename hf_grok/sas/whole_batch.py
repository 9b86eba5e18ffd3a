"""A Trainer's training step as a part of one batch, over accumulation and processes."""

from __future__ import annotations

import time
from typing import Any

from torch import Tensor, nn

from hf_grok.annotation.heads import NONE
from hf_grok.measurement.shares import ignoring
from hf_grok.sas.batches.keys import ANNOTATION
from hf_grok.sas.evaluation import Evaluation
from hf_grok.sas.losses.counted import LossMeasure
from hf_grok.sas.losses.evaluated import LABELS

_IGNORED = {**LABELS, **dict.fromkeys(ANNOTATION, NONE)}


class WholeBatch(Evaluation):
    """loss of the batch = sum over its parts of (loss of a part), whatever the parts are.

    A part is a micro-batch of one process. What says by what Trainer and the model divide a part's
    loss, and sums over processes, stands here.
    """

    _counted_loss: LossMeasure

    def _measure_loss(
        self, model: nn.Module, plain: dict[str, Any], items: Tensor | int | None, adds: bool
    ) -> None:
        """Refuse a loss that nobody divides by the parts of the batch.

        One process without a term that is `adds`-ed to it is plain Trainer's affair.
        """
        processes = self.accelerator.num_processes
        parts = self.args.gradient_accumulation_steps * processes
        if (adds or processes > 1) and parts > 1 and self._is_scaled(items):
            compute: Any = super().compute_loss
            self._counted_loss.measure(
                self, model, lambda number: compute(model, dict(plain), False, number), items
            )

    def _later_divisor(self, num_items: Tensor | int | None) -> int:
        """What `training_step` will divide the loss by, having found it not yet scaled."""
        return 1 if self._is_scaled(num_items) else int(self.current_gradient_accumulation_steps)

    def _is_scaled(self, num_items: Tensor | int | None) -> bool:
        """Whether `training_step` takes the loss for one over the whole batch."""
        if self.loss_is_scaled_for_ga is not None:
            return bool(self.loss_is_scaled_for_ga)
        counted = self.model_accepts_loss_kwargs and num_items is not None
        return bool(counted or self.compute_loss_func is not None)

    def _without_padding(self, sample: dict[str, Any]) -> dict[str, Any]:
        """A training batch whose rows that only fill the last one up have no label and no arc."""
        real = self._real_rows.of(sample) if self._real_rows is not None else None
        return ignoring(sample, real, _IGNORED) if real is not None else sample

    def _whole(self, own: Tensor) -> Tensor:
        """A process's counts or shares summed over processes."""
        if self.accelerator.num_processes == 1:
            return own
        return self._gather(own[None]).sum(0)

    def _gather(self, rows: Tensor) -> Tensor:
        gathered: Tensor = self.accelerator.gather(rows)
        return gathered

    def end(self) -> None:
        """Trainer's, once gloo's threads have let go of the last tensors that were gathered.

        They need the interpreter's lock for that, and torch joins them while it holds it: without
        the pause, about one run in ten of two processes ends in that embrace.
        """
        if self.accelerator.num_processes > 1:
            self.accelerator.wait_for_everyone()
            time.sleep(0.2)
        super().end()
