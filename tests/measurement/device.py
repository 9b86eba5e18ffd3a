"""A device without float64, as Apple's GPUs are: tensors on the CPU that say they are elsewhere.

Made of torch's own hook for backends written in Python, which cannot be taken back: only a process
of its own imports this. As on a GPU, operations on tensors of two devices are errors.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

KIND = "no_double"
_setup_privateuseone_for_python_backend(KIND)
# It draws on the CPU: its own generator has no state.
torch.get_device_module(KIND).get_rng_state = lambda: torch.empty(0)
torch.get_device_module(KIND).set_rng_state = lambda state: None
torch.__future__.set_overwrite_module_params_on_conversion(True)

DEVICE = torch.device(f"{KIND}:0")
MISSING = (torch.float64, torch.complex128)
COPIES = (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default)


class There(Tensor):
    """A tensor of the device; `inner` holds its numbers."""

    inner: Tensor

    @staticmethod
    def __new__(cls, inner: Tensor) -> There:
        made: There = Tensor._make_wrapper_subclass(
            cls,
            inner.shape,
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device=DEVICE,
        )
        made.inner = inner
        return made

    def __init__(self, inner: Tensor) -> None: ...

    def tolist(self) -> Any:
        return self.inner.tolist()

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None):
        return _run(function, args, kwargs or {})


class device(TorchDispatchMode):  # noqa: N801 (a context, used as one)
    """Inside, tensors can be made on the device."""

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None):
        kwargs = kwargs or {}
        if _asked(kwargs) or any(isinstance(leaf, There) for leaf in tree_leaves((args, kwargs))):
            return _run(function, args, kwargs)
        return function(*args, **kwargs)


def _asked(kwargs: dict[str, Any]) -> bool:
    asked = kwargs.get("device")
    return asked is not None and torch.device(asked).type == KIND


def _empty(size: Any, stride: Any, dtype: Any = None, **_: Any) -> There:
    if dtype in MISSING:
        raise TypeError(f"{KIND} has no {dtype}")
    return There(torch.empty_strided(size, stride, dtype=dtype))


def _copied(target: Any, source: Any, non_blocking: bool = False) -> Any:
    _inner(target).copy_(_inner(source))
    return target


# What torch calls beneath the modes, where it makes a tensor of a list.
_BENEATH = torch.library.Library("aten", "IMPL")
_BENEATH.impl("empty_strided", _empty, "PrivateUse1")
_BENEATH.impl("copy_", _copied, "PrivateUse1")


def _run(function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    ours = {id(tensor.inner): tensor for tensor in tensors if isinstance(tensor, There)}
    strays = [tensor for tensor in tensors if not isinstance(tensor, There) and tensor.ndim]
    if strays and function not in COPIES:
        raise RuntimeError(f"{function}: tensors on {KIND} and on the CPU")
    moves = kwargs.get("device") is not None
    stays = _asked(kwargs) if moves else bool(ours)
    if moves:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    args, kwargs = tree_map(_inner, args), tree_map(_inner, kwargs)
    found = function(*args, **kwargs)
    if function is torch.ops.aten.copy_.default:
        return tensors[0]
    return tree_map(lambda value: _outer(value, ours, function), found) if stays else found


def _inner(value: Any) -> Any:
    return value.inner if isinstance(value, There) else value


def _outer(value: Any, ours: dict[int, Tensor], function: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    if value.dtype in MISSING:
        raise TypeError(f"{function}: {KIND} has no {value.dtype}")
    return ours.get(id(value)) if id(value) in ours else There(value)
