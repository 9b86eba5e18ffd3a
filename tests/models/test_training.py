from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import Trainer, TrainingArguments

from hf_grok.models import VanillaTransformerForCausalLM
from tests.models.reference import reference_logits
from tests.models.tiny import SENTENCES, padded, tiny_model


def surprisals(model: VanillaTransformerForCausalLM, sentence: list[int]) -> list[float]:
    """-log p(word | words before it) of every word but the first, in nats."""
    logits = reference_logits(model, sentence)
    return [
        -math.log(math.exp(row[word]) / sum(math.exp(value) for value in row))
        for row, word in zip(logits.tolist(), sentence[1:], strict=False)
    ]


def batch() -> dict[str, Tensor]:
    ids, mask = padded(SENTENCES, "right")
    return {"input_ids": ids, "attention_mask": mask, "labels": ids.masked_fill(mask == 0, -100)}


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_the_loss_is_the_mean_surprisal_of_the_scored_words(attention: str) -> None:
    model = tiny_model(attention)
    scored = [value for sentence in SENTENCES for value in surprisals(model, sentence)]
    loss = model(**batch()).loss.item()
    assert len(scored) == 4 + 8 + 1
    assert loss == pytest.approx(sum(scored) / len(scored), abs=1e-5)


def test_the_loss_is_the_sum_over_the_number_of_items_where_that_is_given() -> None:
    model = tiny_model()
    total = sum(value for sentence in SENTENCES for value in surprisals(model, sentence))
    loss = model(**batch(), num_items_in_batch=torch.tensor(7)).loss.item()
    assert loss == pytest.approx(total / 7, abs=1e-5)


def test_the_trainer_reports_the_mean_surprisal_unscaled(tmp_path: Path) -> None:
    """A loss type unknown to the Trainer would multiply by (length - 1) / length."""
    model = tiny_model("sdpa")
    sentences = [[1, 5, 9, 4], [1, 8, 30, 12]]
    expected = [value for sentence in sentences for value in surprisals(model, sentence)]
    rows = [{"input_ids": sentence, "labels": sentence} for sentence in sentences]
    arguments = TrainingArguments(output_dir=str(tmp_path), use_cpu=True, disable_tqdm=True)
    trainer = Trainer(model, arguments, eval_dataset=rows)
    assert model.loss_type == "ForCausalLM"
    assert trainer.evaluate()["eval_loss"] == pytest.approx(sum(expected) / 6, abs=1e-5)


def test_dropout_is_on_embeddings_both_branches_the_inner_layer_and_attention() -> None:
    model = tiny_model(dropout=0.25, num_hidden_layers=2)
    places = [name for name, module in model.named_modules() if isinstance(module, nn.Dropout)]
    assert places == ["model.positions.dropout"] + [
        f"model.layers.{layer}.{name}"
        for layer in range(2)
        for name in ("attention_dropout", "mlp.dropout", "mlp_dropout")
    ]
    assert all(model.get_submodule(name).p == 0.25 for name in places)


@pytest.mark.parametrize(
    "place",
    [
        "positions.dropout",
        "layers.1.attention_dropout",
        "layers.1.mlp.dropout",
        "layers.1.mlp_dropout",
    ],
)
def test_each_dropout_changes_the_loss_in_training_only(place: str) -> None:
    model = tiny_model(dropout=0.0, attention_dropout=0.0)
    expected = model(**batch()).loss
    module = model.get_submodule(f"model.{place}")
    assert isinstance(module, nn.Dropout)
    module.p = 0.5
    torch.testing.assert_close(model(**batch()).loss, expected)
    assert abs(model.train()(**batch()).loss - expected) > 1e-3


def gradients(model: VanillaTransformerForCausalLM, **inputs: Any) -> dict[str, Tensor]:
    model.zero_grad()
    torch.manual_seed(5)
    model(**batch(), **inputs).loss.backward()
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters()}


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("reentrant", [True, False])
def test_gradient_checkpointing_gives_the_same_gradients(attention: str, reentrant: bool) -> None:
    model = tiny_model(attention).train()
    expected = gradients(model)
    enable_checkpointing(model, reentrant)
    calls = count_calls(model.model.layers[0].mlp)
    seen = gradients(model)
    assert len(calls) == 2, "the block was not computed again in the backward pass"
    for name, gradient in expected.items():
        torch.testing.assert_close(seen[name], gradient, msg=name)


def enable_checkpointing(model: VanillaTransformerForCausalLM, reentrant: bool) -> None:
    # The first name is the newer one; the library warns of the second where it has both.
    for name in ("activation_checkpointing_enable", "gradient_checkpointing_enable"):
        if hasattr(model, name):
            getattr(model, name)({"use_reentrant": reentrant})
            return


def count_calls(module: nn.Module) -> list[int]:
    calls: list[int] = []
    module.register_forward_hook(lambda *_: calls.append(1))
    return calls


def test_every_parameter_gets_a_gradient() -> None:
    model = tiny_model("sdpa").train()
    assert all(gradient.abs().sum() > 0 for gradient in gradients(model).values())


def test_eager_and_fused_attention_have_the_same_gradients() -> None:
    plain = gradients(tiny_model("eager", dropout=0.0, attention_dropout=0.0).train())
    fused = gradients(tiny_model("sdpa", dropout=0.0, attention_dropout=0.0).train())
    for name, gradient in plain.items():
        torch.testing.assert_close(fused[name], gradient, rtol=0.0, atol=1e-5, msg=name)


def test_no_cache_is_made_in_training() -> None:
    model = tiny_model("sdpa")
    assert model(**batch()).past_key_values is not None
    assert model.train()(**batch()).past_key_values is None
    assert model(**batch(), use_cache=True).past_key_values is not None
