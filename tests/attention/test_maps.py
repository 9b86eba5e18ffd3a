"""Attention maps of the stock architectures, one layer at a time."""

from __future__ import annotations

import weakref
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import (
    AlbertConfig,
    AlbertModel,
    AttentionInterface,
    AttentionMaskInterface,
    BertConfig,
    BertLMHeadModel,
    GPT2Config,
    GPT2LMHeadModel,
)
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from hf_grok.annotation.alignment import encode_words
from hf_grok.attention.facts import attention_facts, is_causal
from hf_grok.attention.maps import (
    attention_masks,
    batch_inputs,
    eager_attention,
    for_each_layer,
)
from hf_grok.attention.modules import attention_modules
from hf_grok.errors import UserError
from hf_grok.models.text_model import transformer_of
from tests.probes.matrix import ARCHITECTURES, CAUSAL, HEADS, LAYERS, model_of
from tests.probes.uas.material import word_level

WORDS = encode_words(
    [["the", "newts", "."], ["the", "unhappy", "newts", "smile", "."]], word_level()
)


def inputs_of(architecture: str) -> dict[str, Any]:
    return batch_inputs(WORDS, [0, 1], torch.device("cpu"), causal=architecture in CAUSAL)


def maps_of(model: nn.Module, inputs: dict[str, Any]) -> list[Tensor]:
    maps: list[Tensor] = []

    def keep(layer: int, attention: Tensor) -> None:
        assert layer == len(maps)
        maps.append(attention)

    with torch.no_grad(), eager_attention(model):
        for_each_layer(model, keep, **inputs)
    return maps


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_maps_are_those_that_the_library_reports(architecture: str) -> None:
    model, inputs = model_of(architecture), inputs_of(architecture)
    maps = maps_of(transformer_of(model), inputs)
    model.set_attn_implementation("eager")
    with torch.no_grad():
        reported = model(**inputs, output_attentions=True).attentions
    assert len(maps) == len(reported) == LAYERS
    for ours, theirs in zip(maps, reported, strict=True):
        assert ours.shape == (2, HEADS, 6, 6)
        torch.testing.assert_close(ours, theirs)
        torch.testing.assert_close(ours.sum(-1), torch.ones(2, HEADS, 6))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_kind_and_size(architecture: str) -> None:
    model = model_of(architecture)
    assert is_causal(model) == is_causal(transformer_of(model)) == (architecture in CAUSAL)
    facts = attention_facts(model)
    assert facts == attention_facts(transformer_of(model))
    assert (facts.layers, facts.heads, facts.reported) == (LAYERS, HEADS, False)
    assert attention_modules(model) == attention_modules(transformer_of(model))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_masks_say_what_a_query_sees(architecture: str) -> None:
    model, inputs = transformer_of(model_of(architecture)), inputs_of(architecture)
    seen: list[Tensor] = []
    with attention_masks(model) as masks, torch.no_grad(), eager_attention(model):

        def compare(layer: int, attention: Tensor) -> None:
            mask = masks[layer]
            assert mask is not None
            seen.append(mask)
            assert torch.equal((mask > -1e30).expand_as(attention), attention > 0)

        for_each_layer(model, compare, **inputs)
    assert len(seen) == LAYERS


def test_a_bidirectional_model_without_padding_may_have_no_mask() -> None:
    model = transformer_of(model_of("bert"))
    with attention_masks(model) as masks, torch.no_grad(), eager_attention(model):
        for_each_layer(model, lambda layer, attention: None, input_ids=WORDS.ids[1:])
    assert masks == {0: None, 1: None}


def test_batches_are_cut_to_their_longest_sentence() -> None:
    device = torch.device("cpu")
    assert batch_inputs(WORDS, [0], device, causal=True)["input_ids"].shape == (1, 4)
    both = batch_inputs(WORDS, [0, 1], device, causal=False)
    assert both["attention_mask"].tolist() == [[1, 1, 1, 1, 0, 0], [1] * 6]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_padding_changes_no_map(architecture: str) -> None:
    model = transformer_of(model_of(architecture))
    together = maps_of(model, inputs_of(architecture))
    causal = architecture in CAUSAL
    alone = maps_of(model, batch_inputs(WORDS, [0], torch.device("cpu"), causal=causal))
    for padded, plain in zip(together, alone, strict=True):
        torch.testing.assert_close(padded[:1, :, :4, :4], plain)


