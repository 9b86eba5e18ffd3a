"""The arithmetic floor of a training step: its matrix products, and nothing else.

A linear map of n inputs to m outputs costs 2 n m floating-point operations a token forward, and as
much again for each of its two gradients: 6 operations a parameter and token. Attention adds, a
layer and line of T tokens, six products of 2 T^2 d operations. Padding is not counted: the floor
is that of the real tokens.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import torch
from plain_loop import Size
from torch import Tensor


def finish(device: str) -> None:
    """Wait for what a device was given to do: on CUDA nothing else does."""
    if device == "cuda":
        torch.cuda.synchronize()


@dataclass(frozen=True)
class Product:
    """`times` products [batch, rows, inner] x [batch, inner, columns] a step."""

    batch: int
    rows: int
    inner: int
    columns: int
    times: int
    left_transposed: bool = False
    right_transposed: bool = False

    @property
    def operations(self) -> int:
        return 2 * self.batch * self.rows * self.inner * self.columns * self.times

    def operands(self) -> tuple[Tensor, Tensor]:
        """Two matrices as the step holds them: a transposed one is a view."""
        left, right = (self.rows, self.inner), (self.inner, self.columns)
        return (
            _matrix(self.batch, *left, transposed=self.left_transposed),
            _matrix(self.batch, *right, transposed=self.right_transposed),
        )


def _matrix(batch: int, rows: int, columns: int, *, transposed: bool) -> Tensor:
    shape = (batch, columns, rows) if transposed else (batch, rows, columns)
    matrix = torch.randn(shape)
    matrix = matrix.transpose(1, 2) if transposed else matrix
    return matrix[0] if batch == 1 else matrix


def linear(tokens: int, inputs: int, outputs: int, times: int) -> Iterator[Product]:
    """x W^T, then the gradients G W and G^T x."""
    yield Product(1, tokens, inputs, outputs, times, right_transposed=True)
    yield Product(1, tokens, outputs, inputs, times)
    yield Product(1, outputs, tokens, inputs, times, left_transposed=True)


def attention(lines: int, length: int, head: int, times: int) -> Iterator[Product]:
    """Q K^T and P V, then the gradients of P, V, Q and K."""
    yield Product(lines, length, head, length, 2 * times, right_transposed=True)
    yield Product(lines, length, length, head, 2 * times)
    yield Product(lines, length, length, head, 2 * times, left_transposed=True)


def products(size: Size, vocabulary: int, mean_length: float) -> list[Product]:
    """Every matrix product of one step over the mean batch, padding left out."""
    tokens, length = round(size.batch * mean_length), round(mean_length)
    width, inner, layers = size.width, size.inner, size.layers
    return list(
        chain(
            linear(tokens, width, 3 * width, layers),
            linear(tokens, width, width, layers),
            linear(tokens, width, inner, layers),
            linear(tokens, inner, width, layers),
            linear(tokens, width, vocabulary, 1),
            attention(size.batch * size.heads, length, width // size.heads, layers),
        )
    )


def operations(size: Size, vocabulary: int, mean_length: float) -> int:
    """Floating-point operations of one step's products (an addition and a product are two)."""
    return sum(product.operations for product in products(size, vocabulary, mean_length))


def multiply(
    size: Size, vocabulary: int, mean_length: float, dtype: str, device: str
) -> Iterator[None]:
    """One step's products each time, without end."""
    kind = {"fp32": torch.float32, "bf16": torch.bfloat16}[dtype]
    work = []
    for product in products(size, vocabulary, mean_length):
        left, right = (operand.to(device, kind) for operand in product.operands())
        multiplied = torch.mm if product.batch == 1 else torch.bmm
        work += [(multiplied, left, right)] * product.times
    while True:
        for multiplied, left, right in work:
            multiplied(left, right)
        finish(device)
        yield
