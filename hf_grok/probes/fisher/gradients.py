"""Squared norms of single examples' gradients: one at a time, and from one backward pass.

One backward pass sums the gradients over the batch. But what a layer adds to its weight's gradient
in one example is a product of what went in and of the gradient at what came out, and both are
there example by example. For y_t = W x_t, with g_t the gradient at y_t,

    G = sum_t g_t x_t^T,    |G|^2 = sum_{t,s} (g_t . g_s) (x_t . x_s),

so that G itself need not be formed. An embedding is the same with one-hot x_t. A parameter that
several layers share (tied embeddings) has the t of all of them in its sum.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.func import functional_call, vjp, vmap
from transformers.pytorch_utils import Conv1D

from hf_grok.errors import UserError
from hf_grok.measurement.precision import inner_products, squared_norms
from hf_grok.probes.inputs.predictions import Predictions, negative_log_likelihood, predict
from hf_grok.probes.weight_norm import is_norm_layer

Labels: TypeAlias = Int[Tensor, "batch length"]
Norms: TypeAlias = Float[Tensor, " batch"]
# Gradient of a matrix = sum over t of left_t right_t^T; token ids stand for one-hot rows.
Factors: TypeAlias = tuple[Shaped[Tensor, "batch length ..."], Shaped[Tensor, "batch length ..."]]


class NotBatchableError(UserError):
    """The gradients of single examples cannot be told apart in this model's batched pass."""


def one_by_one(model: nn.Module, predictions: Predictions, labels: Labels) -> Norms:
    """|d/dw sum_t -log p(labels[b, t])|^2 for each sentence b, w all trainable parameters.

    The definition itself: a forward and a backward pass for each sentence, without padding.

    Returns:
        float64, on the model's device where that has it.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    norms = []
    for row in range(len(predictions)):
        alone = predictions.only(row)
        with torch.enable_grad():
            logits = predict(model, alone)
            loss = negative_log_likelihood(logits, labels[row : row + 1, : logits.shape[1]]).sum()
            gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        squares = [squared_norms(gradient) for gradient in gradients if gradient is not None]
        norms.append(torch.stack(squares).sum())
    return torch.stack(norms)


def batched(
    model: nn.Module, predictions: Predictions, draw: Callable[[Tensor], Labels]
) -> tuple[Norms, Labels]:
    """The same for all sentences from one backward pass, and the labels.

    The backward pass goes to the layers' outputs only, never to a parameter.

    Args:
        model: with nothing but linear layers (Linear, Conv1D), embeddings and LayerNorm or RMSNorm
            owning trainable parameters.
        predictions: a batch of sentences.
        draw: logits -> labels, -100 where nothing is predicted.

    Raises:
        NotBatchableError: another kind of layer owns parameters, or one was called with anything
            but one row for each token of each sentence.
    """
    with torch.enable_grad():
        with _recorded_calls(model, predictions.ids.shape) as calls:
            logits = predict(model, predictions)
        labels = draw(logits.detach())
        loss = negative_log_likelihood(logits, labels).sum()
        edges = [call.edge for call in calls]
        gradients = torch.autograd.grad(loss, edges, allow_unused=True)
    parts = _Parts()
    for call, gradient in zip(calls, gradients, strict=True):
        if gradient is not None:
            parts.add(call, gradient)
    return parts.squared_norms(), labels


@dataclass(frozen=True)
class _Call:
    """One call of a layer: what went in, and where its output stands in the graph."""

    layer: nn.Module
    inputs: Shaped[Tensor, "batch length ..."]
    edge: GradientEdge


@contextmanager
def _recorded_calls(model: nn.Module, shape: torch.Size) -> Iterator[list[_Call]]:
    """Every call of a layer with trainable parameters of its own, while inside."""
    calls: list[_Call] = []

    def record(layer: nn.Module, arguments: Any, named: Any, output: Any) -> Tensor:
        if isinstance(output, Tensor) and not output.requires_grad:
            return output  # a cycle that the model runs without gradients: it adds nothing to them
        given = arguments[0] if len(arguments) == 1 and not named else (*arguments, *named)
        inputs = _same_for_every_row(layer, given, shape)
        output = _same_for_every_row(layer, output, shape)
        calls.append(_Call(layer, inputs.detach(), get_gradient_edge(output)))
        return output

    with ExitStack() as stack:
        for layer in _layers(model):
            handle = layer.register_forward_hook(record, with_kwargs=True)
            stack.callback(handle.remove)
        yield calls


def _same_for_every_row(layer: nn.Module, values: Any, shape: torch.Size) -> Tensor:
    """`values` as [batch, length, ...]; positions are looked up once for the whole batch."""
    if isinstance(values, Tensor) and values.shape[:2] == shape:
        return values
    if isinstance(values, Tensor) and values.shape[:2] == (1, shape[1]):
        return values.expand(shape[0], *values.shape[1:])
    seen = f"a tensor {tuple(values.shape)}" if isinstance(values, Tensor) else f"{values!r:.80}"
    raise NotBatchableError(
        f"{type(layer).__name__} was given, or gave, {seen}: expected one tensor with a row for "
        f"each token of each sentence, {tuple(shape)}"
    )


def _layers(model: nn.Module) -> list[nn.Module]:
    """The layers that own the model's trainable parameters, all of kinds that `_Parts` knows."""
    owned = {
        module: {id(p) for p in module.parameters(recurse=False) if p.requires_grad}
        for module in model.modules()
    }
    layers = [module for module, parameters in owned.items() if parameters and _is_known(module)]
    covered = {parameter for layer in layers for parameter in owned[layer]}
    for module, parameters in owned.items():
        if parameters - covered:
            raise NotBatchableError(
                f"{type(module).__name__} has parameters of its own: expected Linear, Conv1D, "
                "Embedding, LayerNorm and RMSNorm layers only"
            )
    return layers


