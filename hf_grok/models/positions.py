"""How many tokens a model has positions for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import PreTrainedModel

from hf_grok.measurement.guard import watching
from hf_grok.models.text_model import (
    plain_tokens,
    text_config,
    transformer_of,
    trying,
    without_cache,
)

TRIED = 3
_ATEN = torch.ops.aten
_KNOWN: WeakKeyDictionary[nn.Module, tuple[int | None]] = WeakKeyDictionary()


def position_limit(model: nn.Module) -> int | None:
    """rows of the smallest table of positions - row of the first token; None without a table.

    Found by watching a forward pass of three tokens: a table of positions is a weight or buffer
    in which neighbouring rows are looked up in order. So the padding of RoBERTa, whose positions
    begin behind it, and the offset 2 of BART and OPT are counted as the model itself counts them.
    Rotary and relative positions have no table, and no limit. Where a table is cut rather than
    looked up (GPT-J, MPT, ours), it is the configuration that says how long it is.

    Raises:
        UserError: the model cannot be called with tokens alone.
    """
    if model not in _KNOWN:
        _KNOWN[model] = (_measured(model),)
    return _KNOWN[model][0]


def _measured(model: nn.Module) -> int | None:
    if not isinstance(model, PreTrainedModel):
        return _configured(model)
    transformer = transformer_of(model)
    lookups = _Lookups(transformer)
    ids = plain_tokens(model, 1, TRIED)
    with watching(model), trying(model), lookups:
        transformer(input_ids=ids, **without_cache(transformer))
    limits = [rows - first for rows, first in lookups.found]
    return min(limits) if limits else _configured(model)


def _configured(model: nn.Module) -> int | None:
    """What the configuration says of positions that are cut out of a table of that length."""
    config = text_config(model)
    unlimited = any(
        getattr(config, name, None) for name in ("rope_parameters", "relative_attention", "alibi")
    )
    named = (getattr(config, name, None) for name in ("max_position_embeddings", "max_seq_len"))
    return None if unlimited else next((n for n in named if isinstance(n, int) and n > 0), None)


class _Lookups(TorchDispatchMode):
    """Tables of the model in which rows are looked up in order: (rows, first row)."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.found: list[tuple[int, int]] = []
        self._fixed = {_storage(table) for table in _tables(model)}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        table, index, rows = _lookup(func, args)
        if table is not None and _storage(table) in self._fixed:
            first = _first_of_run(index)
            if first is not None:
                self.found.append((rows, first))
        return func(*args, **(kwargs or {}))


def _tables(model: nn.Module) -> Iterator[Tensor]:
    """Weights, buffers and plain tensors of two dimensions, but for tables that grow on demand."""
    for module in model.modules():
        if hasattr(module, "make_weights"):
            continue
        owned = (*module.parameters(recurse=False), *module.buffers(recurse=False))
        for table in (*owned, *(t for t in vars(module).values() if isinstance(t, Tensor))):
            if table.ndim == 2:
                yield table


def _lookup(func: Any, args: tuple[Any, ...]) -> tuple[Tensor | None, Any, int]:
    """The table that an operation looks rows up in, the rows, and how many there are."""
    if func is _ATEN.embedding.default:
        return args[0], args[1], args[0].shape[0]
    if func is _ATEN.index_select.default and args[1] == 0:
        return args[0], args[2], args[0].shape[0]
    if func is _ATEN.index.Tensor and len(args[1]) and args[1][0] is not None:
        others = [index for index in args[1][1:] if index is not None]
        if not others:
            return args[0], args[1][0], args[0].shape[0]
    return None, None, 0


def _first_of_run(index: Tensor) -> int | None:
    """The first row, where the `TRIED` tokens look up rows that follow each other; else None."""
    one_row = index.ndim == 1 or (index.ndim == 2 and len(index) == 1)
    if index.dtype == torch.bool or index.is_floating_point() or not one_row:
        return None
    # Longformer fills every row up to a multiple of its window.
    numbers = index.flatten()[:TRIED].tolist()
    run = [*range(numbers[0], numbers[0] + TRIED)] if numbers else []
    return numbers[0] if run and numbers == run else None


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage().data_ptr())
