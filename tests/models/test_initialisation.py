from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from hf_grok.models import VanillaTransformerForCausalLM
from tests.models.tiny import tiny_model

VOCABULARY, WIDTH, INNER = 96, 64, 160


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    model = tiny_model(
        shaken=False, vocab_size=VOCABULARY, hidden_size=WIDTH, intermediate_size=INNER
    )
    return dict(model.named_parameters())


def xavier_bound(fan_in: int, fan_out: int, gain: float = 1.0) -> float:
    """Glorot and Bengio 2010: U(-a, a) with a = gain sqrt(6 / (fan in + fan out))."""
    return gain * math.sqrt(6 / (fan_in + fan_out))


def assert_uniform(weight: Tensor, bound: float) -> None:
    """Within the bound, close to it at the ends, and with the spread and mean of U(-a, a)."""
    assert 0.99 * bound < weight.abs().max() <= bound
    assert weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.03)
    assert abs(weight.mean().item()) < 4 * bound / math.sqrt(3 * weight.numel())


def test_the_embedding_is_xavier(weights: dict[str, Tensor]) -> None:
    assert_uniform(weights["model.embed_tokens.weight"], xavier_bound(VOCABULARY, WIDTH))


@pytest.mark.parametrize("layer", range(3))
def test_query_key_and_value_are_xavier_each(weights: dict[str, Tensor], layer: int) -> None:
    fused = weights[f"model.layers.{layer}.attention.qkv_proj.weight"]
    for third in fused.chunk(3):
        assert_uniform(third, xavier_bound(WIDTH, WIDTH))


@pytest.mark.parametrize("layer", range(3))
def test_projections_are_xavier_with_the_relu_gain_on_the_first_only(
    weights: dict[str, Tensor], layer: int
) -> None:
    prefix = f"model.layers.{layer}."
    first, second = (weights[f"{prefix}mlp.{name}_proj.weight"] for name in ("up", "down"))
    assert_uniform(first, xavier_bound(WIDTH, INNER, gain=math.sqrt(2)))
    assert_uniform(second, xavier_bound(WIDTH, INNER))
    assert_uniform(weights[f"{prefix}attention.out_proj.weight"], xavier_bound(WIDTH, WIDTH))


def test_the_output_layer_is_xavier_and_its_own(weights: dict[str, Tensor]) -> None:
    assert_uniform(weights["lm_head.weight"], xavier_bound(VOCABULARY, WIDTH))
    assert weights["lm_head.weight"] is not weights["model.embed_tokens.weight"]


def test_biases_are_zero_and_norms_the_identity(weights: dict[str, Tensor]) -> None:
    for name, weight in weights.items():
        if name.endswith("bias"):
            assert weight.eq(0).all(), name
        elif "norm" in name:
            assert weight.eq(1).all(), name


def test_attention_projections_have_no_bias_and_the_others_do(
    weights: dict[str, Tensor],
) -> None:
    biases = {name.removeprefix("model.layers.0.") for name in weights if "bias" in name}
    assert {name for name in biases if not name.startswith("model.")} == {
        "attention_norm.bias",
        "mlp_norm.bias",
        "mlp.up_proj.bias",
        "mlp.down_proj.bias",
        "lm_head.bias",
    }


def test_the_number_of_parameters_is_that_of_the_architecture() -> None:
    model = tiny_model(vocab_size=VOCABULARY, hidden_size=WIDTH, intermediate_size=INNER)
    layer = 4 * WIDTH**2 + 2 * WIDTH * INNER + INNER + WIDTH + 4 * WIDTH
    assert model.num_parameters() == 3 * layer + 2 * VOCABULARY * WIDTH + VOCABULARY


def test_a_seed_decides_the_weights() -> None:
    first, again, other = (_flat(tiny_model(shaken=False, seed=seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def _flat(model: VanillaTransformerForCausalLM) -> Tensor:
    return torch.cat([parameter.flatten() for parameter in model.parameters()])
