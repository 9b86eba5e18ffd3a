from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import (
    AlbertConfig,
    AlbertForMaskedLM,
    BertModel,
    MambaConfig,
    MambaForCausalLM,
    PreTrainedModel,
    T5Config,
    T5ForConditionalGeneration,
)

from hf_grok.attention.maps import WithoutMapsError
from hf_grok.errors import UserError
from hf_grok.models import word_level_tokenizer
from hf_grok.probes import EmpiricalFisher, Probe, TokenClassLoss, WeightNorm, build_probe
from hf_grok.probes.inputs.wrappers import sees_past_only, unwrapped
from hf_grok.probes.registry import OURS
from tests.probes.matrix import ARCHITECTURES, CAUSAL, LAYERS, SIZES, config_of, model_of
from tests.probes.test_contract import OPTIONS, PAIRS, ROWS, TOKENIZER

WORDS = {word for row in ROWS for word in row["words"]}
MASKED = word_level_tokenizer(WORDS, mask=True, append_end=True)
OF_STATES = ("uas", "sparsity", "tree", "intrinsic_dimension")
OF_PREDICTIONS = ("class_loss", "fisher", "pairs")


def probe_of(name: str, tokenizer: Any = MASKED) -> Probe:
    rows = PAIRS if name == "pairs" else ROWS
    return build_probe(name, rows, tokenizer, **OPTIONS.get(name, {}))


def wide(model: nn.Module) -> Any:
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model.eval()


def adapted(name: str, kind: str = "LoraConfig", **options: Any) -> Any:
    peft = pytest.importorskip("peft", reason="adapters are made with peft")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of peft, about libraries of its own
        config = getattr(peft, kind)(**options)
        return wide(peft.get_peft_model(model_of(name, len(MASKED)), config))


LORA = {"gpt2": "c_attn", "bert": "query", "llama": "q_proj"}


@pytest.mark.parametrize("name", LORA)
def test_a_peft_model_is_measured_with_its_adapters(name: str) -> None:
    model = adapted(name, r=2, target_modules=[LORA[name]])
    inner, bare = model.get_base_model(), model_of(name, len(MASKED))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    asked = [parameter.requires_grad for parameter in model.parameters()]
    for probe in map(probe_of, OURS):
        found = probe.measure(model)
        assert found, probe.name
        assert found == probe.measure(inner), probe.name
        if probe.name in ("sparsity", "class_loss", "norm"):
            assert found != probe.measure(bare), "the adapters count"
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert asked == [parameter.requires_grad for parameter in model.parameters()]


def test_the_norm_of_a_peft_model_is_that_of_all_it_holds() -> None:
    model = adapted("gpt2", r=2, target_modules=["c_attn"])
    squares = {name: p.double().square().sum().item() for name, p in model.named_parameters()}
    of_adapters = sum(square for name, square in squares.items() if "lora_" in name)
    found = WeightNorm().measure(model)
    assert of_adapters > 0
    assert found["norm_squared"] == pytest.approx(sum(squares.values()))
    assert found["norm_l2_over_root_depth"] == pytest.approx(found["norm_l2"] / LAYERS**0.5)


def test_fisher_of_a_peft_model_is_that_of_its_adapters() -> None:
    model = adapted("gpt2", r=2, target_modules=["c_attn"])
    one_by_one = EmpiricalFisher(ROWS, MASKED, method="one_by_one").measure(model)
    assert EmpiricalFisher(ROWS, MASKED).measure(model) == pytest.approx(one_by_one, rel=1e-4)


def test_a_learned_prompt_is_refused() -> None:
    model = adapted("gpt2", "PromptTuningConfig", task_type="CAUSAL_LM", num_virtual_tokens=3)
    with pytest.raises(UserError, match="learned prompt"):
        probe_of("uas").measure(model)
    assert WeightNorm().measure(model)


