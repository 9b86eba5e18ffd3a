"""Watching leaves no trace, and sees full precision."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import nn

from hf_grok.measurement import guard
from hf_grok.measurement.guard import watching


def states() -> tuple:
    return random.getstate(), tuple(np.random.get_state()[1]), tuple(torch.get_rng_state().tolist())


def disturb(model: nn.Module) -> None:
    random.random()
    np.random.rand()
    torch.rand(3)
    model(torch.rand(2, 4))


def test_random_states_and_modes_are_as_before() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.Dropout(0.5))
    model.train()
    model[2].eval()
    before = states()
    with watching(model):
        assert not any(module.training for module in model.modules())
        assert not model(torch.rand(2, 4)).requires_grad
        disturb(model)
    assert states() == before
    assert [module.training for module in model.modules()] == [True, True, True, False]


class Generators:
    """An accelerator's random numbers: one generator (MPS), or one for each device (CUDA)."""

    def __init__(self, devices: int | None) -> None:
        self.drawn: Any = 0 if devices is None else [0] * devices
        if devices is not None:
            self.get_rng_state_all, self.set_rng_state_all = self.get_rng_state, self.set_rng_state

    def get_rng_state(self) -> Any:
        return self.drawn if isinstance(self.drawn, int) else list(self.drawn)

    def set_rng_state(self, state: Any) -> None:
        self.drawn = state


@pytest.mark.parametrize("devices", [None, 2])
def test_an_accelerators_random_states_are_as_before(
    devices: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    generators = Generators(devices)
    monkeypatch.setattr(guard, "_accelerator", lambda: generators)
    before = generators.get_rng_state()
    with watching(nn.Linear(1, 1)):
        generators.drawn = 7 if devices is None else [7, 7]
    assert generators.drawn == before


def test_an_error_inside_restores_too() -> None:
    model = nn.Linear(4, 4)
    before = states()

    def fail() -> None:
        with watching(model):
            disturb(model)
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
    assert states() == before
    assert model.training


def test_a_model_under_autocast_is_measured_in_full_precision() -> None:
    torch.manual_seed(0)
    plain = nn.Linear(64, 8)
    values = torch.rand(5, 64)
    expected = plain(values)
    AcceleratorState._reset_state(reset_partial_state=True)
    prepared = Accelerator(cpu=True, mixed_precision="bf16").prepare_model(plain)
    AcceleratorState._reset_state(reset_partial_state=True)
    assert not torch.equal(prepared(values), expected)
    with watching(prepared):
        assert torch.equal(prepared(values), expected)
    assert not torch.equal(prepared(values), expected)
