"""What attentions add to softmax(scaling Q K^T + mask): what of it is computed here, and how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from hf_grok.errors import UserError

# A soft cap c makes a score s into c tanh(s / c). A sink is one more score in a row's softmax,
# that of no position. A bias of position is added to the scores.
SOFTCAP, POSITION_BIAS = "softcap", "position_bias"
SINKS = ("s_aux", "sinks")
# Some layers hand their sinks on and some read them off themselves: this is the parameter's name.
SINKS_OF_MODULE = "sinks"
# What else changes what a layer attends to: positions chosen beforehand, biases under other names,
# masks of heads, another place for the keys. (A sliding window is in the mask of its layer.)
REFUSED = (
    *("cache", "indices", "block_indices", "block_mask", "block_table"),
    *("alibi", "attention_bias", "attn_bias", "relative_position_bias", "rel_pos_bias"),
    *("head_mask", "layer_head_mask"),
)


class Terms(NamedTuple):
    """What a layer's attention adds; None where it does not.

    Attributes:
        softcap: c of c tanh(s / c), applied before any mask.
        position_bias: broadcast to [batch, heads, queries, keys].
        sinks: broadcast to [batch, heads, queries, 1].
    """

    softcap: float | None
    position_bias: Tensor | None
    sinks: Tensor | None

    def names(self) -> list[str]:
        """Those that are there, in plain words."""
        words = ("a soft cap", "a bias of position", "sinks")
        return [word for word, term in zip(words, self, strict=True) if term is not None]


def terms_of(module: nn.Module, arguments: Mapping[str, Any]) -> Terms | None:
    """What is added to the attention of a call; None for plain softmax attention.

    Args:
        module: the layer's attention.
        arguments: that it was called with beside queries, keys, values, mask, dropout and scaling.

    Raises:
        UserError: names what is not computed here.
    """
    refused = [name for name in REFUSED if arguments.get(name) is not None]
    if refused:
        raise UserError(
            f"{type(module).__name__} adds {', '.join(refused)} to its attention, which is not "
            "computed here: take the model's own ('eager')"
        )
    sinks = module._parameters.get(SINKS_OF_MODULE)
    for name in SINKS:
        if arguments.get(name) is not None:
            sinks = arguments[name]
    terms = Terms(arguments.get(SOFTCAP), arguments.get(POSITION_BIAS), sinks)
    return terms if terms.names() else None


def softmax_with(terms: Terms, scores: Tensor, mask: Tensor) -> Tensor:
    """softmax over the keys of c tanh(scores / c) + bias + mask, beside the sink.

    Args:
        terms: what is added.
        scores: [batch, heads, queries, keys], scaled.
        mask: added to them, broadcast to the same shape.
    """
    if terms.softcap is not None:
        scores = (scores / terms.softcap).tanh() * terms.softcap
    if terms.position_bias is not None:
        scores = scores + terms.position_bias
    scores = scores + mask
    if terms.sinks is None:
        return scores.softmax(-1)
    sinks = terms.sinks.to(scores.dtype)
    sinks = sinks.view(1, -1, 1, 1) if sinks.ndim == 1 else sinks
    sinks = sinks.expand(*scores.shape[:-1], 1)
    return torch.cat([scores, sinks], -1).softmax(-1)[..., :-1]
