"""One tiny model of every stock architecture that the probes are tested on."""

from __future__ import annotations

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    BertConfig,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    ModernBertConfig,
    PretrainedConfig,
    PreTrainedModel,
)

from hf_grok.models import VanillaTransformerConfig

LAYERS, HEADS, POSITIONS = 2, 4, 64
SIZES = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "max_position_embeddings": POSITIONS,
}
GPT2_SIZES = {"n_embd": 16, "n_layer": LAYERS, "n_head": HEADS, "n_positions": POSITIONS}
# Local attention from 4 tokens on, so that tiny sentences meet it.
MODERNBERT = {"local_attention": 8, "cls_token_id": 1, "sep_token_id": 2, "bos_token_id": 1}
IDS = {"pad_token_id": 0, "eos_token_id": 2}

CAUSAL = ("vanilla", "gpt2", "llama", "neox")
BIDIRECTIONAL = ("bert", "modernbert")
ARCHITECTURES = (*CAUSAL, *BIDIRECTIONAL)


def config_of(name: str, vocabulary: int) -> PretrainedConfig:
    """The tiny configuration of an architecture; Llama shares keys and values between heads."""
    size = {"vocab_size": vocabulary}
    made: dict[str, PretrainedConfig] = {
        "vanilla": VanillaTransformerConfig(**size, **SIZES),
        "gpt2": GPT2Config(**size, **GPT2_SIZES, bos_token_id=1, eos_token_id=2),
        "llama": LlamaConfig(**size, **SIZES, num_key_value_heads=2),
        "neox": GPTNeoXConfig(**size, **SIZES),
        "bert": BertConfig(**size, **SIZES),
        "modernbert": ModernBertConfig(**size, **SIZES, **MODERNBERT, **IDS),
    }
    return made[name]


def model_of(name: str, vocabulary: int = 40, *, seed: int = 0) -> PreTrainedModel:
    """A tiny model in evaluation mode whose weights are wide enough to tell positions apart."""
    torch.manual_seed(seed)
    auto = AutoModelForCausalLM if name in CAUSAL else AutoModelForMaskedLM
    model: PreTrainedModel = auto.from_config(config_of(name, vocabulary))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model.eval()
