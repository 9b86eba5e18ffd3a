"""The vanilla transformer again, from its formulas: one sentence and one head at a time."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from hf_grok.models import VanillaTransformerForCausalLM


def sinusoid(position: int, width: int) -> Tensor:
    row = []
    for pair in range(width // 2):
        angle = position / 10000 ** (2 * pair / width)
        row += [math.sin(angle), math.cos(angle)]
    return torch.tensor(row)


def layer_norm(x: Tensor, gain: Tensor, shift: Tensor, epsilon: float) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    return gain * centred / (centred.pow(2).mean(-1, keepdim=True) + epsilon).sqrt() + shift


def head_attention(x: Tensor, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    scores = (x @ query.T) @ (x @ key.T).T / math.sqrt(query.shape[0])
    future = torch.ones_like(scores).triu(1).bool()
    probabilities = scores.masked_fill(future, -math.inf).softmax(-1)
    return probabilities @ (x @ value.T), probabilities


def reference_layer(x: Tensor, w: dict[str, Tensor], heads: int, epsilon: float) -> Tensor:
    query, key, value = w["attention.qkv_proj.weight"].chunk(3)
    size = query.shape[0] // heads
    outputs = []
    for head in range(heads):
        rows = slice(head * size, (head + 1) * size)
        outputs.append(head_attention(x, query[rows], key[rows], value[rows])[0])
    attended = torch.cat(outputs, -1) @ w["attention.out_proj.weight"].T
    x = layer_norm(x + attended, w["attention_norm.weight"], w["attention_norm.bias"], epsilon)
    inner = (x @ w["mlp.up_proj.weight"].T + w["mlp.up_proj.bias"]).clamp(min=0)
    outer = inner @ w["mlp.down_proj.weight"].T + w["mlp.down_proj.bias"]
    return layer_norm(x + outer, w["mlp_norm.weight"], w["mlp_norm.bias"], epsilon)


def reference_logits(model: VanillaTransformerForCausalLM, tokens: list[int]) -> Tensor:
    """Logits [length, vocabulary] of one sentence without padding."""
    config, weights = model.config, model.state_dict()
    width = config.hidden_size
    embedding = weights["model.embed_tokens.weight"]
    x = torch.stack(
        [
            embedding[token] * math.sqrt(width) + sinusoid(position, width)
            for position, token in enumerate(tokens)
        ]
    )
    for layer in range(config.num_hidden_layers):
        prefix = f"model.layers.{layer}."
        own = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        x = reference_layer(x, own, config.num_attention_heads, config.layer_norm_eps)
    return x @ weights["lm_head.weight"].T + weights["lm_head.bias"]
