"""Watching changes nothing: the one guard in which every measurement runs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn


@contextmanager
def watching(model: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients; on leaving, every mode and random state is as before.

    Modes are restored module by module (a wrapper's flag hides that its inside stayed in
    evaluation mode), and so are the generators of python, numpy and torch, on every device.
    """
    modes = [(module, module.training) for module in model.modules()]
    python_state, numpy_state = random.getstate(), np.random.get_state()
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices), torch.no_grad():
        model.eval()
        try:
            yield
        finally:
            for module, mode in modes:
                module.training = mode
            random.setstate(python_state)
            np.random.set_state(numpy_state)
