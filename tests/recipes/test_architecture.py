"""Options of one architecture under another's names; none is handed on that is not heeded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

from hf_grok.errors import UserError
from hf_grok.models.tokenizer import word_level_tokenizer
from hf_grok.recipes.architecture import carried_over
from hf_grok.recipes.build import build_config
from hf_grok.recipes.checks import check_settings
from hf_grok.recipes.objective import is_masked
from hf_grok.recipes.recipe import Settings, load_recipe, parse
from tests.recipes.tiny import train_tiny

TOKENIZER = word_level_tokenizer(["a", "b", "."])
# What each architecture calls the recipes' options; those that it has nothing like are absent.
EXPECTED: dict[str, dict[str, Any]] = {
    "gpt2": {"n_inner": 512, "resid_pdrop": 0.1, "embd_pdrop": 0.1, "attn_pdrop": 0.1},
    "gpt_neo": {
        "intermediate_size": 512,
        "resid_dropout": 0.1,
        "embed_dropout": 0.1,
        "attention_dropout": 0.1,
    },
    "gpt_neox": {"intermediate_size": 512, "hidden_dropout": 0.1, "attention_dropout": 0.1},
    "gptj": {"n_inner": 512, "resid_pdrop": 0.1, "embd_pdrop": 0.1, "attn_pdrop": 0.1},
    "llama": {"intermediate_size": 512, "attention_dropout": 0.1},
    "mistral": {"intermediate_size": 512, "attention_dropout": 0.1},
    "qwen2": {"intermediate_size": 512, "attention_dropout": 0.1},
    "opt": {"ffn_dim": 512, "dropout": 0.1, "attention_dropout": 0.1},
    "bloom": {"hidden_dropout": 0.1, "attention_dropout": 0.1},
    "falcon": {"ffn_hidden_size": 512, "hidden_dropout": 0.1, "attention_dropout": 0.1},
    "mamba": {"intermediate_size": 512},
    "bert": {
        "intermediate_size": 512,
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
    },
    "distilbert": {"hidden_dim": 512, "dropout": 0.1, "attention_dropout": 0.1},
    "modernbert": {
        "intermediate_size": 512,
        "embedding_dropout": 0.1,
        "mlp_dropout": 0.1,
        "attention_dropout": 0.1,
    },
}


def chosen(model: str, *words: str) -> Settings:
    return parse(load_recipe("dyck"), ["--model", model, "--layers", "3", *words])


@pytest.mark.parametrize("model", EXPECTED)
def test_a_recipes_options_in_another_architecture(model: str) -> None:
    """Layers are odd and heads few on purpose: defaults of large models do not fit them."""
    settings = chosen(model)
    assert settings.model.model_options == EXPECTED[model]
    config = build_config(settings.model, TOKENIZER)
    assert {name: getattr(config, name) for name in EXPECTED[model]} == EXPECTED[model]
    assert (config.num_hidden_layers, config.hidden_size) == (3, 128)


@pytest.mark.parametrize("model", ["gpt2", "gpt_neo", "gptj", "llama", "bert"])
def test_it_can_be_built_and_run(model: str) -> None:
    config = build_config(chosen(model).model, TOKENIZER)
    family = AutoModelForMaskedLM if is_masked(model) else AutoModelForCausalLM
    built = family.from_config(config, attn_implementation="eager")
    assert torch.isfinite(built(torch.tensor([[1, 2, 3]])).logits).all()


def test_what_has_no_counterpart_is_left_out_and_told() -> None:
    assert chosen("llama").left_out == ("dropout",)
    assert chosen("bloom").left_out == ("intermediate_size",)
    assert chosen("gpt2").left_out == ()


def test_there_and_back() -> None:
    """No option is lost or renamed between two architectures that both have it."""
    ours = {"intermediate_size": 64, "dropout": 0.2, "attention_dropout": 0.3}
    for model in ("gpt2", "opt", "bert", "gpt_neox", "distilbert"):
        theirs, _ = carried_over(ours, model)
        assert carried_over(theirs, "vanilla_transformer") == (ours, ())


def test_masked_recipes_too() -> None:
    settings = parse(load_recipe("sas-mlm"), ["--model", "gpt2"])
    assert settings.model.model_options == {
        "n_inner": 512,
        "max_position_embeddings": 64,
        "resid_pdrop": 0.0,
        "embd_pdrop": 0.0,
        "attn_pdrop": 0.0,
    }
    assert build_config(settings.model, TOKENIZER).n_positions == 64


def test_the_users_own_options_stay_as_they_are_and_are_checked_before_any_data() -> None:
    own = chosen("gpt2", "--model_options", '{"n_inner": 7}')
    assert own.model.model_options == {"n_inner": 7}
    with pytest.raises(UserError, match=r"unknown option of gpt2 'intermediate_size'"):
        check_settings(chosen("gpt2", "--model_options", '{"intermediate_size": 7}'))
    with pytest.raises(UserError, match="unknown model 'gtp2'"):
        chosen("gtp2")


def test_a_recipes_own_model_keeps_its_options() -> None:
    recipe = load_recipe("dyck")
    same = parse(recipe, ["--model", "vanilla_transformer"])
    assert same.model.model_options == recipe.values["model_options"]


def test_a_run_of_another_architecture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--max_steps", "1", "--probes", "none", "--evaluations", "1", "--checkpoints", "1"]
    info = json.loads((train_tiny(tmp_path, "--model", "llama", *words) / "run.json").read_text())
    assert info["arguments"]["model_options"] == {"intermediate_size": 32}
    assert info["left_out_options"] == []
    assert "left out" not in capsys.readouterr().err
