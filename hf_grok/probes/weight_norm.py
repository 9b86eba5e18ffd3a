"""Weight norm: how large the parameters are, as a whole and without the gains of LayerNorm."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

from hf_grok.errors import UserError
from hf_grok.measurement import precision
from hf_grok.measurement.requirements import require_evaluation_mode, require_finite_weights
from hf_grok.metrics import PROBES, Metric
from hf_grok.models.text_model import text_config
from hf_grok.probes.base import Probe, State, device_of
from hf_grok.probes.inputs.wrappers import unwrapped


def squared_norms(model: nn.Module) -> dict[str, Float[Tensor, ""]]:
    """sum of squares of each parameter, by its name; a tied parameter once, by its first name.

    Summed in float64, on the parameter's device where that has it.

    Raises:
        UserError: the weights are not in memory as the numbers that the model computes with:
            packed (4 bits, 8 bits, fp8) or left on another device by an offloading device map.
    """
    _refuse_packed(model)
    return {
        name: precision.squared_norms(parameter.detach())
        for name, parameter in model.named_parameters()
    }


def _refuse_packed(model: nn.Module) -> None:
    """A packed weight's bytes are no numbers, and its scales stand elsewhere.

    GPTQ and AWQ keep theirs in buffers, where a sum over parameters would not even miss them.
    """
    advice = (
        "a norm is of the numbers that the model computes with: load it without quantization, or "
        "unpack it first (model.dequantize())"
    )
    for name, parameter in model.named_parameters():
        if parameter.is_meta:
            raise UserError(
                f"parameter {name!r} is not in memory (an offloading device map?): load the whole "
                "model onto one device"
            )
        wide_float = parameter.is_floating_point() and parameter.element_size() > 1
        if not (wide_float or parameter.is_complex()):
            raise UserError(f"parameter {name!r} is packed as {parameter.dtype}: {advice}")
    if getattr(model, "is_quantized", False) and not _is_unpacked(model):
        raise UserError(f"{type(model).__name__} was loaded quantized: {advice}")


def _is_unpacked(model: nn.Module) -> bool:
    """Whether a quantized checkpoint was asked to be unpacked when it was loaded."""
    config = getattr(getattr(model, "config", None), "quantization_config", None)
    return bool(getattr(config, "dequantize", False))


def l2_norm(model: nn.Module) -> float:
    """sqrt(sum of squares of all parameters), tied ones once. Source: Murty et al. 2023."""
    return math.sqrt(float(_sum(list(squared_norms(model).values()))))


def is_norm_layer(module: nn.Module) -> bool:
    """LayerNorm or RMSNorm: torch's, or a class whose name ends so (the library has its own)."""
    named = type(module).__name__.endswith(("LayerNorm", "RMSNorm"))
    return named or isinstance(module, nn.LayerNorm | nn.RMSNorm)


def norm_gains(model: nn.Module) -> set[str]:
    """Names of the gains of LayerNorm and RMSNorm layers: their weights, not their biases.

    Gains start at one and so hold a large part of the norm from the first step; biases start at
    zero, and are counted with the rest.
    """
    gains = {id(module.weight) for module in model.modules() if is_norm_layer(module)}
    return {name for name, parameter in model.named_parameters() if id(parameter) in gains}


def unused_parameters(model: nn.Module, inputs: Mapping[str, Any]) -> list[str]:
    """Names of the parameters on which no tensor of `model(**inputs)` depends.

    Exact, and without a backward pass: the graph of one forward pass is walked from its outputs
    back to the parameters. Stand-ins that share the parameters' memory take part in their place,
    so frozen ones are seen too and nothing of the model is touched.

    Args:
        model: any module whose output is a tensor, or a tuple or dictionary with tensors in it.
        inputs: arguments of the forward pass, on the model's device.
    """
    stand_ins = {
        name: parameter.detach().requires_grad_()
        for name, parameter in model.named_parameters()
        if parameter.is_floating_point()
    }
    with torch.enable_grad():
        output = functional_call(model, stand_ins, args=(), kwargs=dict(inputs))
    reached = _leaves_behind(output)
    return [name for name, stand_in in stand_ins.items() if id(stand_in) not in reached]


