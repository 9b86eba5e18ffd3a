"""Activation checkpointing under which the attention keeps its graph."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from torch import nn

REENTRANT = "use_reentrant"
# Where the library keeps what a checkpointed module is run by.
FUNCTION = "_gradient_checkpointing_func"


class Recomputed(NamedTuple):
    """A module that is computed again in the backward pass: how it does that, and how it could."""

    module: nn.Module
    own: Any
    graphed: partial[Any]


def reentrant_parts(model: nn.Module) -> list[Recomputed]:
    """The checkpointed modules of the library's whose first pass leaves no graph.

    Reentrant checkpointing runs a layer without gradients and makes its graph in the backward
    pass, when no loss can be computed of the attention any more. The other kind keeps the graph and
    computes the same tensors again: the same numbers, at the same memory.
    """
    return list(_found(model))


def _found(model: nn.Module) -> Iterator[Recomputed]:
    for module in model.modules():
        own = getattr(module, FUNCTION, None)
        if not getattr(module, "gradient_checkpointing", False) or not isinstance(own, partial):
            continue
        if own.keywords.get(REENTRANT) is not False:
            graphed = partial(own.func, *own.args, **{**own.keywords, REENTRANT: False})
            yield Recomputed(module, own, graphed)


def keep_graph(parts: list[Recomputed], keep: bool) -> None:
    """Put the kind that keeps the graph in place, or the one that the modules came with."""
    for part in parts:
        setattr(part.module, FUNCTION, part.graphed if keep else part.own)
