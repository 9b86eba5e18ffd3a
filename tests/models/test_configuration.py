from __future__ import annotations

from typing import Any

import pytest
from huggingface_hub.errors import StrictDataclassFieldValidationError
from transformers import AutoConfig

from hf_grok.errors import UserError
from hf_grok.models import VanillaTransformerConfig


def test_the_defaults_are_those_of_the_reference_model() -> None:
    config = VanillaTransformerConfig()
    assert (config.hidden_size, config.num_attention_heads, config.intermediate_size) == (
        512,
        8,
        2048,
    )
    assert (config.num_hidden_layers, config.dropout, config.attention_dropout) == (6, 0.1, 0.1)
    assert (config.max_position_embeddings, config.layer_norm_eps) == (512, 1e-5)
    assert (config.pad_token_id, config.bos_token_id, config.eos_token_id) == (0, 1, 2)
    assert config.tie_word_embeddings is False


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"hidden_size": 33, "num_attention_heads": 3}, "hidden_size=33: expected an even number"),
        ({"hidden_size": 32, "num_attention_heads": 5}, "num_attention_heads=5: expected a mult"),
        ({"num_hidden_layers": 0}, "num_hidden_layers=0: expected a number above 0"),
        ({"vocab_size": -1}, "vocab_size=-1: expected a number above 0"),
        ({"layer_norm_eps": float("nan")}, "layer_norm_eps=nan: expected a number above 0"),
        ({"dropout": 1.0}, r"dropout=1.0: expected a rate in \[0, 1\)"),
        ({"attention_dropout": -0.1}, r"attention_dropout=-0.1: expected a rate in \[0, 1\)"),
        ({"vocab_size": 2}, "eos_token_id=2: expected None or an id below vocab_size=2"),
        ({"pad_token_id": -1}, "pad_token_id=-1: expected None or an id"),
        ({"eos_token_id": [2, 999]}, r"eos_token_id=\[2, 999\]: expected None or an id"),
    ],
)
def test_a_bad_value_is_refused_with_what_is_allowed(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        VanillaTransformerConfig(**values)


def test_a_value_of_another_type_is_refused() -> None:
    with pytest.raises(
        StrictDataclassFieldValidationError, match="'hidden_size' expected int, got str"
    ):
        VanillaTransformerConfig(hidden_size="512")


def test_a_model_type_finds_its_configuration_with_overrides() -> None:
    config = AutoConfig.for_model("vanilla_transformer", hidden_size=64, num_hidden_layers=2)
    assert isinstance(config, VanillaTransformerConfig)
    assert (config.hidden_size, config.num_hidden_layers, config.dropout) == (64, 2, 0.1)


def test_a_saved_configuration_comes_back(tmp_path: Any) -> None:
    config = VanillaTransformerConfig(vocab_size=75, num_hidden_layers=10, dropout=0)
    config.save_pretrained(tmp_path)
    loaded = AutoConfig.from_pretrained(tmp_path)
    assert type(loaded) is VanillaTransformerConfig
    assert loaded.to_json_string() == config.to_json_string()
