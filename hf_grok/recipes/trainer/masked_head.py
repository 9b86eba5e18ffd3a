"""logits at masked tokens only: the others' enter no loss of a masked language model.

A vocabulary of 8,000 makes a small model's head half of its work, and 85 % of that are logits that
nothing asks for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jaxtyping import Bool
from torch import Tensor
from transformers import PreTrainedModel

from hf_grok.errors import UserError

_STATES = "last_hidden_state"


@contextmanager
def head_at(model: PreTrainedModel, places: Bool[Tensor, "batch length"]) -> Iterator[None]:
    """Inside, the model's head sees the hidden states at `places` alone: logits [1, places, words].

    The loss is that of all logits up to rounding, and so is every gradient: a head looks at each
    place by itself.

    Args:
        model: of transformers, a backbone with a head on it; unwrapped.
        places: where logits are asked for; at least one.

    Raises:
        UserError: the model has no backbone of its own, or one that gives no hidden states by name.
    """

    def keep(module: Any, given: Any, output: Any) -> Any:
        if not hasattr(output, _STATES):
            raise UserError(
                f"{type(model).__name__} gives its hidden states under no name: train it with "
                "--sparse_prediction false"
            )
        output[_STATES] = output[_STATES][places][None]
        return output

    if model.base_model is model:
        raise UserError(
            f"{type(model).__name__} has no backbone apart from its head: train it with "
            "--sparse_prediction false"
        )
    handle = model.base_model.register_forward_hook(keep)
    try:
        yield
    finally:
        handle.remove()
