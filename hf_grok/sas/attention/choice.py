"""Which implementation gives the attention on arcs, and why."""

from __future__ import annotations

from typing import NamedTuple

import torch
from transformers import PretrainedConfig, PreTrainedModel

from hf_grok.attention.arcs import BATCHED, FUSED, register_arc_attentions
from hf_grok.attention.fused_kernels import KERNELS
from hf_grok.attention.proof import not_replaceable_because
from hf_grok.errors import UserError, unknown_name
from hf_grok.sas.attention.backbone import attending_part, language_model
from hf_grok.sas.options import IMPLEMENTATIONS

EAGER = "eager"
_BY_REQUEST = {"fused": FUSED, "batched": BATCHED, "eager": EAGER}

# BERT; Llama, NeoX, ModernBERT and ours; GPT-2.
DROPOUT_RATES = ("attention_probs_dropout_prob", "attention_dropout", "attn_pdrop")

# float16 ends at 65,504: the fused backward is handed numbers up to c / 1e-20.
FUSED_DTYPES = {
    "cpu": (torch.float32, torch.bfloat16, torch.float64),
    "cuda": (torch.float32, torch.bfloat16),
}
# Forward and backward at 12 heads of 64 on one AVX512 core: plain products take .4 of the time of a
# CPU's fused kernel at 32 tokens, .85 at 128 and 1.1 at 256 in float32 (in bfloat16 .1, .2, .3;
# benchmarks/arc_attention.py --crossover).
# Their maps take 4 x heads x tokens bytes a token and layer, a tenth of all activations at 128.
SHORT = 128


class ArcAttention(NamedTuple):
    """What `set_attn_implementation` takes, and why it was chosen, for the log."""

    implementation: str
    reason: str


def arc_attention_for(
    requested: str,
    model: PreTrainedModel,
    *,
    device: torch.device,
    dtype: torch.dtype,
    post_dropout: bool = False,
    length: int | None = None,
) -> ArcAttention:
    """The implementation for `requested` (auto, fused, batched, eager).

    auto is fused where that fits, and batched elsewhere and for short rows on a CPU.

    Args:
        requested: by the user.
        model: whose config gives the dropout of the attention and the size of heads.
        device: that it will be trained on.
        dtype: that attention is computed in: autocast's, where there is autocast.
        post_dropout: the attention is wanted after dropout.
        length: tokens expected in a row; None where not known.

    Raises:
        UserError: an unknown name; or an implementation that does not fit, with the reason.
    """
    if requested not in IMPLEMENTATIONS:
        raise unknown_name("attention on arcs", requested, IMPLEMENTATIONS)
    register_arc_attentions()  # the proof asks for them by name
    dropout = attention_dropout_of(language_model(model).config.get_text_config())
    obstacle = not_fused_because(
        model, device, dtype, attention_dropout=dropout or 0.0, post_dropout=post_dropout
    )
    if requested == "auto":
        return _quickest(model, obstacle, device, length, dropped=dropout and not post_dropout)
    if requested == "eager" and dropout and not post_dropout:
        raise after_dropout(f"a dropout of {dropout} has left of it")
    if requested == "fused" and obstacle:
        raise UserError(
            f"the attention on arcs cannot come from the fused kernel: {obstacle}. Fix that, or "
            "ask for 'batched', which computes the same from explicit maps"
        )
    return ArcAttention(_BY_REQUEST[requested], "asked for")


def _quickest(
    model: PreTrainedModel,
    obstacle: str | None,
    device: torch.device,
    length: int | None,
    *,
    dropped: object,
) -> ArcAttention:
    short = device.type == "cpu" and length is not None and length <= SHORT
    if not obstacle and not short:
        return ArcAttention(FUSED, "nothing speaks against the fused kernel")
    other = not_replaceable_because(attending_part(model), BATCHED, maps=True)
    if other and dropped:
        raise UserError(
            f"no attention on arcs fits: the batched products do not ({other}), and the model's "
            "own shows what a dropout has left of it: set that dropout to 0"
        )
    if other:
        return ArcAttention(EAGER, f"the batched products do not fit: {other}")
    if obstacle:
        return ArcAttention(BATCHED, f"the fused kernel does not fit: {obstacle}")
    return ArcAttention(BATCHED, f"on a CPU the quickest for rows of {length} tokens")


def not_fused_because(
    model: PreTrainedModel,
    device: torch.device,
    dtype: torch.dtype,
    *,
    attention_dropout: float,
    post_dropout: bool,
) -> str | None:
    """Why the fused kernel cannot give the attention on arcs here; None where it can."""
    if device.type not in KERNELS:
        return f"the device is {device.type!r}, and it is written for {' and '.join(KERNELS)}"
    if device.type == "cuda" and torch.version.hip is not None:
        return "this torch is built for ROCm, whose kernel has not been tried"
    if dtype not in FUSED_DTYPES[device.type]:
        return f"attention is computed in {dtype}, and it takes {_listed(device)}"
    if post_dropout and attention_dropout > 0:
        return "it shows the attention before dropout only, and that after dropout was asked for"
    if device.type == "cpu" and attention_dropout > 0:
        return (
            f"the kernel of a CPU has no dropout, and the model's attention has {attention_dropout}"
        )
    size = _head_size(model.config)
    if device.type == "cuda" and size is not None and size * dtype.itemsize % 16:
        return f"heads of {size} numbers of {dtype} are not of whole 16 bytes"
    register_arc_attentions()
    return not_replaceable_because(attending_part(model), FUSED)


def attention_dropout_of(config: PretrainedConfig) -> float | None:
    """The rate of dropout on the attention, under any of its names; None where there is none."""
    found = [getattr(config, name) for name in DROPOUT_RATES if hasattr(config, name)]
    return float(found[0]) if found else None


def after_dropout(what: str) -> UserError:
    """The refusal of maps that are `what`, where the attention before dropout was asked for."""
    return UserError(
        f"eager attention reports what {what}, and the attention before dropout was asked for: set "
        "the attention dropout of the model's config to 0, ask for the attention after dropout, or "
        "take it from 'batched'"
    )


def _listed(device: torch.device) -> str:
    return ", ".join(map(str, FUSED_DTYPES[device.type]))


def _head_size(config: PretrainedConfig) -> int | None:
    size = getattr(config, "head_dim", None)
    if size is not None:
        return int(size)
    width, heads = getattr(config, "hidden_size", None), getattr(config, "num_attention_heads", 0)
    return width // heads if width and heads else None
