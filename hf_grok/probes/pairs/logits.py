"""Logits of any language model, at the wanted positions only."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers.utils import ModelOutput, logging

from hf_grok.errors import UserError

LOGGER = logging.get_logger(__name__)


def logits_at(
    model: nn.Module,
    ids: Int[Tensor, "batch length"],
    positions: Int[Tensor, "batch kept"],
    **options: Any,
) -> Float[Tensor, "batch kept vocabulary"]:
    """logits[b, k] = the model's scores at position positions[b, k] of row b, and at no other.

    The last states of the model's base are gathered before its head sees them, so that whatever
    head follows is computed at these positions only. The other logits of a model that has no base
    of its own, or does not call it as a whole, are computed and thrown away; the log says so.

    Args:
        model: any stock language model.
        ids: tokens, all of them seen: there is no mask.
        positions: which positions are wanted.
        options: further arguments of the model.

    Raises:
        UserError: it returns no logits over a vocabulary that holds the tokens.
    """
    base = getattr(model, "base_model", model)
    gathered: list[bool] = []

    def gather_states(module: nn.Module, arguments: Any, output: Any) -> None:
        if isinstance(output, ModelOutput) and "last_hidden_state" in output:
            output["last_hidden_state"] = _gathered(output["last_hidden_state"], positions)
            gathered.append(True)

    hooks = [] if base is model else [base.register_forward_hook(gather_states)]
    try:
        logits = getattr(model(input_ids=ids, **options), "logits", None)
    finally:
        for hook in hooks:
            hook.remove()
    if not gathered and isinstance(logits, Tensor) and logits.shape[:2] == ids.shape:
        LOGGER.warning_once(
            f"{type(model).__name__} does not let its last states be gathered before its head: "
            "logits are computed at every position, and most of them thrown away. That is slower."
        )
        logits = _gathered(logits, positions)
    return _checked(model, logits, positions, int(ids.max()))


def _gathered(
    values: Float[Tensor, "batch length width"], positions: Int[Tensor, "batch kept"]
) -> Float[Tensor, "batch kept width"]:
    return values.gather(1, positions[..., None].expand(-1, -1, values.shape[-1]))


def _checked(model: nn.Module, logits: Any, positions: Tensor, largest: int) -> Tensor:
    shape = tuple(logits.shape) if isinstance(logits, Tensor) else None
    expected = (*positions.shape, "vocabulary")
    if shape is None or shape[:-1] != expected[:-1] or shape[-1] <= largest:
        raise UserError(
            f"{type(model).__name__} returned logits of shape {shape}: expected {expected}, the "
            f"vocabulary holding token {largest}. Minimal pairs need a language model with its "
            "head (AutoModelForCausalLM, AutoModelForMaskedLM)"
        )
    return logits
