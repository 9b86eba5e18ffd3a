"""What attentions add to their softmax: computed as the library computes it, or refused by name."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.models.llama import modeling_llama

from hf_grok.attention.arcs import BATCHED, FUSED, register_arc_attentions
from hf_grok.attention.batched import register_batched_attention
from hf_grok.attention.pairs import gather_pairs
from hf_grok.attention.proof import PROOF, not_replaceable_because
from hf_grok.attention.spans import sees_span_alone
from hf_grok.attention.terms import REFUSED, Terms, softmax_with
from hf_grok.errors import UserError
from hf_grok.models.text_model import transformer_of
from hf_grok.recipes.trainer.attention import set_attention
from hf_grok.sas.attention.choice import arc_attention_for
from hf_grok.sas.attention.switch import set_arc_attention
from tests.models.other_architectures import fill_sinks, made
from tests.probes.matrix import model_of

ADDING = ("gpt_oss", "gemma2", "vaultgemma", "granite_swa", "t5_encoder")
CLOSE = {"atol": 2e-5, "rtol": 1e-4}
CPU = torch.device("cpu")


def adding(name: str) -> PreTrainedModel:
    """A model whose added terms change its states in the first decimals."""
    model = made(name, noise=0.3)
    fill_sinks(model, 2.0)
    return model


def batch() -> dict[str, Tensor]:
    torch.manual_seed(1)
    mask = torch.ones(2, 7, dtype=torch.int64)
    mask[1, 5:] = 0
    return {"input_ids": torch.randint(4, 30, (2, 7)), "attention_mask": mask}


def states(model: nn.Module, **inputs: Any) -> Tensor:
    real = inputs["attention_mask"].bool()
    with torch.no_grad():
        return transformer_of(model)(**inputs)[0][real]


@pytest.mark.parametrize("sink_shape", ["heads", "queries"])
def test_softmax_with_every_term_by_the_formula(sink_shape: str) -> None:
    torch.manual_seed(0)
    scores, bias = 5 * torch.randn(2, 3, 4, 4).double(), torch.randn(1, 3, 4, 4).double()
    mask = torch.zeros(4, 4).masked_fill(torch.ones(4, 4).triu(1).bool(), -1e30).double()
    sinks = torch.randn(3).double() if sink_shape == "heads" else torch.randn(2, 3, 4, 1).double()
    found = softmax_with(Terms(2.0, bias, sinks), scores, mask)
    for b, h, i, j in torch.cartesian_prod(*(torch.arange(n) for n in scores.shape)).tolist():
        capped = [2 * math.tanh(float(s) / 2) for s in scores[b, h, i]]
        logits = [c + float(p) for c, p in zip(capped, bias[0, h, i], strict=True)]
        sink = math.exp(float(sinks[h] if sink_shape == "heads" else sinks[b, h, i, 0]))
        total = sink + sum(math.exp(logits[k]) for k in range(i + 1))
        expected = math.exp(logits[j]) / total if j <= i else 0.0
        assert float(found[b, h, i, j]) == pytest.approx(expected)


@pytest.mark.parametrize("name", ADDING)
def test_batched_attention_is_the_models_own(name: str) -> None:
    model, inputs = adding(name), batch()
    model.set_attn_implementation("eager")
    expected = states(model, **inputs)
    model.set_attn_implementation(register_batched_attention())
    torch.testing.assert_close(states(model, **inputs), expected, **CLOSE)


@pytest.mark.parametrize("name", ADDING)
def test_a_span_of_everything_is_the_whole_sentence(name: str) -> None:
    model, inputs = adding(name), batch()
    model.set_attn_implementation("eager")
    expected = states(model, **inputs)
    with sees_span_alone(transformer_of(model), inputs["attention_mask"].bool(), 0):
        found = states(model, **inputs)
    torch.testing.assert_close(found, expected, **CLOSE)


@pytest.mark.parametrize("name", ["gpt_oss", "gemma2"])
def test_attention_on_arcs_and_its_gradient_are_eagers(name: str) -> None:
    register_arc_attentions()
    model, inputs = adding(name), batch()
    pairs = torch.tensor([[[3, 1], [6, 2]], [[4, 0], [-1, -1]]])
    answers = []
    for implementation, asked in (("eager", {}), (BATCHED, {"sas_pairs": pairs})):
        model.set_attn_implementation(implementation)
        maps = transformer_of(model)(**inputs, output_attentions=True, **asked).attentions
        alpha = torch.stack([one if asked else gather_pairs(one, pairs) for one in maps])
        model.zero_grad()
        alpha.square().sum().backward()
        answers.append((alpha, {n: p.grad for n, p in model.named_parameters()}))
    torch.testing.assert_close(*(alpha for alpha, _ in answers), **CLOSE)
    torch.testing.assert_close(*(gradients for _, gradients in answers), **CLOSE)


@pytest.mark.parametrize("name", ["gpt_oss", "gemma2"])
def test_the_regulariser_takes_what_computes_the_terms(name: str) -> None:
    model = adding(name)
    chosen = arc_attention_for("auto", model, device=CPU, dtype=torch.float32, length=500)
    assert chosen.implementation == BATCHED
    assert "which no fused kernel computes" in chosen.reason
    set_arc_attention(model, BATCHED)
    model.set_attn_implementation(FUSED)
    with pytest.raises(UserError, match=r"adds .* which no fused kernel computes"):
        states(model, **batch())


def test_a_map_that_is_not_eagers_is_no_attention_on_arcs() -> None:
    register_arc_attentions()
    model = adding("granite_swa")  # its maps leave out the sinks that its sums have in them
    assert not_replaceable_because(model, BATCHED) is None
    with pytest.raises(UserError, match="attends otherwise than ours on the same states"):
        set_arc_attention(model, BATCHED)
    chosen = arc_attention_for("auto", model, device=CPU, dtype=torch.float32)
    assert chosen.implementation == "eager"


@pytest.mark.parametrize("name", ["gpt_oss", "gemma2", "gemma3"])
def test_what_a_run_trains_is_what_its_saved_model_computes(name: str, tmp_path: Any) -> None:
    model, inputs = adding(name), batch()
    set_attention(model, "auto", CPU)
    assert model.config._attn_implementation == register_batched_attention()
    model.save_pretrained(tmp_path)
    # transformers 5.18 loads Gemma 2 with scaled products, which leave out its cap.
    loaded = type(model).from_pretrained(tmp_path, attn_implementation="eager").eval()
    torch.testing.assert_close(states(model, **inputs), states(loaded, **inputs), **CLOSE)


@pytest.mark.parametrize("name", ["bloom", "gpt_neo", "mamba"])
def test_a_model_with_code_of_its_own_keeps_it(name: str) -> None:
    model, inputs = made(name), batch()
    expected = states(model, **inputs)
    before = model.config._attn_implementation
    set_attention(model, "auto", CPU)
    assert model.config._attn_implementation == before
    torch.testing.assert_close(states(model, **inputs), expected)
    with pytest.raises(UserError, match=r"'batched': its layers do not hand their attention over"):
        set_attention(model, "batched", CPU)


def test_an_implementation_that_a_model_lacks_is_refused_in_plain_words() -> None:
    with pytest.raises(UserError, match="GptOssForCausalLM cannot be trained with attention 'sdpa"):
        set_attention(made("gpt_oss"), "sdpa", CPU)


@pytest.mark.parametrize("term", REFUSED)
def test_a_term_that_is_not_computed_is_refused_by_name(term: str) -> None:
    model, inputs = model_of("llama"), batch()
    for implementation in (register_batched_attention(), *register_arc_attentions()):
        model.set_attn_implementation(implementation)
        with pytest.raises(UserError, match=f"LlamaAttention adds {term} to its attention"):
            states(model, **inputs, **{term: torch.ones(1)})


def test_a_term_that_nobody_has_named_is_found_by_trying(monkeypatch: pytest.MonkeyPatch) -> None:
    eager = modeling_llama.eager_attention_forward

    def with_a_twist(module: nn.Module, query: Tensor, *others: Any, **named: Any) -> Any:
        return eager(module, query.clamp(max=6.0), *others, **named)

    model, batched = model_of("llama"), register_batched_attention()
    own = model.config._attn_implementation
    assert not_replaceable_because(model, batched) is None
    monkeypatch.setattr(modeling_llama, "eager_attention_forward", with_a_twist)
    assert "LlamaAttention, called with" in (not_replaceable_because(model, batched) or "")
    set_attention(model, "auto", CPU)
    assert model.config._attn_implementation == own != PROOF
