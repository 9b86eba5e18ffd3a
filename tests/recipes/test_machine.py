"""What a run asks of the machine, by the size of its step."""

from __future__ import annotations

import os

import pytest

from hf_grok.models import VanillaTransformerConfig
from hf_grok.recipes.trainer.hardware import choose_threads


def width(hidden_size: int) -> VanillaTransformerConfig:
    return VanillaTransformerConfig(hidden_size=hidden_size)


@pytest.fixture(autouse=True)
def _eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


def test_a_small_step_gets_one_thread_and_a_large_one_every_core() -> None:
    assert choose_threads(0, width(128), batch=8, processes=1) == 1
    assert choose_threads(0, width(128), batch=32, processes=1) == 8
    assert choose_threads(0, width(512), batch=8, processes=1) == 8


def test_processes_share_the_cores() -> None:
    assert choose_threads(0, width(512), batch=8, processes=2) == 4
    assert choose_threads(0, width(512), batch=8, processes=16) == 1


def test_the_user_decides() -> None:
    assert choose_threads(3, width(16), batch=1, processes=1) == 3