def test_a_sentence_transformer_is_measured_by_its_transformer(tmp_path: Path) -> None:
    library = pytest.importorskip("sentence_transformers", reason="sentence vectors")
    modules = pytest.importorskip("sentence_transformers.sentence_transformer.modules")
    bare = wide(BertModel(config_of("bert", len(MASKED))))
    bare.save_pretrained(tmp_path)
    MASKED.save_pretrained(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = modules.Transformer(str(tmp_path))
        model = library.SentenceTransformer(modules=[first, modules.Pooling(16)], device="cpu")
    model.eval()
    for name in OF_STATES:
        assert probe_of(name).measure(model) == pytest.approx(probe_of(name).measure(bare)), name
    assert WeightNorm().measure(model) == pytest.approx(WeightNorm().measure(bare))
    for name in OF_PREDICTIONS:
        with pytest.raises(UserError, match="head"):
            probe_of(name).measure(model)


def test_parallel_and_compiled_models_are_seen_through() -> None:
    model = model_of("gpt2")
    compiled = torch.compile(model, backend="eager")
    assert unwrapped(compiled) is model
    assert unwrapped(nn.DataParallel(compiled)) is model
    assert unwrapped(model) is model
    plain = nn.Sequential(nn.Linear(2, 2))
    assert unwrapped(plain) is plain


def mamba() -> Any:
    size = {"vocab_size": len(TOKENIZER), "hidden_size": 16, "num_hidden_layers": 2}
    return wide(MambaForCausalLM(MambaConfig(**size, state_size=4, pad_token_id=0)))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_what_is_tried_is_what_attention_says(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(name)
    monkeypatch.setattr("hf_grok.attention.facts.attention_facts", _says_nothing)
    assert sees_past_only(model) == (name in CAUSAL)


def _says_nothing(model: nn.Module) -> bool:
    raise WithoutMapsError("no attention that says")


def test_a_model_without_attention_predicts_and_has_states() -> None:
    model = mamba()
    assert sees_past_only(model)
    probe = TokenClassLoss(ROWS, TOKENIZER)
    total, tokens = 0.0, 0
    for row in ROWS:
        ids = torch.tensor([TOKENIZER(row["words"], is_split_into_words=True)["input_ids"]])
        with torch.no_grad():
            scores = model(ids).logits[0, :-1].double().log_softmax(-1)
        total -= float(scores.gather(1, ids[0, 1:, None]).sum())
        tokens += ids.shape[1] - 1
    assert probe.measure(model)["class_loss_all"] == pytest.approx(total / tokens, rel=1e-5)
    for name in ("fisher", "intrinsic_dimension", "pairs", "norm"):
        assert probe_of(name, TOKENIZER).measure(model), name
    with pytest.raises(UserError, match="attention"):
        probe_of("uas", TOKENIZER).measure(model)


def test_a_masked_model_that_does_not_say_is_tried() -> None:
    config = AlbertConfig(vocab_size=len(MASKED), embedding_size=8, **SIZES)
    assert not sees_past_only(wide(AlbertForMaskedLM(config)))


def t5() -> PreTrainedModel:
    sizes = {"d_model": 16, "d_kv": 4, "d_ff": 32, "num_layers": 2, "num_heads": 4}
    start = {"decoder_start_token_id": 0, "pad_token_id": 0}
    model: PreTrainedModel = wide(
        T5ForConditionalGeneration(T5Config(vocab_size=len(MASKED), **sizes, **start))
    )
    return model


@pytest.mark.parametrize("name", ["class_loss", "fisher", "pairs", "intrinsic_dimension"])
def test_an_encoder_decoder_is_refused_by_name(name: str) -> None:
    with pytest.raises(UserError, match=r"T5.* is an encoder-decoder.*get_encoder"):
        probe_of(name).measure(t5())


def test_the_encoder_of_an_encoder_decoder_has_states() -> None:
    encoder = t5().get_encoder()
    assert not sees_past_only(encoder)
    assert probe_of("intrinsic_dimension").measure(encoder)


def test_a_model_without_a_vocabulary_is_refused() -> None:

    with pytest.raises(UserError, match="vocabulary"):
        sees_past_only(nn.Linear(2, 2))
