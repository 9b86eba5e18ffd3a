"""Which modules of a model are its layers' self-attention, and how many layers there are."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import nn
from transformers import PreTrainedModel
from transformers.utils.output_capturing import OutputRecorder

from hf_grok.models.text_model import text_config, text_part

# Where the map is unless the library says otherwise: behind the layer's states.
SECOND = 1
# How configurations name the width of local attention.
WINDOWS = ("sliding_window", "attention_chunk_size", "window_size")

# Kinds of layers, as configurations name them, that have no softmax over positions.
WITHOUT_MAP = ("linear", "mamba", "conv", "recurrent", "rwkv", "mlp", "moe")


class Recorded(NamedTuple):
    """A module that the library records, and which of the things that it returns is the map."""

    module: nn.Module
    place: int


def attention_modules(model: nn.Module) -> list[nn.Module]:
    """The self-attention modules that the library records, in order; of what reads text."""
    return [module for module, _ in recorded_attention(model)]


def recorded_attention(model: nn.Module) -> list[Recorded]:
    """As `attention_modules`, with the place of the map in what each returns.

    Empty for a model whose library code records none: such a model may report its maps itself. A
    model that runs one layer again and again (ALBERT) has one module for all of them.
    """
    for owner in text_part(model).modules():
        recorded = (getattr(owner, "_can_record_outputs", None) or {}).get("attentions")
        if recorded is None:
            continue
        found = [
            Recorded(module, index)
            for name, module in owner.named_modules()
            if (index := _index_of(recorded, name, module)) is not None
        ]
        if found:
            return found
    return []


def layers_with_attention(model: nn.Module) -> int | None:
    """Number of layers of what reads text that have attention; None where it does not say.

    Where a configuration lists the kinds of its layers, those without attention are left out.
    """
    part = text_part(model)
    config: Any = getattr(part, "config", None)
    kinds = getattr(config, "layer_types", None)
    if kinds:
        return sum(not any(other in str(kind) for other in WITHOUT_MAP) for kind in kinds)
    # Of an encoder and a decoder, `num_hidden_layers` is the encoder's.
    if getattr(config, "is_decoder", False) and hasattr(config, "decoder_layers"):
        return int(config.decoder_layers)
    layers = getattr(config, "num_hidden_layers", None)
    return layers if isinstance(layers, int) else None


def shortest_window(model: nn.Module) -> int:
    """Tokens that the narrowest local attention of what reads text spans; very many without one."""
    config = text_config(model)
    windows = [getattr(config, name, None) for name in WINDOWS]
    return min((window for window in windows if isinstance(window, int)), default=2**62)


def switched(model: nn.Module) -> list[PreTrainedModel]:
    """The parts of a model that each have an attention implementation to switch."""
    inner = [module for module in model.modules() if isinstance(module, PreTrainedModel)]
    return list({id(module.config): module for module in inner}.values())


def _index_of(recorded: Any, name: str, module: nn.Module) -> int | None:
    """Where the map is in what the module returns; None for a module that is not recorded."""
    if isinstance(recorded, list | tuple):
        places = (_index_of(one, name, module) for one in recorded)
        return next((place for place in places if place is not None), None)
    if isinstance(recorded, OutputRecorder):
        # A name within a path: GPT-2's cross-attention is of the same class.
        part = None if recorded.layer_name is None else f".{recorded.layer_name.strip('.')}."
        fits = part is None or part in f".{name}."
        found = _index_of(recorded.target_class or recorded.class_name, name, module)
        return recorded.index if fits and found is not None else None
    if isinstance(recorded, str):
        return SECOND if type(module).__name__ == recorded else None
    return SECOND if isinstance(recorded, type) and isinstance(module, recorded) else None
