"""The token mean of masked and causal outputs, against the mean over all labels written out."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from transformers.modeling_outputs import (
    CausalLMOutputWithCrossAttentions,
    CausalLMOutputWithPast,
    MaskedLMOutput,
    ModelOutput,
    Seq2SeqLMOutput,
)

from hf_grok.errors import UserError
from hf_grok.sas.losses.masked import token_mean_loss
from tests.probes.matrix import model_of

OWN_POSITION = (MaskedLMOutput, Seq2SeqLMOutput)
ONE_BEFORE = (CausalLMOutputWithPast, CausalLMOutputWithCrossAttentions)


def material() -> tuple[torch.Tensor, torch.Tensor]:
    logits = torch.randn(6, 5, 9, requires_grad=True)
    labels = torch.randint(0, 9, (6, 5)).masked_fill(torch.rand(6, 5) < 0.7, -100)
    labels[:, 3] = 4
    return logits, labels


def written_out(logits: torch.Tensor, labels: torch.Tensor, *, before: int = 0) -> torch.Tensor:
    places = [(b, t) for b, t in (labels != -100).nonzero().tolist() if t >= before]
    losses = [-logits[b, t - before].log_softmax(-1)[labels[b, t]] for b, t in places]
    return torch.stack(losses).mean()


@pytest.mark.parametrize("kind", OWN_POSITION + ONE_BEFORE)
def test_is_the_mean_over_labels_where_the_outputs_place_them(kind: type[ModelOutput]) -> None:
    logits, labels = material()
    found = token_mean_loss(kind(logits=logits), labels)
    before = int(kind in ONE_BEFORE)
    torch.testing.assert_close(found, written_out(logits, labels, before=before))


@pytest.mark.parametrize("name", ["llama", "gpt2", "bert", "modernbert"])
def test_is_the_loss_of_the_models_own_head(name: str) -> None:
    model, ids = model_of(name, 20).eval(), torch.randint(3, 20, (2, 7))
    outputs = model(input_ids=ids, labels=ids)
    torch.testing.assert_close(token_mean_loss(outputs, ids), outputs.loss)


@pytest.mark.parametrize("kind", [MaskedLMOutput, CausalLMOutputWithPast])
@pytest.mark.parametrize("cuts", [[6], [1, 5], [2, 2, 2], [1] * 6])
def test_parts_add_up_to_the_whole_batch(cuts: list[int], kind: type[ModelOutput]) -> None:
    logits, labels = material()
    before = int(kind in ONE_BEFORE)
    items = (labels[:, before:] != -100).sum()
    parts = [
        token_mean_loss(kind(logits=own), wanted, items)
        for own, wanted in zip(logits.split(cuts), labels.split(cuts), strict=True)
    ]
    expected = written_out(logits, labels, before=before)
    torch.testing.assert_close(sum(parts), expected)
    (gradient,) = torch.autograd.grad(sum(parts), logits, retain_graph=True)
    (wanted,) = torch.autograd.grad(expected, logits)
    torch.testing.assert_close(gradient, wanted)


def test_half_precision_is_summed_in_full() -> None:
    logits, labels = material()
    half = MaskedLMOutput(logits=logits.bfloat16())
    assert token_mean_loss(half, labels).dtype == torch.float32


def test_outputs_that_do_not_say_where_labels_belong_are_refused() -> None:
    logits, labels = material()
    with pytest.raises(UserError, match=r"SimpleNamespace.*MaskedLMOutput.*CausalLMOutput"):
        token_mean_loss(SimpleNamespace(logits=logits), labels)
    with pytest.raises(UserError, match=r"tuple without logits.*return_dict=True"):
        token_mean_loss((logits,), labels)
