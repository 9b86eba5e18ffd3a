"""The attention on arcs, taken where the model computes it and not from what a Trainer returns."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from hf_grok.errors import UserError
from hf_grok.sas.attention.backbone import attending_part

Attentions = tuple[Tensor, ...]


class ArcCapture:
    """Asks the transformer inside a model for its attention on arcs, in the passes that train it.

    A Trainer may call the model as it likes and return what it likes: outputs that it computed once
    more without a graph, outputs of another head, no outputs. What is read here is what the
    transformer itself reports, by hooks on it, in every pass with gradients between entering and
    leaving `asking`. Passes without gradients (a metric's, a teacher's) are neither asked nor read,
    and outside of `asking` the hooks do nothing.

    Args:
        model: as the Trainer has it, in whatever wrappers.

    Attributes:
        part: the transformer.
        passes: its attention on the arcs, a tensor a layer, of each pass.

    Raises:
        UserError: there is no transformer in it, or there are several.
    """

    def __init__(self, model: nn.Module) -> None:
        self.part = attending_part(model)
        self.passes: list[Attentions] = []
        self._shape: tuple[int, int] | None = None
        self._asked: dict[str, Any] = {}
        self._handles = [
            self.part.register_forward_pre_hook(self._ask, with_kwargs=True),
            self.part.register_forward_hook(self._keep),
        ]

    def close(self) -> None:
        """Take the hooks away."""
        for handle in self._handles:
            handle.remove()

    @contextmanager
    def asking(self, shape: Sequence[int], **asked: Any) -> Iterator[None]:
        """Read the passes with gradients, over a batch of `shape`, until the end of the block.

        Args:
            shape: (rows, tokens) of the batch that the arcs belong to.
            asked: handed to the transformer; nothing only counts its passes.

        Raises:
            UserError: a pass over another shape, to whose positions the arcs do not belong; none
                at all.
        """
        self.passes = []
        self._shape, self._asked = (shape[0], shape[1]), asked
        try:
            yield
        finally:
            self._shape = None
        if not self.passes:
            raise UserError(
                f"the loss was computed without a forward pass of {self._name} with gradients, "
                "from which the attention on arcs would come: the Trainer's compute_loss must call "
                "the model under autograd"
            )

    def _ask(
        self, _: nn.Module, given: tuple[Any, ...], named: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        if self._shape is None or not torch.is_grad_enabled():
            return None
        read = _tokens(given, named)
        if read != self._shape:
            raise UserError(
                f"{self._name} was given {read} rows and tokens where the batch has {self._shape}, "
                "so arcs would be looked up at the wrong positions: expected the tokens of the "
                "batch and no others (no prompt or prefix tuning, no rows joined into one, no "
                "copies of rows)"
            )
        return given, {**named, **self._asked}

    def _keep(self, _: nn.Module, __: tuple[Any, ...], output: Any) -> None:
        if self._shape is None or not torch.is_grad_enabled():
            return
        found = output.get("attentions") if isinstance(output, Mapping) else None
        if self._asked and not found:
            raise UserError(
                f"{self._name} returned {type(output).__name__} without attention: expected a "
                "mapping that has it (leave return_dict=True)"
            )
        self.passes.append(tuple(found or ()))

    @property
    def _name(self) -> str:
        return type(self.part).__name__


def require_graph(attentions: Attentions, model: nn.Module, used: Collection[int]) -> None:
    """Refuse attention whose penalty would reach no weight, or not all that it should reach.

    Args:
        attentions: of each layer.
        model: that they are of.
        used: the layers that a penalty reads.

    Raises:
        UserError: no such layer has a graph; or a layer has none although an earlier one has.
    """
    graphed = [one.requires_grad for one in attentions]
    if not any(graphed[layer] for layer in used):
        raise UserError(
            f"the attention of {type(model).__name__} does not depend on any weight that trains: "
            "the penalty would be logged and change nothing. Let the parameters behind queries and "
            "keys train, and recompute activations with use_reentrant=False"
        )
    first = graphed.index(True)
    without = [str(layer) for layer in range(first, len(graphed)) if not graphed[layer]]
    if without:
        raise UserError(
            f"layer {', '.join(without)} of {type(model).__name__} reports attention without a "
            f"graph, although layer {first} has one: the penalty would reach a part of the "
            "weights. Recompute activations with use_reentrant=False"
        )


def _tokens(given: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[int, int] | None:
    """(rows, tokens) that a transformer was handed, as ids or as embeddings."""
    for read in (named.get("input_ids"), named.get("inputs_embeds"), *given[:1]):
        if isinstance(read, Tensor) and read.ndim >= 2:
            return read.shape[0], read.shape[1]
    return None