def test_a_layer_at_a_time_is_kept() -> None:
    model = transformer_of(model_of("bert"))
    alive: list[weakref.ref[Tensor]] = []

    def reduce(layer: int, attention: Tensor) -> None:
        assert not any(reference() is not None for reference in alive)
        alive.append(weakref.ref(attention))

    with torch.no_grad(), eager_attention(model):
        for_each_layer(model, reduce, **inputs_of("bert"))
    assert len(alive) == LAYERS
    assert not any(reference() is not None for reference in alive)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_implementation_is_restored(architecture: str) -> None:
    model = model_of(architecture)
    with eager_attention(model):
        assert model.config._attn_implementation == "eager"
    assert model.config._attn_implementation == "sdpa"
    with pytest.raises(ZeroDivisionError), eager_attention(model):
        raise ZeroDivisionError
    assert model.config._attn_implementation == "sdpa"


def test_an_implementation_of_ones_own_is_restored() -> None:
    AttentionInterface.register("uas_test", sdpa_attention_forward)
    AttentionMaskInterface.register("uas_test", sdpa_mask)
    model = model_of("llama")
    model.set_attn_implementation("uas_test")
    with eager_attention(transformer_of(model)):
        assert model.config._attn_implementation == "eager"
    assert model.config._attn_implementation == "uas_test"


def test_a_wrapped_model_is_switched_inside() -> None:
    class Wrapper(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = model_of("gpt2")

    wrapper = Wrapper()
    with eager_attention(wrapper):
        assert wrapper.inner.config._attn_implementation == "eager"
    assert wrapper.inner.config._attn_implementation == "sdpa"


def test_hooks_go_when_a_reduction_fails() -> None:
    model = transformer_of(model_of("gpt2"))

    def fail(layer: int, attention: Tensor) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), eager_attention(model), attention_masks(model):
        for_each_layer(model, fail, **inputs_of("gpt2"))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_fused_attention_is_refused() -> None:
    model = model_of("bert")
    with pytest.raises(UserError, match=r"no attention map: call this inside .*eager_attention"):
        for_each_layer(model, lambda layer, attention: None, **inputs_of("bert"))


def test_maps_are_of_full_precision() -> None:
    model = transformer_of(model_of("llama")).to(torch.bfloat16)
    assert {attention.dtype for attention in maps_of(model, inputs_of("llama"))} == {torch.float32}


def test_cross_attention_is_not_self_attention() -> None:
    sizes = {"n_embd": 16, "n_layer": 2, "n_head": 2, "vocab_size": 20}
    model = GPT2LMHeadModel(GPT2Config(**sizes, add_cross_attention=True))
    assert attention_modules(model) == [block.attn for block in model.transformer.h]


def test_a_decoder_of_an_encoder_family_is_causal() -> None:
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 2}
    config = BertConfig(vocab_size=20, num_hidden_layers=2, **sizes, is_decoder=True)
    assert is_causal(BertLMHeadModel(config))


def test_a_layer_that_is_run_for_each_is_one_map_each() -> None:
    sizes = {"hidden_size": 16, "embedding_size": 8, "intermediate_size": 16}
    config = AlbertConfig(vocab_size=20, num_hidden_layers=3, num_attention_heads=2, **sizes)
    model = AlbertModel(config).eval()
    assert len(attention_modules(model)) == 1
    facts = attention_facts(model)
    assert (facts.layers, facts.heads, facts.causal) == (3, 2, False)
    maps = maps_of(model, inputs_of("bert"))
    model.set_attn_implementation("eager")
    with torch.no_grad():
        reported = model(**inputs_of("bert"), output_attentions=True).attentions
    assert [torch.equal(*pair) for pair in zip(maps, reported, strict=True)] == [True] * 3


def test_what_is_no_transformer_is_refused() -> None:
    assert attention_modules(nn.Linear(2, 2)) == []
    with (
        pytest.raises(UserError, match="Linear is no PreTrainedModel"),
        eager_attention(nn.Linear(2, 2)),
    ):
        pass


def test_layers_of_both_kinds_are_refused() -> None:
    model = model_of("bert")
    attention_modules(model)[0].is_causal = True
    with pytest.raises(UserError, match="does not say whether its attention is causal"):
        is_causal(model)
