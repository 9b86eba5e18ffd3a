"""Attention on pairs from the fused kernel against the softmax written out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import pytest
import torch
from torch import Tensor

from hf_grok.attention.fused_arcs import FLOOR, fused_arcs
from hf_grok.attention.fused_kernels import MASK_ALIGNMENT, CudaKernel, Settings, additive, aligned
from hf_grok.attention.pairs import gather_pairs
from hf_grok.errors import UserError

BATCH, HEADS, TOKENS, SIZE, PAIRS = 2, 3, 7, 5, 12
SCALE = 0.4
MASKS = ("none", "causal", "padding left", "padding right", "causal and padding left", "by head")


@dataclass
class Case:
    """Inputs, and the gradients at both outputs."""

    states: tuple[Tensor, Tensor, Tensor]
    mask: Tensor | None
    is_causal: bool
    pairs: Tensor
    at_output: Tensor
    at_alpha: Tensor

    def explicit(self) -> tuple[Tensor, Tensor]:
        """softmax(scale Q K^T + mask), entry by entry; a row that sees nothing is 0."""
        query, key, value = self.states
        scores = SCALE * query @ key.transpose(-1, -2)
        seen = torch.ones_like(scores, dtype=torch.bool) if self.mask is None else self.mask
        if self.is_causal:
            seen = torch.ones_like(scores, dtype=torch.bool).tril()
        attention = scores.masked_fill(~seen, -torch.inf).softmax(-1)
        attention = attention.masked_fill(~seen.any(-1, keepdim=True), 0.0)
        alpha = torch.zeros(*scores.shape[:2], self.pairs.shape[1], dtype=scores.dtype)
        for row, one in enumerate(self.pairs.tolist()):
            for slot, (attending, attended) in enumerate(one):
                if attending >= 0:
                    alpha[row, :, slot] = attention[row, :, attending, attended]
        return (
            attention @ value,
            alpha + 0 * scores.sum(),
        )  # without a pair, a gradient all the same

    def fused(self, **options: float) -> tuple[Tensor, Tensor]:
        return fused_arcs(
            *self.states, self.mask, self.pairs, scale=SCALE, is_causal=self.is_causal, **options
        )

    def gradients(self, outputs: tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
        return torch.autograd.grad(outputs, self.states, (self.at_output, self.at_alpha))


def mask_of(kind: str) -> Tensor | None:
    if kind in ("none", "causal"):
        return None
    mask = torch.ones(BATCH, 1, TOKENS, TOKENS, dtype=torch.bool)
    if "causal" in kind:
        mask = mask.tril()
    if "left" in kind:
        mask[0, ..., :3] = False
    if "right" in kind:
        mask[0, ..., 4:] = False
    if kind == "by head":
        mask = torch.rand(BATCH, HEADS, TOKENS, TOKENS) < 0.6
    return mask


def case_of(kind: str, dtype: torch.dtype = torch.float32, pairs: int = PAIRS) -> Case:
    torch.manual_seed(0)
    shape = (BATCH, TOKENS, HEADS, SIZE)
    states = [torch.randn(shape, dtype=dtype).transpose(1, 2).requires_grad_() for _ in range(3)]
    places = torch.randint(0, TOKENS, (BATCH, pairs, 2))
    places[:, 1::4] = places[:, ::4][:, : places[:, 1::4].shape[1]]  # twice the same
    places[:, 2::4, 0] = 5  # several of one row
    places[:, 3::4] = -1
    return Case(
        (states[0], states[1], states[2]),
        mask_of(kind),
        kind == "causal",
        places,
        torch.randn(BATCH, HEADS, TOKENS, SIZE, dtype=dtype),
        torch.randn(BATCH, HEADS, pairs, dtype=dtype),
    )


def assert_equal_to_explicit(case: Case, **tolerance: float) -> None:
    expected, actual = case.explicit(), case.fused()
    torch.testing.assert_close(actual, expected, **tolerance)
    torch.testing.assert_close(case.gradients(actual), case.gradients(expected), **tolerance)


@pytest.mark.parametrize("kind", MASKS)
def test_value_and_gradients(kind: str) -> None:
    assert_equal_to_explicit(case_of(kind), rtol=1e-5, atol=1e-5)
    assert_equal_to_explicit(case_of(kind, torch.float64), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("of_output", [0.0, 1e-30, 1e-21, 1e-19, 1e-9, 1.0, 1e9])
@pytest.mark.parametrize("of_alpha", [0.0, 1e-12, 1.0, 1e12])
def test_gradients_of_any_size(of_output: float, of_alpha: float) -> None:
    case = case_of("causal")
    case.at_output *= of_output
    case.at_alpha *= of_alpha
    largest = max(of_output, of_alpha)
    assert_equal_to_explicit(case, rtol=1e-5, atol=max(1e-5 * largest, 10 * FLOOR))


def test_rows_without_a_gradient_of_their_own() -> None:
    case = case_of("padding right")
    case.at_output[:, :, ::2] = 0.0
    case.at_output[:, 1, 1] = 0.0
    case.at_output[..., 0] *= 1e-18
    assert_equal_to_explicit(case, rtol=1e-5, atol=1e-5)


def test_the_map_alone_and_the_output_alone() -> None:
    case = case_of("causal")
    for which in (0, 1):
        at = (case.at_output, case.at_alpha)[which]
        expected = torch.autograd.grad(case.explicit()[which], case.states[:2], at)
        actual = torch.autograd.grad(case.fused()[which], case.states[:2], at)
        torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)


def test_without_pairs() -> None:
    case = case_of("causal", pairs=0)
    assert case.fused()[1].shape == (BATCH, HEADS, 0)
    assert_equal_to_explicit(case, rtol=1e-5, atol=1e-5)


def test_the_output_is_that_of_the_library() -> None:
    case = case_of("padding left")
    expected = torch.nn.functional.scaled_dot_product_attention(
        *case.states, attn_mask=case.mask, scale=SCALE
    )
    assert torch.equal(case.fused()[0], expected)


def test_what_is_hidden_is_exactly_zero() -> None:
    case = case_of("causal")
    case.pairs = torch.tensor([[[0, 1], [2, 6], [6, 2], [-1, -1]]]).expand(BATCH, -1, -1)
    alpha = case.fused()[1]
    assert (alpha[..., [0, 1, 3]] == 0).all()
    assert (alpha[..., 2] > 0).all()
    padded = case_of("causal and padding left")
    padded.pairs = torch.tensor([[[1, 0], [5, 1], [2, 2]]]).expand(BATCH, -1, -1)
    assert (padded.fused()[1][0] == 0).all()
    assert (padded.fused()[1][1] > 0).all()


def test_bfloat16_is_as_near_as_its_numbers() -> None:
    exact = case_of("padding left", torch.float64)
    case = case_of("padding left", torch.float64)
    query, key, value = (one.detach().bfloat16().requires_grad_() for one in case.states)
    case.states = (query, key, value)
    output, alpha = case.fused()
    assert output.dtype is torch.bfloat16
    assert alpha.dtype is torch.float32
    torch.testing.assert_close(alpha.double(), exact.explicit()[1], rtol=0, atol=0.01)
    case.at_output, case.at_alpha = case.at_output.bfloat16(), case.at_alpha.float()
    expected = exact.gradients(exact.explicit())
    for found, wanted in zip(case.gradients((output, alpha)), expected, strict=True):
        assert (found.double() - wanted).abs().max() < 0.02 * wanted.abs().max()


def test_a_cpu_has_no_dropout() -> None:
    with pytest.raises(UserError, match="no dropout"):
        case_of("none").fused(dropout=0.1)


def test_pairs_are_gathered_from_a_map() -> None:
    case = case_of("by head")
    attention = torch.rand(BATCH, HEADS, TOKENS, TOKENS)
    expected = torch.zeros(BATCH, HEADS, PAIRS)
    for row in range(BATCH):
        for slot, (attending, attended) in enumerate(case.pairs[row].tolist()):
            if attending >= 0:
                expected[row, :, slot] = attention[row, :, attending, attended]
    assert torch.equal(gather_pairs(attention, case.pairs), expected)
    assert gather_pairs(attention, case.pairs[:, :0]).shape == (BATCH, HEADS, 0)


@pytest.mark.parametrize("masked", [False, True])
def test_shapes_of_the_cuda_kernel(masked: bool) -> None:
    """The operators take what they are given, and give what is read; nothing is computed."""
    make = partial(torch.empty, 2, 7, 3, 8, device="meta", dtype=torch.bfloat16)
    states = (make().transpose(1, 2), make().transpose(1, 2), make().transpose(1, 2))
    mask = torch.ones(2, 1, 7, 7, dtype=torch.bool, device="meta") if masked else None
    settings = Settings(0.4, is_causal=not masked, dropout=0.1)
    output, saved = CudaKernel().forward(*states, mask, settings)
    assert saved[0][..., :7].shape == (2, 3, 7)
    gradient = torch.empty_like(output)
    found = CudaKernel().backward(gradient, states, mask, output, saved, settings)
    assert [one.shape for one in found] == [one.shape for one in states]


def test_the_cuda_mask_starts_its_rows_at_whole_vectors() -> None:
    like = torch.empty(2, 3, 7, 8)
    mask = torch.rand(2, 1, 7, 7) < 0.5
    bias = aligned(mask, like)
    assert bias is not None
    assert bias.shape == (2, 3, 7, 7)
    assert bias.stride(2) % MASK_ALIGNMENT == 0
    assert torch.equal(bias == 0, mask.expand(2, 3, -1, -1))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("kind", MASKS)
def test_cuda(kind: str) -> None:
    case = case_of(kind)
    states = [
        torch.nn.functional.pad(one.detach(), (0, 8 - SIZE)).cuda().requires_grad_()
        for one in case.states
    ]
    case.states = (states[0], states[1], states[2])
    case.mask = None if case.mask is None else case.mask.cuda()
    case.pairs, case.at_alpha = case.pairs.cuda(), case.at_alpha.cuda()
    case.at_output = torch.nn.functional.pad(case.at_output, (0, 8 - SIZE)).cuda()
    with torch.device("cuda"):
        assert_equal_to_explicit(case, rtol=1e-4, atol=1e-4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_shows_the_attention_before_dropout() -> None:
    states = tuple(torch.randn(2, 3, 7, 8, device="cuda") for _ in range(3))
    pairs = torch.randint(0, 7, (2, 12, 2), device="cuda")
    without = fused_arcs(*states, None, pairs, scale=SCALE)[1]
    with_dropout = fused_arcs(*states, None, pairs, scale=SCALE, dropout=0.5)[1]
    torch.testing.assert_close(with_dropout, without)


def test_additive_mask() -> None:
    mask = torch.tensor([[True, False]])
    assert additive(mask, torch.float32).tolist() == [[0.0, -torch.inf]]
    assert additive(None, torch.float32) is None
