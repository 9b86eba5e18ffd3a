"""The parts of the vanilla transformer: positions, attention, feed-forward layer, block."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from transformers.cache_utils import Cache
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from hf_grok.errors import UserError
from hf_grok.models.configuration_vanilla_transformer import VanillaTransformerConfig


def sinusoidal_positions(length: int, width: int) -> Tensor:
    """table[p, 2i] = sin(p / 10000^(2i/d)), table[p, 2i + 1] = cos(p / 10000^(2i/d)).

    Returns:
        float32 of shape [length, width], in [-1, 1].

    Source: Vaswani et al. 2017, section 3.5.
    """
    # On the CPU, whatever torch's default device: some have no float64.
    exact: dict[str, Any] = {"dtype": torch.float64, "device": "cpu"}
    position = torch.arange(length, **exact).unsqueeze(1)
    angle = position / 10000.0 ** (torch.arange(0, width, 2, **exact) / width)
    table = torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(1).float()
    return table.to(torch.empty(0).device)


def eager_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    **kwargs: Any,
) -> tuple[Tensor, Tensor]:
    """dropout(P) V and P, with P = softmax(scaling Q K^T + mask).

    The probabilities returned are those before dropout: each row sums to 1 in training too, where
    the library's own eager functions report rows that dropout has thinned and rescaled.

    Args:
        module: the attention block that asks; unused, part of the interface.
        query: [batch, heads, queries, head width].
        key: [batch, heads, keys, head width].
        value: [batch, heads, keys, head width].
        attention_mask: additive, broadcast to [batch, heads, queries, keys]; None adds nothing.
        scaling: 1 / sqrt(head width).
        dropout: rate applied to the probabilities; zero outside training.
        kwargs: what other attention functions take.

    Returns:
        Output [batch, queries, heads, head width]; probabilities [batch, heads, queries, keys].
    """
    scores = torch.matmul(query, key.transpose(2, 3)) * scaling
    if attention_mask is not None:
        scores = scores + attention_mask
    probabilities = scores.softmax(dim=-1, dtype=torch.float32).to(query.dtype)
    weights = nn.functional.dropout(probabilities, p=dropout) if dropout > 0 else probabilities
    return torch.matmul(weights, value).transpose(1, 2), probabilities


class XavierLinear(nn.Linear):
    """x W^T + b, W to be drawn from U(-a, a) with a = gain sqrt(6 / (inputs + outputs / parts)).

    Args:
        inputs: fan in.
        outputs: fan out of all parts together.
        gain: of the nonlinearity that follows.
        parts: matrices fused into this one, each with the bound of its own fan out.
        bias: whether there is a b; it starts at zero.

    Source: Glorot and Bengio 2010, equation 16; He et al. 2015 for the gain of ReLU, sqrt(2).
    """

    def __init__(
        self, inputs: int, outputs: int, *, gain: float = 1.0, parts: int = 1, bias: bool = True
    ) -> None:
        super().__init__(inputs, outputs, bias=bias)
        self.xavier_bound = gain * math.sqrt(6 / (inputs + outputs / parts))


class VanillaTransformerAttention(nn.Module):
    """Multi-head causal self-attention without bias, one fused projection to Q, K and V."""

    def __init__(self, config: VanillaTransformerConfig, layer_idx: int) -> None:
        super().__init__()
        width = config.hidden_size
        self.config = config
        self.layer_idx = layer_idx
        self.num_heads = config.num_attention_heads
        self.head_dim = width // config.num_attention_heads
        self.scaling = self.head_dim**-0.5
        self.attention_dropout = config.attention_dropout
        self.is_causal = True
        self.qkv_proj = XavierLinear(width, 3 * width, parts=3, bias=False)
        self.out_proj = nn.Linear(width, width, bias=False)

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Any = None,
        past_key_values: Cache | None = None,
        **kwargs: Any,
    ) -> tuple[Tensor, Tensor | None]:
        """[batch, length, d] to the same shape, and what the attention function reports."""
        batch, length, width = hidden_states.shape
        fused = self.qkv_proj(hidden_states).view(batch, length, 3, self.num_heads, self.head_dim)
        query, key, value = fused.permute(2, 0, 3, 1, 4).unbind(0)
        if past_key_values is not None:
            key, value = past_key_values.update(key, value, self.layer_idx)
        attention: Callable = ALL_ATTENTION_FUNCTIONS.get_interface(
            self.config._attn_implementation, eager_attention
        )
        output, reported = attention(
            self,
            query,
            key,
            value,
            attention_mask,
            dropout=self.attention_dropout if self.training else 0.0,
            scaling=self.scaling,
            **kwargs,
        )
        return self.out_proj(output.reshape(batch, length, width)), reported


class VanillaTransformerMLP(nn.Module):
    """W2 dropout(ReLU(W1 x + b1)) + b2."""

    def __init__(self, config: VanillaTransformerConfig) -> None:
        super().__init__()
        self.up_proj = XavierLinear(
            config.hidden_size, config.intermediate_size, gain=nn.init.calculate_gain("relu")
        )
        self.activation = nn.ReLU()
        self.dropout = nn.Dropout(config.dropout)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """[batch, length, d] to the same shape."""
        output: Tensor = self.down_proj(self.dropout(self.activation(self.up_proj(hidden_states))))
        return output


class VanillaTransformerLayer(GradientCheckpointingLayer):
    """x <- LN(x + dropout(attention(x))), then x <- LN(x + dropout(MLP(x))): post-LN."""

    def __init__(self, config: VanillaTransformerConfig, layer_idx: int) -> None:
        super().__init__()
        self.attention = VanillaTransformerAttention(config, layer_idx)
        self.attention_dropout = nn.Dropout(config.dropout)
        self.attention_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = VanillaTransformerMLP(config)
        self.mlp_dropout = nn.Dropout(config.dropout)
        self.mlp_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Any = None,
        past_key_values: Cache | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """[batch, length, d] to the same shape."""
        attended, _ = self.attention(hidden_states, attention_mask, past_key_values, **kwargs)
        hidden_states = self.attention_norm(hidden_states + self.attention_dropout(attended))
        transformed = self.mlp_dropout(self.mlp(hidden_states))
        output: Tensor = self.mlp_norm(hidden_states + transformed)
        return output


class VanillaTransformerPositions(nn.Module):
    """dropout(sqrt(d) E[token] + sinusoid[position])."""

    def __init__(self, config: VanillaTransformerConfig) -> None:
        super().__init__()
        self.scale = math.sqrt(config.hidden_size)
        self.dropout = nn.Dropout(config.dropout)
        self.table_shape = (config.max_position_embeddings, config.hidden_size)
        self.table = nn.Buffer(self.sinusoids(), persistent=False)

    def sinusoids(self) -> Tensor:
        """The sinusoids of every position: [max_position_embeddings, d]."""
        return sinusoidal_positions(*self.table_shape)

    def forward(
        self, embedded: Tensor, position_ids: Tensor | None, past_length: int | Tensor
    ) -> Tensor:
        """[batch, length, d] of word embeddings to what the first layer sees."""
        end = past_length + embedded.shape[1]
        if end > self.table.shape[0]:
            self._require_covered(int(end), position_ids)
        chosen = slice(past_length, end) if position_ids is None else position_ids
        positions = self.table[chosen].to(embedded.dtype)
        output: Tensor = self.dropout(torch.add(positions, embedded, alpha=self.scale))
        return output

    def _require_covered(self, end: int, position_ids: Tensor | None) -> None:
        covered = self.table.shape[0]
        # Packed or left-padded rows may be longer than any position in them.
        if position_ids is None or int(position_ids.max()) >= covered:
            raise UserError(
                f"a sequence of {end} tokens: expected at most max_position_embeddings={covered}. "
                "Shorten the input, or raise config.max_position_embeddings and load the "
                "checkpoint again: sinusoidal positions have no parameters."
            )
