"""The batched attention against the library's own, over stock models."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig

from hf_grok.attention import batched
from hf_grok.attention.batched import register_batched_attention
from hf_grok.recipes.trainer.pooled_dropout import MaskPools, pool_dropout

CONFIGS = {
    "gpt2": GPT2Config(
        n_layer=2, n_embd=16, n_head=4, vocab_size=40, n_positions=32, attn_pdrop=0.25
    ),
    "llama": LlamaConfig(
        num_hidden_layers=2,
        hidden_size=16,
        intermediate_size=32,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=40,
        max_position_embeddings=32,
    ),
}


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("padding", ["none", "left", "right"])
def test_equal_to_eager(name: str, padding: str) -> None:
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(CONFIGS[name], attn_implementation="eager").eval()
    ids = torch.randint(4, 40, (3, 9))
    mask = torch.ones_like(ids)
    if padding == "left":
        mask[0, :4] = 0
    elif padding == "right":
        mask[0, 5:] = 0
    given = None if padding == "none" else mask
    expected = model(ids, attention_mask=given)
    model.set_attn_implementation(register_batched_attention())
    actual = model(ids, attention_mask=given)
    real = mask.bool()
    torch.testing.assert_close(actual.logits[real], expected.logits[real], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CONFIGS)
def test_the_future_is_not_seen(name: str) -> None:
    model = AutoModelForCausalLM.from_config(
        CONFIGS[name], attn_implementation=register_batched_attention()
    ).eval()
    ids = torch.randint(4, 40, (2, 9))
    changed = ids.clone()
    changed[:, -1] = (changed[:, -1] - 3) % 36 + 4
    assert torch.equal(model(ids).logits[:, :-1], model(changed).logits[:, :-1])


def test_rows_longer_than_masks_are_kept_for_see_the_same_and_leave_nothing() -> None:
    """512 lengths about 2,000 would keep 8 GB."""
    module, device = nn.Module(), torch.device("cpu")
    batched._kept_causal.cache_clear()
    for length in (40, 300):
        query, key, value = torch.randn(3, 1, 2, length, 4, device=device).unbind()
        output, attention = batched.batched_attention(module, query, key, value, None)
        expected = nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        torch.testing.assert_close(output.transpose(1, 2), expected)
        assert not attention.triu(1).any()
    assert batched._kept_causal.cache_info().currsize == 1


def test_a_cached_step_equals_the_whole_pass() -> None:
    model = AutoModelForCausalLM.from_config(
        CONFIGS["gpt2"], attn_implementation=register_batched_attention()
    ).eval()
    ids = torch.randint(4, 40, (2, 9))
    cached = model(ids[:, :6], use_cache=True).past_key_values
    stepwise = model(ids[:, 6:], past_key_values=cached).logits
    torch.testing.assert_close(stepwise, model(ids).logits[:, 6:], rtol=1e-5, atol=1e-5)


def test_training_reads_its_dropout_from_the_pools() -> None:
    model = AutoModelForCausalLM.from_config(
        CONFIGS["gpt2"], attn_implementation=register_batched_attention()
    ).train()
    pools = MaskPools(seed=0)
    pool_dropout(model, pools)
    ids = torch.randint(4, 40, (2, 9))
    state = torch.random.get_rng_state()

    def at_step(step: int) -> torch.Tensor:
        pools.seek(step)
        return model(ids).logits

    assert torch.equal(at_step(3), at_step(3))
    assert not torch.equal(at_step(3), at_step(4))
    assert torch.equal(torch.random.get_rng_state(), state)


def test_padding_in_front_is_finite_under_autocast() -> None:
    # Llama's rotary positions leave float32 queries; their mask was -inf in the bfloat16 products.
    model = AutoModelForCausalLM.from_config(
        CONFIGS["llama"], attn_implementation=register_batched_attention()
    ).eval()
    mask = torch.ones(2, 9, dtype=torch.int64)
    mask[0, :3] = 0
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(torch.randint(4, 40, (2, 9)), attention_mask=mask).logits
    assert logits.isfinite().all()
