"""Tiny models and sentences for the tests of this folder."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from hf_grok.models import VanillaTransformerConfig, VanillaTransformerForCausalLM

PAD = 0
SENTENCES = [[1, 5, 9, 4, 17], [1, 8, 8, 30, 12, 6, 11, 4, 22], [1, 7]]


def tiny_config(**overrides: Any) -> VanillaTransformerConfig:
    values = {
        "vocab_size": 37,
        "hidden_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "intermediate_size": 48,
        "max_position_embeddings": 64,
        "layer_norm_eps": 1e-3,  # large enough to be seen where it is forgotten
    }
    return VanillaTransformerConfig(**{**values, **overrides})


def tiny_model(
    attention: str = "eager", *, seed: int = 0, shaken: bool = True, **overrides: Any
) -> VanillaTransformerForCausalLM:
    """A model in eval mode; `shaken` moves biases and norms away from 0 and 1."""
    torch.manual_seed(seed)
    model = VanillaTransformerForCausalLM._from_config(
        tiny_config(**overrides), attn_implementation=attention
    )
    if shaken:
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


def padded(sentences: list[list[int]], side: str) -> tuple[Tensor, Tensor]:
    """Token ids and attention mask, [sentences, longest]."""
    longest = max(map(len, sentences))
    ids = torch.full((len(sentences), longest), PAD)
    mask = torch.zeros_like(ids)
    for row, sentence in enumerate(sentences):
        start = longest - len(sentence) if side == "left" else 0
        ids[row, start : start + len(sentence)] = torch.tensor(sentence)
        mask[row, start : start + len(sentence)] = 1
    return ids, mask
