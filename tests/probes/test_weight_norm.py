from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from transformers import BertConfig, BertForMaskedLM, BertModel, PreTrainedModel

from hf_grok.errors import UserError
from hf_grok.metrics import metric_of
from hf_grok.probes import WeightNorm, add_states
from hf_grok.probes.weight_norm import l2_norm, norm_gains, squared_norms, unused_parameters
from tests.probes.matrix import ARCHITECTURES, LAYERS, model_of

INPUTS = {"input_ids": torch.tensor([[3, 4, 5, 6]])}
# Of the norm layers: two a block and one at the end, and what each architecture has beside them.
NORM_LAYERS = {"vanilla": 4, "gpt2": 5, "llama": 5, "neox": 5, "bert": 6, "modernbert": 6}


def squares_by_loop(model: nn.Module, *, gains: bool) -> float:
    """Number by number, a parameter once; without the weights of modules called ...Norm."""
    seen: set[int] = set()
    if not gains:
        seen = {id(m.weight) for m in model.modules() if type(m).__name__.endswith("Norm")}
    total = 0.0
    for module in model.modules():
        for parameter in module.parameters(recurse=False):
            if id(parameter) not in seen:
                seen.add(id(parameter))
                total += math.fsum(value * value for value in parameter.flatten().tolist())
    return total


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_equals_a_loop(name: str) -> None:
    model = model_of(name)
    numbers = WeightNorm().measure(model)
    whole, without = (squares_by_loop(model, gains=gains) for gains in (True, False))
    assert numbers == pytest.approx(
        {
            "norm_l2": math.sqrt(whole),
            "norm_squared": whole,
            "norm_l2_over_root_depth": math.sqrt(whole) / math.sqrt(LAYERS),
            "norm_l2_without_layernorm": math.sqrt(without),
            "norm_squared_without_layernorm": without,
        },
        rel=1e-12,
    )
    assert numbers["norm_l2"] == pytest.approx(l2_norm(model), rel=1e-12)
    assert len(norm_gains(model)) == NORM_LAYERS[name]
    assert all(type(value) is float for value in numbers.values())


def test_bert_base_at_initialisation() -> None:
    # science: 63.7k, of which LayerNorm gains 20.0k. It is the masked language model, whose head
    # has a LayerNorm of its own: 26 x 768 gains. The bare encoder has 25, and 62.9k.
    model = BertForMaskedLM(BertConfig()).eval()
    numbers = WeightNorm().measure(model)
    gains = numbers["norm_squared"] - numbers["norm_squared_without_layernorm"]
    assert numbers["norm_squared"] == pytest.approx(63_700, abs=50)
    assert gains == pytest.approx(26 * 768)


def test_tied_parameters_count_once() -> None:
    tied, untied = model_of("gpt2"), model_of("gpt2")
    untied.lm_head.weight = nn.Parameter(untied.lm_head.weight.detach().clone())
    embedding = squared_norms(tied)["transformer.wte.weight"].item()
    difference = WeightNorm().measure(untied)["norm_squared"]
    difference -= WeightNorm().measure(tied)["norm_squared"]
    assert difference == pytest.approx(embedding)


def test_per_matrix_squares_and_vectors_share_out_the_whole() -> None:
    model = model_of("bert")
    numbers = WeightNorm(per_matrix=True).measure(model)
    matrices = {name: value for name, value in numbers.items() if "_matrix_" in name}
    named = dict(model.named_parameters())
    assert {name.removeprefix("norm_matrix_") for name in matrices} == {
        name for name, parameter in named.items() if parameter.ndim == 2
    }
    name = "bert.encoder.layer.1.attention.self.key.weight"
    assert matrices[f"norm_matrix_{name}"] == pytest.approx(named[name].norm().item())
    vectors = sum(p.double().square().sum().item() for p in named.values() if p.ndim == 1)
    squares = sum(value**2 for value in matrices.values())
    assert squares + vectors == pytest.approx(numbers["norm_squared"])
    assert all(metric_of(WeightNorm.metrics, name) for name in numbers)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_parameter_of_a_stock_model_is_used(name: str) -> None:
    model = model_of(name)
    assert WeightNorm(sample_input=INPUTS).measure(model)["norm_unused_squared"] == 0.0


def test_unused_parameters_are_those_without_a_gradient() -> None:
    model = model_of("bert")
    model.spare = nn.Linear(3, 5)  # never called
    model.get_submodule("bert.encoder.layer.1").requires_grad_(False)  # frozen, but used
    assert unused_parameters(model, INPUTS) == ["spare.weight", "spare.bias"]
    expected = squares_by_loop(model.spare, gains=True)
    numbers = WeightNorm(sample_input=INPUTS).measure(model)
    assert numbers["norm_unused_squared"] == pytest.approx(expected)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(p.requires_grad for p in model.bert.encoder.layer[1].parameters())


def test_what_only_another_output_uses_is_used() -> None:
    model = BertModel(model_of("bert").config).eval()
    assert unused_parameters(model, INPUTS) == []
    embeddings = torch.rand(1, 4, 16)
    unused = unused_parameters(model, {"inputs_embeds": embeddings})
    assert unused == ["embeddings.word_embeddings.weight"]


def test_the_one_item_is_counted_on_one_process() -> None:
    model, probe = model_of("gpt2"), WeightNorm(per_matrix=True, sample_input=INPUTS)
    states = [probe.state(model, range(len(probe))[rank::3]) for rank in range(3)]
    assert len(probe) == 1
    assert probe.compute(add_states(states)) == probe.measure(model)
    assert {name: value.shape for name, value in states[1].items()} == {
        name: value.shape for name, value in states[0].items()
    }
    assert not any(value.any() for value in states[1].values())
    assert probe.compute(states[1]) == {}


def test_a_model_without_layers_has_no_depth() -> None:
    class Lonely(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.norm = nn.Linear(2, 2), nn.RMSNorm(2)

    numbers = WeightNorm().measure(Lonely().eval())
    assert "norm_l2_over_root_depth" not in numbers
    gains = numbers["norm_squared"] - numbers["norm_squared_without_layernorm"]
    assert gains == pytest.approx(2.0)


def test_low_precision_is_summed_in_double() -> None:
    model: PreTrainedModel = model_of("llama").bfloat16()
    expected = squares_by_loop(model, gains=True)
    assert WeightNorm().measure(model)["norm_squared"] == pytest.approx(expected, rel=1e-12)


def test_from_data_reads_no_data_and_training_mode_is_refused() -> None:
    probe = WeightNorm.from_data(None, None, per_matrix=True)
    assert len(probe) == 1
    diverged = model_of("gpt2")
    diverged.transformer.ln_f.bias.data[3] = torch.inf
    with pytest.raises(UserError, match=r"'transformer.ln_f.bias' holds .* not a number"):
        probe.measure(diverged)
    with pytest.raises(RuntimeError, match="training mode"):
        probe.measure(model_of("gpt2").train())
