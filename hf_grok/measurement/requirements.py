"""What a model must be for a measurement to mean something: in evaluation mode, and finite."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hf_grok.errors import UserError


def require_evaluation_mode(model: nn.Module) -> None:
    """Refuse a model in training mode, where dropout would be measured too.

    Raises:
        RuntimeError: it is.
    """
    if model.training:
        raise RuntimeError("the model is in training mode: call model.eval() before probing")


def require_finite(what: str, values: Tensor) -> None:
    """Refuse numbers from which no measure could follow.

    Raises:
        UserError: one of `values` is infinite or not a number.
    """
    if not bool(values.isfinite().all()):
        raise UserError(
            f"{what} holds a number that is infinite or not a number: has training diverged?"
        )


def require_finite_weights(model: nn.Module) -> None:
    """Refuse a model whose parameters are not all finite, whatever a probe would make of them.

    Raises:
        UserError: names the first such parameter.
    """
    for name, values in model.named_parameters():
        # Weights that are not in memory have no numbers yet: what reads them says so.
        if values.is_floating_point() and not values.is_meta:
            # Eight bits have no norm of their own, and that of sixteen may overflow by itself.
            numbers = values.detach().float() if values.dtype.itemsize < 2 else values.detach()
            wide = torch.float32 if values.dtype.itemsize < 4 else None
            if not bool(torch.linalg.vector_norm(numbers, dtype=wide).isfinite()):
                require_finite(f"parameter {name!r}", numbers)