def _leaves_behind(output: Any) -> set[int]:
    """Identities of the leaf tensors from which the tensors of `output` were computed."""
    values = output.values() if isinstance(output, Mapping) else output
    tensors = [output] if isinstance(output, Tensor) else [v for v in values if torch.is_tensor(v)]
    waiting = [tensor.grad_fn for tensor in tensors if tensor.grad_fn is not None]
    seen = set(waiting)
    leaves: set[int] = set()
    while waiting:
        node = waiting.pop()
        leaves.add(id(getattr(node, "variable", None)))
        fresh = {before for before, _ in node.next_functions if before is not None} - seen
        seen |= fresh
        waiting.extend(fresh)
    return leaves


class WeightNorm(Probe):
    """norm_l2 = sqrt(sum of the squares of all parameters), tied ones once.

    - `norm_l2`, and `norm_l2_over_root_depth` = norm_l2 / sqrt(number of layers);
    - `norm_squared` = its square;
    - `norm_l2_without_layernorm`, `norm_squared_without_layernorm`: without the gains (weights) of
      LayerNorm and RMSNorm layers; their biases count;
    - `norm_unused_squared`: the part of `norm_squared` in parameters on which the output for
      `sample_input` does not depend; weight decay still moves them;
    - `norm_matrix_NAME`: L2 norm of each parameter of two axes or more.

    Args:
        per_matrix: also report `norm_matrix_NAME`; there can be hundreds.
        sample_input: arguments of one forward pass, as `{"input_ids": ...}`. Without it
            `norm_unused_squared` is left out.

    Source: Murty et al. 2023 (arXiv 2305.18741) for the L2 norm, also over the root of the depth;
    Chen et al. 2024 (arXiv 2309.07311) for the squared one. Both unverified in their text.
    """

    name = "norm"
    version = 1
    source = "Murty et al. 2023 (arXiv 2305.18741); Chen et al. 2024 (arXiv 2309.07311)"
    needs_data: ClassVar[bool] = False
    metrics: ClassVar[Mapping[str, Metric]] = PROBES["norm"]

    def __init__(
        self, *, per_matrix: bool = False, sample_input: Mapping[str, Any] | None = None
    ) -> None:
        self._per_matrix = per_matrix
        self._sample_input = sample_input

    def __len__(self) -> int:
        return 1

    def state(self, model: nn.Module, indices: Sequence[int] | None = None) -> State:
        """Squared norms by group of parameters, and the number of layers (0 where unknown)."""
        require_evaluation_mode(model)
        require_finite_weights(model)
        squares = squared_norms(model)
        gains = norm_gains(model)
        groups = {"all": squares.keys(), "without_layernorm": squares.keys() - gains}
        if self._sample_input is not None:
            groups["unused"] = set(unused_parameters(model, self._inputs_for(model)))
        if self._per_matrix:
            matrices = (name for name, values in model.named_parameters() if values.ndim > 1)
            groups |= {f"matrix_{name}": {name} for name in matrices}
        config = text_config(model) or text_config(unwrapped(model))
        layers = getattr(config, "num_hidden_layers", 0)
        state = {
            group: _sum([square for name, square in squares.items() if name in names])
            for group, names in groups.items()
        }
        state |= {"items": torch.tensor(1), "layers": torch.tensor(layers)}
        if indices is not None and len(indices) == 0:
            state = {name: torch.zeros_like(value) for name, value in state.items()}
        return state

    def _inputs_for(self, model: nn.Module) -> dict[str, Any]:
        device = device_of(model)
        given = (self._sample_input or {}).items()
        return {key: value.to(device) if torch.is_tensor(value) else value for key, value in given}

    def compute(self, state: State) -> dict[str, float]:
        """Norms of a summed state; nothing where no process looked."""
        if not state["items"]:
            return {}
        squares = {name: float(value) for name, value in state.items()}
        whole, without, layers = (squares[name] for name in ("all", "without_layernorm", "layers"))
        numbers = {
            f"{self.name}_l2": math.sqrt(whole),
            f"{self.name}_squared": whole,
            f"{self.name}_l2_without_layernorm": math.sqrt(without),
            f"{self.name}_squared_without_layernorm": without,
        }
        if layers:
            numbers[f"{self.name}_l2_over_root_depth"] = math.sqrt(whole / layers)
        if "unused" in squares:
            numbers[f"{self.name}_unused_squared"] = squares["unused"]
        matrices = (name for name in squares if name.startswith("matrix_"))
        return numbers | {f"{self.name}_{name}": math.sqrt(squares[name]) for name in matrices}


def _sum(squares: Sequence[Float[Tensor, ""]]) -> Float[Tensor, ""]:
    """The sum, on the CPU; 0 for none."""
    return (
        torch.stack(list(squares)).sum().cpu() if squares else torch.zeros((), dtype=torch.double)
    )