def _is_known(layer: nn.Module) -> bool:
    # By the function that runs: a subclass may compute something else.
    forward = type(layer).forward
    if forward is nn.Embedding.forward:
        return not (layer.sparse or layer.scale_grad_by_freq)
    return forward in (nn.Linear.forward, Conv1D.forward) or is_norm_layer(layer)


class _Parts:
    """Gradients of each sentence, parameter by parameter: factored matrices, formed vectors."""

    def __init__(self) -> None:
        self._factors: dict[Tensor, list[Factors]] = defaultdict(list)
        self._vectors: dict[Tensor, Tensor] = {}

    def add(self, call: _Call, gradient: Float[Tensor, "batch length features"]) -> None:
        """What this call adds, `gradient` being that of its output."""
        layer, inputs = call.layer, call.inputs
        if isinstance(layer, nn.Embedding):
            if layer.padding_idx is not None:
                gradient = gradient.masked_fill((inputs == layer.padding_idx)[..., None], 0)
            self._factors[layer.weight].append((inputs, gradient))
        elif isinstance(layer, nn.Linear | Conv1D):
            # A Conv1D's matrix is a Linear's transposed, of which the norm is the same.
            self._factors[layer.weight].append((gradient, inputs))
            if layer.bias is not None:
                self._add_vector(layer.bias, gradient.float().sum(1))
        else:
            for parameter, values in _gradients_of_examples(layer, inputs, gradient):
                self._add_vector(parameter, values)

    def _add_vector(self, parameter: Tensor, values: Float[Tensor, "batch features"]) -> None:
        before = self._vectors.get(parameter)
        self._vectors[parameter] = values if before is None else before + values

    def squared_norms(self) -> Norms:
        """For each sentence, the sum over trainable parameters of their squared gradients."""
        squares = [
            _squared_sum(factors)
            for matrix, factors in self._factors.items()
            if matrix.requires_grad
        ]
        squares += [
            squared_norms(values, 1)
            for vector, values in self._vectors.items()
            if vector.requires_grad
        ]
        return torch.stack(squares).sum(0)


def _gradients_of_examples(
    layer: nn.Module, inputs: Tensor, gradient: Tensor
) -> Iterator[tuple[Tensor, Float[Tensor, "batch features"]]]:
    """The layer's parameters, and for each sentence the gradient of each."""
    parameters = {name: parameter.detach() for name, parameter in layer.named_parameters()}

    def pull_back(one_input: Tensor, one_gradient: Tensor) -> dict[str, Tensor]:
        def forward(values: dict[str, Tensor]) -> Tensor:
            output: Tensor = functional_call(layer, values, (one_input,))
            return output

        found: dict[str, Tensor] = vjp(forward, parameters)[1](one_gradient)[0]
        return found

    for name, values in vmap(pull_back)(inputs, gradient).items():
        yield layer.get_parameter(name), values.float()


def _squared_sum(factors: list[Factors]) -> Norms:
    """|sum over calls and t of left_t right_t^T|^2 for each sentence."""
    total: Tensor | float = 0.0
    for first, (left, right) in enumerate(factors):
        total = total + _squared_product(left, right)
        for other_left, other_right in factors[first + 1 :]:
            lefts, rights = _inner(left, other_left), _inner(right, other_right)
            total = total + 2 * inner_products(lefts, rights)
    return torch.as_tensor(total)


def _squared_product(left: Tensor, right: Tensor) -> Norms:
    """|sum_t left_t right_t^T|^2, through the smaller of the matrix and of the inner products."""
    length, columns = right.shape[1:]
    if left.is_floating_point() and length * (left.shape[2] + columns) > left.shape[2] * columns:
        return squared_norms(left.float().transpose(1, 2) @ right.float(), 1)
    return inner_products(_inner(left, left), _inner(right, right))


def _inner(
    left: Shaped[Tensor, "batch rows ..."], right: Shaped[Tensor, "batch columns ..."]
) -> Float[Tensor, "batch rows columns"]:
    """Inner products of all rows of `left` with all of `right`; token ids are one-hot rows."""
    if left.is_floating_point() and right.is_floating_point():
        return left.float() @ right.float().transpose(1, 2)
    if left.is_floating_point():
        chosen = right[:, None, :].expand(-1, left.shape[1], -1)
        return left.float().gather(2, chosen)
    if right.is_floating_point():
        return _inner(right, left).transpose(1, 2)
    return (left[:, :, None] == right[:, None, :]).float()
