from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModel, AutoModelForCausalLM

from hf_grok.models import VanillaTransformerForCausalLM, VanillaTransformerModel
from tests.models.tiny import SENTENCES, padded, tiny_model


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    tiny_model("eager").save_pretrained(tmp_path)
    return tmp_path


@pytest.mark.parametrize("loader", [AutoModelForCausalLM, VanillaTransformerForCausalLM])
def test_a_saved_model_comes_back_bit_for_bit(saved: Path, loader: type) -> None:
    model, loaded = tiny_model("eager"), loader.from_pretrained(saved, attn_implementation="eager")
    assert type(loaded) is VanillaTransformerForCausalLM
    for name, weight in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], weight), name
    ids, mask = padded(SENTENCES, "right")
    assert torch.equal(
        loaded(ids, attention_mask=mask).logits, model(ids, attention_mask=mask).logits
    )


def test_the_base_model_loads_from_a_language_model(saved: Path) -> None:
    base = AutoModel.from_pretrained(saved, attn_implementation="eager")
    assert type(base) is VanillaTransformerModel
    ids = torch.tensor([SENTENCES[1]])
    states = base(ids).last_hidden_state
    assert torch.equal(states, tiny_model("eager").model(ids).last_hidden_state)


def test_the_file_holds_parameters_only_and_no_attention_implementation(saved: Path) -> None:
    config = json.loads((saved / "config.json").read_text())
    assert config["model_type"] == "vanilla_transformer"
    assert config["architectures"] == ["VanillaTransformerForCausalLM"]
    assert not any("attn" in key for key in config)
    names = set(tiny_model().state_dict())
    assert names == set(dict(tiny_model().named_parameters()))


def test_a_model_loads_in_half_precision(saved: Path) -> None:
    half = AutoModelForCausalLM.from_pretrained(saved, dtype=torch.bfloat16)
    ids = torch.tensor([SENTENCES[1]])
    logits, exact = half(ids).logits, tiny_model()(ids).logits
    assert logits.dtype == torch.bfloat16
    assert (logits.float() - exact).abs().max() < 0.1 * exact.abs().max()


def test_the_table_of_positions_may_grow_on_loading(saved: Path) -> None:
    longer = AutoModelForCausalLM.from_pretrained(saved, max_position_embeddings=100)
    ids = torch.tensor([[1] * 60])
    torch.testing.assert_close(longer(ids).logits, tiny_model("sdpa")(ids).logits)
    assert longer(torch.tensor([[1] * 100])).logits.shape == (1, 100, 37)


def test_the_vocabulary_may_grow(saved: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(saved)
    ids = torch.tensor([SENTENCES[0]])
    before = model(ids).logits
    model.resize_token_embeddings(40, mean_resizing=False)
    assert model.lm_head.bias.shape == (40,)
    torch.testing.assert_close(model(ids).logits[..., :37], before)
