"""Probes over the same sentences share their passes, and each number is what it is alone."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
import torch
from torch import nn

from hf_grok.evaluation.runner import run_probes
from hf_grok.measurement.guard import watching
from hf_grok.models.text_model import transformer_of
from hf_grok.probes import build_probe
from hf_grok.probes import shared_pass as module
from hf_grok.probes.shared_pass import may_share, read_together
from tests.probes.matrix import ARCHITECTURES, LAYERS, model_of
from tests.probes.test_contract import ROWS, TOKENIZER, probe_of

READING = ("uas", "sparsity", "intrinsic_dimension")
SUBSETS = [subset for size in (1, 2, 3) for subset in combinations(READING, size)]


class Passes:
    """How often the transformer of a model was called on more than a trial of four tokens."""

    def __init__(self, model: nn.Module) -> None:
        self.count = 0
        transformer_of(model).register_forward_pre_hook(self._called, with_kwargs=True)

    def _called(self, module: nn.Module, arguments: Any, keywords: Any) -> None:
        self.count += keywords["input_ids"].shape[0] > 2


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_each_number_is_bit_for_bit_what_it_is_alone(architecture: str) -> None:
    model = model_of(architecture, len(TOKENIZER))
    alone = {name: run_probes(model, [probe_of(name)]) for name in READING}
    assert all(found.numbers and not found.failures for found in alone.values())
    for subset in SUBSETS:
        passes = Passes(model)
        together = run_probes(model, [probe_of(name) for name in subset])
        assert passes.count == 1, subset
        assert together.numbers == {
            key: value for name in subset for key, value in alone[name].numbers.items()
        }
        assert together.pictures == {
            key: value for name in subset for key, value in alone[name].pictures.items()
        }
        assert together.seconds.keys() == set(subset)


def test_a_rank_s_share_is_shared_too() -> None:
    model = model_of("gpt2", len(TOKENIZER))
    probes = [probe_of(name) for name in READING]
    with watching(model):
        for part in ([], [4], range(1, len(probes[0]), 2)):
            for probe, state in zip(probes, read_together(model, probes, part), strict=True):
                for name, values in probe.state(model, part).items():
                    assert torch.equal(values, state[name]), (probe.name, name)


def test_one_layer_s_maps_are_there_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    model, most = model_of("bert", len(TOKENIZER)), []
    kept: list[Any] = []

    def counting(*arguments: Any, **inputs: Any) -> Any:
        reduce = arguments[1]

        def watched(layer: int, attention: torch.Tensor) -> None:
            import weakref

            kept.append(weakref.ref(attention))
            reduce(layer, attention)
            most.append(sum(one() is not None for one in kept))

        return original(arguments[0], watched, **inputs)

    original = module.for_each_layer
    monkeypatch.setattr(module, "for_each_layer", counting)
    run_probes(model, [probe_of(name) for name in READING])
    assert len(kept) == LAYERS
    assert max(most) == 1


def test_other_sentences_have_a_pass_of_their_own() -> None:
    fewer = build_probe("sparsity", ROWS[:5], TOKENIZER)
    dimension = build_probe("intrinsic_dimension", ROWS, TOKENIZER, layer=1)
    groups = may_share([probe_of("uas"), fewer, probe_of("norm"), dimension, probe_of("sparsity")])
    names = [[probe.name for probe in group] for group in groups]
    assert names == [["uas", "sparsity"], ["sparsity"], ["norm"], ["intrinsic_dimension"]]


def test_where_one_cannot_read_the_others_do(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of("llama", len(TOKENIZER))
    uas, sparsity = probe_of("uas"), probe_of("sparsity")
    expected = run_probes(model, [sparsity]).numbers

    def failing(model: nn.Module) -> Any:
        raise ValueError("out of luck")

    monkeypatch.setattr(uas, "reader", failing)
    found = run_probes(model, [uas, sparsity])
    assert found.failures == {"uas": "ValueError: out of luck"}
    assert found.numbers == expected
