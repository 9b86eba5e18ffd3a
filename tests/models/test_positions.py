"""How many positions a model has, against running it at that length and one more."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hf_grok.errors import UserError
from hf_grok.models import VanillaTransformerConfig, VanillaTransformerForCausalLM
from hf_grok.models.positions import position_limit
from hf_grok.models.text_model import transformer_of
from hf_grok.probes.inputs.encoding import EncodedLines, check_model_fits
from tests.models.other_architectures import made
from tests.probes.matrix import model_of

# RoBERTa and its kin count from behind their padding (0, 1, 3); OPT's and BART's tables have two
# rows more than positions.
LIMITED = {"roberta": 63, "camembert": 62, "xlm_roberta": 60, "longformer": 62, "opt": 64}
LIMITED |= {"bart": 64, "bart_decoder": 64, "gptj": 64, "gpt_neo": 64}
UNLIMITED = ("falcon", "bloom", "t5_encoder", "xlnet", "qwen2_vl", "gpt_oss")


def lines_of(length: int) -> EncodedLines:
    return EncodedLines(torch.full((1, length), 7), torch.tensor([length]), 0)


def run(model: nn.Module, length: int) -> None:
    with torch.no_grad():
        transformer_of(model)(input_ids=torch.full((1, length), 7))


@pytest.mark.parametrize("name", LIMITED)
def test_a_line_that_fits_runs_and_a_longer_one_does_not(name: str) -> None:
    model, limit = made(name), LIMITED[name]
    assert position_limit(model) == limit
    run(model, limit)
    with pytest.raises((IndexError, RuntimeError)):
        run(model, limit + 1)
    check_model_fits(model, lines_of(limit))
    with pytest.raises(UserError, match=f"{limit + 1} tokens and the model only {limit} positions"):
        check_model_fits(model, lines_of(limit + 1))


@pytest.mark.parametrize("name", UNLIMITED)
def test_a_model_without_a_table_reads_any_length(name: str) -> None:
    model = made(name)
    assert position_limit(model) is None
    check_model_fits(model, lines_of(150))
    run(model, 150)


def test_stock_models_and_ours() -> None:
    limits = {name: position_limit(model_of(name)) for name in ("gpt2", "bert", "llama", "neox")}
    assert limits == {"gpt2": 64, "bert": 64, "llama": None, "neox": None}
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = VanillaTransformerConfig(vocab_size=9, max_position_embeddings=11, **sizes)
    assert position_limit(VanillaTransformerForCausalLM(config)) == 11


def test_a_vocabulary_of_a_part() -> None:
    ids = EncodedLines(torch.full((1, 3), 40), torch.tensor([3]), 0)
    with pytest.raises(UserError, match="token id 40 and the model's vocabulary ends at 39"):
        check_model_fits(made("llava"), ids)


def test_nothing_of_the_model_is_changed() -> None:
    model = made("roberta").train()
    before = torch.get_rng_state()
    position_limit(model)
    assert model.training
    assert torch.equal(torch.get_rng_state(), before)
