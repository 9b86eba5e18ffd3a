from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest
import torch
from torch import Tensor
from transformers.modeling_outputs import MaskedLMOutput

from hf_grok.measurement import precision
from hf_grok.measurement.precision import (
    inner_products,
    log_probabilities_of,
    log_softmax,
    squared_norms,
)
from hf_grok.probes.inputs.predictions import negative_log_likelihood
from hf_grok.probes.tasks.loss import summed_loss
from hf_grok.probes.tasks.masked_loss import masked_loss
from hf_grok.sas.losses.masked import token_mean_loss
from tests.test_imports import ROOT

VOCABULARY, TOKENS = 50_000, 24
# A sentence of 24 tokens stays within the 1e-4 that scorers must agree to.
A_TOKEN = 1e-5


def scores(spread: float, middle: float, dtype: torch.dtype = torch.float32) -> Tensor:
    """Logits as language models have them; GPT-2's lie around -100."""
    generator = torch.Generator().manual_seed(0)
    return (spread * torch.randn(1, TOKENS, VOCABULARY, generator=generator) + middle).to(dtype)


def tokens() -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(VOCABULARY, (1, TOKENS), generator=generator)


@pytest.mark.parametrize(("spread", "middle"), [(1.0, 0.0), (4.0, 0.0), (3.0, -100.0)])
def test_log_probabilities_of_a_large_vocabulary(spread: float, middle: float) -> None:
    given, wanted = scores(spread, middle), tokens()
    exact = given.double().log_softmax(-1)
    every = log_softmax(given).double() - exact
    assert every.abs().max() < A_TOKEN
    assert every.mean().abs() < A_TOKEN / 20, "errors of one sign would add up"
    chosen = log_probabilities_of(given, wanted)
    assert torch.equal(chosen, log_softmax(given).gather(-1, wanted[..., None])[..., 0])


def losses() -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
    """Every summed loss of ours, over the tokens of one row."""
    everywhere = torch.ones(1, TOKENS, dtype=torch.bool)

    def shifted(logits: Tensor, ids: Tensor) -> Tensor:
        before = torch.cat([logits, logits[:, :1]], 1)
        return summed_loss(before, torch.cat([ids[:, :1], ids], 1), torch.tensor([TOKENS + 1]))

    return {
        "summed_loss": shifted,
        "masked_loss": lambda logits, ids: masked_loss(logits, ids, everywhere),
        "negative_log_likelihood": lambda logits, ids: negative_log_likelihood(logits, ids).sum(),
        "token_mean_loss": lambda logits, ids: (
            token_mean_loss(MaskedLMOutput(logits=logits), ids) * TOKENS
        ),
    }


@pytest.mark.parametrize("name", losses())
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_every_loss_equals_float64(name: str, dtype: torch.dtype) -> None:
    given, ids = scores(4.0, 0.0, dtype), tokens()
    exact = -given.double().log_softmax(-1).gather(-1, ids[..., None]).sum()
    found = losses()[name](given, ids)
    assert abs(found.item() - exact.item()) < TOKENS * A_TOKEN


def test_gradients_are_those_of_cross_entropy() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 5, 30, generator=generator)
    labels = torch.tensor([[-100, 3, 4, -100, 5], [1, -100, -100, 2, 6]])
    ours, theirs = logits.clone().requires_grad_(), logits.double().requires_grad_()
    negative_log_likelihood(ours, labels).sum().backward()
    torch.nn.functional.cross_entropy(
        theirs.flatten(0, 1), labels.flatten(), reduction="sum"
    ).backward()
    assert ours.grad is not None
    assert theirs.grad is not None
    assert torch.allclose(ours.grad.double(), theirs.grad, atol=1e-7)


@pytest.mark.parametrize("shape", [(), (7,), (5, 7), (3, 5, 7)])
def test_squared_norms_without_float64(shape: tuple[int, ...]) -> None:
    values = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    exact = values.double().square()
    for kept in range(max(1, len(shape))):
        expected = exact.sum(tuple(range(kept, len(shape))))
        assert torch.allclose(squared_norms(values, kept), expected, rtol=1e-14)
        with mock.patch.object(precision, "has_float64", return_value=False):
            assert torch.allclose(squared_norms(values, kept), expected, rtol=1e-6)


def test_inner_products_without_float64() -> None:
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(3, 5, 7, generator=generator) for _ in range(2))
    exact = (left.double() * right.double()).sum((1, 2))
    assert torch.equal(inner_products(left, right), exact)
    with mock.patch.object(precision, "has_float64", return_value=False):
        assert torch.allclose(inner_products(left, right), exact, atol=1e-5)


def torchs_own(file: Path) -> set[str]:
    """What of torch's log-probabilities a file uses, by import, by attribute or by method."""
    wanted = {"cross_entropy", "nll_loss", "CrossEntropyLoss", "NLLLoss", "LogSoftmax", "logsumexp"}
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            found |= {node.attr} & {*wanted, "log_softmax"}
        elif isinstance(node, ast.ImportFrom) and str(node.module).startswith("torch"):
            found |= {alias.name for alias in node.names} & {*wanted, "log_softmax"}
    return found


def test_nothing_of_ours_takes_a_log_softmax_elsewhere() -> None:
    files = [*ROOT.glob("hf_grok/**/*.py"), *ROOT.glob("callbacks/*.py")]
    stray = {file: torchs_own(file) for file in files}
    assert stray.pop(ROOT / "hf_grok" / "measurement" / "precision.py") == {"logsumexp"}
    assert {file: found for file, found in stray.items() if found} == {}
