"""The loss of a masked language model, the same however its batch is cut up."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from hf_grok.hiding import IGNORED
from hf_grok.precision import log_probabilities_of


def token_mean_loss(
    outputs: Any, labels: Tensor, num_items_in_batch: Tensor | int | None = None
) -> Tensor:
    """sum over labelled positions of -log p(label) / number of labels in the whole batch; nats.

    For `Trainer(compute_loss_func=token_mean_loss)`. The loss of BERT's head, among others, is a
    mean over its micro-batch, which Trainer takes for one over the whole batch, since the head
    accepts the number of items: it grows with gradient accumulation, and weighs micro-batches of
    few labels as heavily as those of many.

    Args:
        outputs: of a masked language model, with `logits` [batch, length, vocabulary].
        labels: [batch, length], -100 where nothing is predicted.
        num_items_in_batch: labels in the whole batch, over accumulation and processes; None counts
            those at hand.
    """
    predicted = labels != IGNORED
    summed = -log_probabilities_of(outputs.logits[predicted], labels[predicted]).sum()
    if num_items_in_batch is None:
        num_items_in_batch = (labels != IGNORED).sum()
    return summed / torch.as_tensor(num_items_in_batch, device=summed.device)
