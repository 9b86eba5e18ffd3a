"""Architectures beside the stock ones: what their attention is, and what each probe makes of it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from hf_grok.attention.facts import attention_facts, is_causal
from hf_grok.attention.maps import eager_attention, for_each_layer
from hf_grok.errors import UserError
from hf_grok.measurement.guard import watching
from hf_grok.models import word_level_tokenizer
from hf_grok.models.text_model import transformer_of
from hf_grok.probes import Probe, build_probe
from hf_grok.probes.registry import OURS
from tests.models.other_architectures import made
from tests.probes.matrix import model_of
from tests.probes.test_contract import GRAMMAR, OPTIONS, PAIRS, ROWS

WORDS = {word for words, _, _ in GRAMMAR for word in words}
TOKENIZERS = {
    True: word_level_tokenizer(WORDS),
    False: word_level_tokenizer(WORDS, mask=True, append_end=True),
}
# (layers, heads, causal, its maps come from code of its own)
FACTS = {
    **dict.fromkeys(("llava", "qwen2_vl", "gemma3_sees", "gpt_oss", "gemma2"), (2, 4, True, False)),
    **dict.fromkeys(("bloom", "falcon", "gpt_neo", "gptj"), (2, 4, True, True)),
    **dict.fromkeys(("albert", "t5", "bart", "roberta"), (2, 4, False, False)),
    **dict.fromkeys(("deberta", "xlnet"), (2, 4, False, True)),
    "bart_decoder": (1, 4, True, False),
    "bert_decoder": (2, 4, True, False),
}
WITHOUT = {
    "longformer": "has attention code of its own, and reported 2 maps of shape",
    "funnel": "reported 4 maps of shape",
    "mamba": "reported 0 maps of shape none",
    "squeezebert": "holds numbers below 0",
}
ATTENTION = ("uas", "sparsity", "tree")
SCORES = ("pairs", "class_loss", "fisher", "intrinsic_dimension")
READING = tuple(name for name in OURS if name != "norm")


def probe_of(name: str, *, causal: bool) -> Probe:
    rows = PAIRS[:2] if name == "pairs" else ROWS[:6]
    return build_probe(name, rows, TOKENIZERS[causal], **OPTIONS.get(name, {}))


def inputs() -> dict[str, Tensor]:
    ids = torch.tensor([[5, 6, 7, 8, 9], [5, 9, 7, 0, 0]])
    return {"input_ids": ids, "attention_mask": (ids != 0).long()}


@pytest.mark.parametrize("name", FACTS)
def test_what_its_attention_is(name: str) -> None:
    model = made(name)
    facts = attention_facts(model)
    assert (facts.layers, facts.heads, facts.causal, facts.reported) == FACTS[name]
    assert facts == attention_facts(transformer_of(model))


@pytest.mark.parametrize("name", ["albert", "bloom", "deberta", "falcon", "gpt_neo", "llava", "t5"])
def test_maps_are_those_that_the_library_reports(name: str) -> None:
    model = transformer_of(made(name))
    maps: list[Tensor] = []
    with torch.no_grad(), eager_attention(model):
        for_each_layer(model, lambda layer, attention: maps.append(attention), **inputs())
        reported = model(**inputs(), output_attentions=True).attentions
    assert len(maps) == len(reported)
    for ours, theirs in zip(maps, reported, strict=True):
        torch.testing.assert_close(ours, theirs)
        torch.testing.assert_close(ours[0].sum(-1), torch.ones(4, 5))
        assert (ours[1, :, :3, 3:] == 0).all()


@pytest.mark.parametrize("name", ["llava", "gemma3_sees", "bloom", "deberta", "albert", "falcon"])
def test_probes_give_numbers_and_change_nothing(name: str) -> None:
    model, causal = made(name), FACTS[name][2]
    before = {key: value.clone() for key, value in model.state_dict().items()}
    implementation, hooks = model.config._attn_implementation, _hooks(model)
    for probe in READING:
        measured = probe_of(probe, causal=causal)
        with watching(model):
            if FACTS[name][3] and probe == "tree":
                with pytest.raises(UserError, match=r"a span alone: it has attention code of its"):
                    measured.state(model)
            else:
                assert measured.compute(measured.state(model)), probe
    assert model.config._attn_implementation == implementation
    assert _hooks(model) == hooks
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


def test_a_language_model_within_another_has_the_numbers_that_it_has_alone() -> None:
    whole = made("llava")
    alone = model_of("llama")  # for its class: the weights are those of the part
    alone = type(alone)(whole.config.text_config).eval()
    alone.model.load_state_dict(whole.model.language_model.state_dict())
    alone.lm_head.load_state_dict(whole.lm_head.state_dict())
    for name in READING:
        expected = probe_of(name, causal=True).measure(alone)
        assert probe_of(name, causal=True).measure(whole) == pytest.approx(expected, rel=1e-4), name


@pytest.mark.parametrize("name", WITHOUT)
def test_what_is_no_softmax_over_the_words_is_refused(name: str) -> None:
    model = made(name)
    for probe in ATTENTION:
        with pytest.raises(UserError, match=WITHOUT[name]):
            probe_of(probe, causal=False).measure(model)
    assert is_causal(model) == (name == "mamba")
    for probe in ("class_loss", "intrinsic_dimension"):
        assert probe_of(probe, causal=name == "mamba").measure(model)


def test_a_model_of_two_minds_is_refused() -> None:
    # Its text is masked causally under eager attention, and not at all under fused kernels.
    model = made("paligemma")
    for probe in READING:
        with pytest.raises(UserError, match="does not say whether its attention is causal"):
            probe_of(probe, causal=True).measure(model)


@pytest.mark.parametrize("name", ["bart", "t5"])
def test_of_an_encoder_with_a_decoder_the_encoder_is_looked_at(name: str) -> None:
    model = made(name)
    for probe in ATTENTION:
        expected = probe_of(probe, causal=False).measure(model.get_encoder())
        assert probe_of(probe, causal=False).measure(model) == pytest.approx(expected)
    for probe in SCORES:
        with pytest.raises(UserError, match=r"is an encoder-decoder.*get_encoder"):
            probe_of(probe, causal=False).measure(model)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", OURS)
def test_weights_that_are_no_numbers_are_refused(name: str, value: float) -> None:
    model = model_of("llama")
    with torch.no_grad():
        model.model.layers[1].self_attn.q_proj.weight[0, 0] = value
    probe = probe_of(name, causal=True) if name != "norm" else build_probe("norm", None, None)
    with pytest.raises(UserError, match=r"'model.layers.1.self_attn.q_proj.weight' holds a number"):
        probe.measure(model)


def test_the_window_of_a_model_that_does_not_say_what_is_in_it() -> None:
    rows = [{"words": ["the", "cat", "sees"] * 4}]
    probe = build_probe("sparsity", rows, TOKENIZERS[True])
    with pytest.raises(UserError, match="a window of 8 tokens, and does not say what lies in it"):
        probe.measure(made("gpt_neo"))


def _hooks(model: Any) -> list[int]:
    return [len(module._forward_hooks) for module in model.modules()]
