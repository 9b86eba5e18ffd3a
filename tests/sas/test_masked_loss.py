"""The loss of a masked model, against the mean over all labels written out."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from hf_grok.sas.masked_loss import token_mean_loss


def material() -> tuple[torch.Tensor, torch.Tensor]:
    logits = torch.randn(6, 5, 9, requires_grad=True)
    labels = torch.randint(0, 9, (6, 5)).masked_fill(torch.rand(6, 5) < 0.7, -100)
    return logits, labels


def written_out(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    places = (labels != -100).nonzero().tolist()
    losses = [-logits[b, t].log_softmax(-1)[labels[b, t]] for b, t in places]
    return torch.stack(losses).mean()


def test_is_the_mean_over_labels() -> None:
    logits, labels = material()
    found = token_mean_loss(SimpleNamespace(logits=logits), labels)
    torch.testing.assert_close(found, written_out(logits, labels))


@pytest.mark.parametrize("cuts", [[6], [1, 5], [2, 2, 2], [1] * 6])
def test_parts_add_up_to_the_whole_batch(cuts: list[int]) -> None:
    logits, labels = material()
    items = (labels != -100).sum()
    parts = [
        token_mean_loss(SimpleNamespace(logits=own), wanted, items)
        for own, wanted in zip(logits.split(cuts), labels.split(cuts), strict=True)
    ]
    expected = written_out(logits, labels)
    torch.testing.assert_close(sum(parts), expected)
    (gradient,) = torch.autograd.grad(sum(parts), logits, retain_graph=True)
    (wanted,) = torch.autograd.grad(expected, logits)
    torch.testing.assert_close(gradient, wanted)


def test_half_precision_is_summed_in_full() -> None:
    logits, labels = material()
    half = SimpleNamespace(logits=logits.bfloat16())
    assert token_mean_loss(half, labels).dtype == torch.float32
