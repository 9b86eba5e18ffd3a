"""Every measure is one thing on every causal model: in batches and line by line."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoModelForCausalLM as Auto
from transformers import (
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    PretrainedConfig,
    PreTrainedModel,
)

from hf_grok.measurement.length_batches import TOKEN_BUDGET
from hf_grok.models import VanillaTransformerConfig
from hf_grok.probes.tasks import Behaviour, QuestionBehaviour, TenseBehaviour, TokenLoss
from tests.probes.tasks import test_question, test_tense
from tests.probes.tasks.material import greedy_words, train

TOKENIZER = test_question.TOKENIZER
SIZE = len(TOKENIZER)
SIZES = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 64,
}
CONFIGS: dict[str, PretrainedConfig] = {
    "vanilla": VanillaTransformerConfig(vocab_size=SIZE, **SIZES),
    "gpt2": GPT2Config(vocab_size=SIZE, n_embd=16, n_layer=2, n_head=2, n_positions=64),
    "llama": LlamaConfig(vocab_size=SIZE, num_key_value_heads=1, **SIZES),
    "neox": GPTNeoXConfig(vocab_size=SIZE, **SIZES),
}
TEXTS = [str(row["text"]) for row in test_question.ROWS]


def model_of(name: str) -> PreTrainedModel:
    torch.manual_seed(0)
    model = Auto.from_config(CONFIGS[name]).eval()
    train(model, TOKENIZER, TEXTS, 30)
    return model


@pytest.mark.parametrize("name", CONFIGS)
def test_batches_equal_single_lines(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(name)
    measures: list[Behaviour] = [
        QuestionBehaviour(test_question.ROWS, TOKENIZER),
        TokenLoss(TEXTS, TOKENIZER),
    ]
    for measure in measures:
        together = measure.tally(model)
        with monkeypatch.context() as patch:
            patch.setitem(TOKEN_BUDGET, "cpu", 1)
            alone = measure.tally(model)
        assert together.ratios() == pytest.approx(alone.ratios(), rel=1e-5)


@pytest.mark.parametrize("name", CONFIGS)
def test_exact_match_is_what_generate_says(name: str) -> None:
    model = model_of(name)
    hits = 0
    asked = [row for row in test_question.ROWS if row["task"] == "quest"]
    # Half of the targets are what the model says itself, so that both answers occur.
    rows = []
    for number, row in enumerate(asked):
        gold = str(row["target"]).split()
        said = greedy_words(model, TOKENIZER, str(row["source"]), len(gold))
        if number % 2 and said[0] in test_question.AUXILIARIES:
            row = {**row, "target": " ".join(said)}
        hits += said == str(row["target"]).split()
        rows.append(row)
    assert QuestionBehaviour(rows, TOKENIZER).tally(model)["exact_match"] == (hits, len(rows))


@pytest.mark.parametrize("name", CONFIGS)
def test_tense_is_what_generate_says(name: str) -> None:
    torch.manual_seed(0)
    config = type(CONFIGS[name])(**{**CONFIGS[name].to_dict(), "vocab_size": SIZE})
    model = Auto.from_config(config).eval()
    tokenizer = test_tense.TOKENIZER
    assert len(tokenizer) <= SIZE
    train(model, tokenizer, [str(row["text"]) for row in test_tense.ROWS], 60)
    tally = TenseBehaviour(test_tense.ROWS, tokenizer).tally(model)
    expected = test_tense.one_by_one(model)
    assert {key: tally[key][0] for key in expected} == expected
