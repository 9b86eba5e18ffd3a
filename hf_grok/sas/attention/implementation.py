"""Where the attention on arcs comes from: which implementation, why, and a proof that it works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel

from hf_grok.attention.arcs import BATCHED, FUSED, register_arc_attentions
from hf_grok.attention.fused_kernels import KERNELS
from hf_grok.attention.pairs import gather_pairs
from hf_grok.attention.proof import not_replaceable_because
from hf_grok.errors import UserError, unknown_name
from hf_grok.measurement.guard import watching
from hf_grok.sas.attention.backbone import attending_part, language_model
from hf_grok.sas.options import IMPLEMENTATIONS

__all__ = [
    "BATCHED",
    "EAGER",
    "FUSED",
    "ArcAttention",
    "arc_attention_for",
    "attention_dropout_of",
    "gather_pairs",
    "not_fused_because",
    "register_arc_attentions",
    "require_before_dropout",
    "set_arc_attention",
]

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
        raise _dropped(f"a dropout of {dropout} has left of it")
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


def set_arc_attention(model: PreTrainedModel, implementation: str) -> tuple[Tensor, ...]:
    """Switch the model to `implementation`, and prove with three tokens that every layer answers.

    The tokens are read as in training, with the graph that a penalty needs. Nothing else changes:
    modes, generators and weights are as before.

    Returns:
        What each layer answered.

    Raises:
        UserError: the model's attention cannot be replaced, or has no graph; it is then as it was.
    """
    register_arc_attentions()
    part = attending_part(model)
    with ExitStack() as undo:
        for restore in _restorers(part):
            undo.callback(restore)
        part.set_attn_implementation(implementation)
        answers = _answers(part, implementation)
        obstacle = None
        if implementation != EAGER:
            obstacle = not_replaceable_because(part, implementation, maps=True)
        if obstacle:
            raise _irreplaceable(part, implementation, obstacle)
        undo.pop_all()
    return answers


def _answers(part: PreTrainedModel, implementation: str) -> tuple[Tensor, ...]:
    pairs = torch.tensor([[[1, 0], [2, 1]]], device=part.device)
    seen = _reported(
        part, implementation, 3, True, {} if implementation == EAGER else {"sas_pairs": pairs}
    )
    layers = getattr(part.config, "num_hidden_layers", len(seen) or 1)
    expected = (1, 3, 3) if implementation == EAGER else (1, 2)
    shapes = [(one.shape[0], *one.shape[2:]) for one in seen]
    if shapes != [expected] * layers:
        answered = f"{shapes.count(expected)} of its {layers} layers answered"
        raise _irreplaceable(part, implementation, answered)
    return seen


def require_before_dropout(model: PreTrainedModel, length: int) -> None:
    """Refuse maps of the model's own attention that are what dropout has left of them.

    Looks for attention of exactly 0 in training where there is some in evaluation: the softmax of a
    few tokens gives none. The model's attention is "eager", as `set_arc_attention` leaves it.

    Args:
        model: any.
        length: tokens that it can read; a few dozen are taken at most.

    Raises:
        UserError: there is a dropout.
    """
    part = attending_part(model)
    dropped, whole = (
        _reported(part, EAGER, min(length, 32), training, {}) for training in (True, False)
    )
    lost = sum(
        int(((one == 0) & (other > 0)).sum()) for one, other in zip(dropped, whole, strict=True)
    )
    if lost:
        share = lost / sum(int((other > 0).sum()) for other in whole)
        raise _dropped(f"a dropout has left of it (of {share:.0%} of it nothing)")


def _irreplaceable(part: PreTrainedModel, implementation: str, why: str) -> UserError:
    way_out = (
        "Ask for 'eager', which takes the attention on arcs from the model's own maps"
        if implementation != EAGER
        else "There is no attention in it to regularise"
    )
    return UserError(
        f"the attention of {type(part).__name__} cannot be {implementation!r}: {why}. Expected a "
        "transformer of the library that calls ALL_ATTENTION_FUNCTIONS, hands its keyword "
        f"arguments on to it and reports what it returns. {way_out}"
    )


def _reported(
    part: PreTrainedModel,
    implementation: str,
    length: int,
    training: bool,
    asked: dict[str, Tensor],
) -> tuple[Tensor, ...]:
    """The attention of each layer that reports any, over one row of `length` equal tokens."""
    ids = torch.zeros(1, length, dtype=torch.int64, device=part.device)
    try:
        with watching(part), torch.enable_grad(), _graph_throughout(part):
            torch.manual_seed(0)
            part.train(training)
            output = part(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                output_attentions=True,
                return_dict=True,
                **asked,
            )
    except TypeError as error:
        raise _irreplaceable(part, implementation, str(error)) from error
    return tuple(one for one in getattr(output, "attentions", None) or () if one is not None)


@contextmanager
def _graph_throughout(part: PreTrainedModel) -> Iterator[None]:
    """Refuse a module that computes without gradients although it has weights that train.

    So does reentrant checkpointing by code of the model's own: the penalty would miss its layers.
    """

    def look(module: nn.Module, _: Any) -> None:
        if not torch.is_grad_enabled():
            raise UserError(
                f"{type(module).__name__} of {type(part).__name__} computes without a graph where "
                "it is trained, so a penalty on its attention would not reach its weights: "
                "recompute activations with use_reentrant=False"
            )

    handles = [
        module.register_forward_pre_hook(look)
        for module in part.modules()
        if any(one.requires_grad for one in module.parameters(recurse=False))
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _restorers(model: PreTrainedModel) -> Iterator[Callable[[], None]]:
    for module in model.modules():
        if isinstance(module, PreTrainedModel):
            before = module.config._attn_implementation
            yield partial(module.set_attn_implementation, before)


def _dropped(what: str) -> UserError:
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
