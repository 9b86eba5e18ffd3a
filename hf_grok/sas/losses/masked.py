"""The loss of a language model, the same however its batch is cut up."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from hf_grok.errors import UserError
from hf_grok.masking import IGNORED
from hf_grok.measurement.precision import log_probabilities_of

# How the library names what its heads return says which position a label belongs to.
AT_ITS_POSITION = ("MaskedLMOutput", "Seq2SeqLMOutput", "TokenClassifierOutput")
AT_THE_ONE_BEFORE = ("CausalLMOutput",)


def token_mean_loss(
    outputs: Any, labels: Tensor, num_items_in_batch: Tensor | int | None = None
) -> Tensor:
    """sum over labelled positions of -log p(label) / number of labels in the whole batch; nats.

    For `Trainer(compute_loss_func=token_mean_loss)`. The loss of BERT's head, among others, is a
    mean over its micro-batch, which Trainer takes for one over the whole batch, since the head
    accepts the number of items: it grows with gradient accumulation, and weighs micro-batches of
    few labels as heavily as those of many.

    p is that of the label's own position in a masked model and a decoder that is shown its labels
    one behind (encoder-decoder), and that of the position before it in a causal model, as in the
    library's own loss: which it is, the type of `outputs` says.

    Args:
        outputs: of a language model, with `logits` [batch, length, vocabulary].
        labels: [batch, length], -100 where nothing is predicted.
        num_items_in_batch: labels in the whole batch, over accumulation and processes; None counts
            those at hand.

    Raises:
        UserError: outputs that do not say how labels are placed.
    """
    logits = _logits(outputs)
    if _is_causal(outputs):
        logits, labels = logits[:, :-1], labels[:, 1:]
    predicted = labels != IGNORED
    summed = -log_probabilities_of(logits[predicted], labels[predicted]).sum()
    if num_items_in_batch is None:
        num_items_in_batch = predicted.sum()
    return summed / torch.as_tensor(num_items_in_batch, device=summed.device)


def _logits(outputs: Any) -> Tensor:
    logits = getattr(outputs, "logits", None)
    if not isinstance(logits, Tensor):
        raise UserError(
            f"token_mean_loss was given {type(outputs).__name__} without logits: expected the "
            "outputs of a language model of the library (leave return_dict=True)"
        )
    return logits


def _is_causal(outputs: Any) -> bool:
    """Whether the label of a position is what the one before it predicts."""
    names = [kind.__name__ for kind in type(outputs).__mro__]
    if any(known in name for name in names for known in AT_THE_ONE_BEFORE):
        return True
    if any(known in name for name in names for known in AT_ITS_POSITION):
        return False
    raise UserError(
        f"token_mean_loss was given {names[0]}, which does not say whether a label belongs to its "
        f"position or to the one before: expected outputs of the library's kinds ("
        f"{', '.join((*AT_ITS_POSITION, *AT_THE_ONE_BEFORE))}, or what inherits them)"
    )
