"""How far a run has come, besides in steps: tokens read, distance from the first weights."""

from __future__ import annotations

import torch
from torch import nn

from hf_grok.measurement.precision import squared_norms
from hf_grok.recipes.data.batches import LengthBucketSampler
from hf_grok.runs.epochs import examples_read


class Progress:
    """Tokens read and distance travelled: functions of the step and the weights alone.

    Args:
        model: freshly initialised: its weights are where the distance is measured from.
    """

    def __init__(self, model: nn.Module) -> None:
        self._start = [parameter.detach().clone() for parameter in model.parameters()]

    def measure(
        self, model: nn.Module, sampler: LengthBucketSampler, step: int, batch: int
    ) -> dict[str, float]:
        """`tokens_seen` after `step` steps, and `distance_from_start` = L2 norm of W(step) - W(0).

        Args:
            model: as it is now.
            sampler: that orders the examples.
            step: optimiser steps taken.
            batch: examples a step, over processes and accumulation; an epoch's last may have fewer.
        """
        return {
            "tokens_seen": sampler.tokens_read(examples_read(step, len(sampler), batch)),
            "distance_from_start": self._distance(model),
        }

    def _distance(self, model: nn.Module) -> float:
        pairs = zip(model.parameters(), self._start, strict=True)
        squares = [squared_norms(now.detach() - then.to(now.device)) for now, then in pairs]
        return float(torch.stack(squares).sum().sqrt())
