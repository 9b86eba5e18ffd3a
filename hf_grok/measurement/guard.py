"""Watching changes nothing: the one guard in which every measurement runs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn


@contextmanager
def watching(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, no gradients, full precision; on leaving, everything is as it was.

    A model trained under autocast is measured without it: in bfloat16 the scores of two answers
    tie so often that the order of the answers would show. Modes are restored module by module (a
    wrapper's flag hides that its inside stayed in evaluation mode), and so are the generators of
    python, numpy and torch, on the CPU and on every accelerator (CUDA, XPU, MPS, ...).
    """
    modes = [(module, module.training) for module in model.modules()]
    with generators_kept(), torch.no_grad(), _without_autocast(model):
        model.eval()
        try:
            yield
        finally:
            for module, mode in modes:
                module.training = mode


@contextmanager
def generators_kept() -> Iterator[None]:
    """On leaving, the generators of python, numpy and torch are where they were.

    For what looks at a run without looking at its model.
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()
    with _generators_of_torch():
        try:
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)


@contextmanager
def _generators_of_torch() -> Iterator[None]:
    """Save and restore the states of torch's default generators."""
    accelerator = _accelerator()
    cpu = torch.get_rng_state()
    # Some devices (MPS) have one generator, and no function for the states of all.
    several = hasattr(accelerator, "get_rng_state_all")
    states: Any = None
    if accelerator is not None:
        states = accelerator.get_rng_state_all() if several else accelerator.get_rng_state()
    try:
        yield
    finally:
        torch.set_rng_state(cpu)
        if accelerator is not None:
            restore = accelerator.set_rng_state_all if several else accelerator.set_rng_state
            restore(states)


def _accelerator() -> Any:
    """The module of this machine's accelerator (`torch.cuda`, `torch.mps`, ...); None for none."""
    if not torch.accelerator.is_available():
        return None
    return torch.get_device_module(torch.accelerator.current_accelerator())


@contextmanager
def _without_autocast(model: nn.Module) -> Iterator[None]:
    """Take away for a while the forward pass that accelerate has wrapped in autocast."""
    wrapped = model.__dict__.get("forward")
    original = model.__dict__.get("_original_forward")
    if wrapped is None or original is None:
        yield
        return
    object.__setattr__(model, "forward", original)
    try:
        yield
    finally:
        object.__setattr__(model, "forward", wrapped)
