"""The vanilla transformer and the word-level tokenizer.

Importing this package registers `vanilla_transformer` with AutoConfig, AutoModel and
AutoModelForCausalLM, so that its checkpoints load by their folder or Hub name.
"""

from __future__ import annotations

from transformers import AutoConfig, AutoModel, AutoModelForCausalLM

from hf_grok.models.configuration_vanilla_transformer import VanillaTransformerConfig
from hf_grok.models.modeling_vanilla_transformer import (
    VanillaTransformerForCausalLM,
    VanillaTransformerModel,
)
from hf_grok.models.tokenizer import word_level_tokenizer

__all__ = [
    "VanillaTransformerConfig",
    "VanillaTransformerForCausalLM",
    "VanillaTransformerModel",
    "word_level_tokenizer",
]

AutoConfig.register(VanillaTransformerConfig.model_type, VanillaTransformerConfig)
AutoModel.register(VanillaTransformerConfig, VanillaTransformerModel)
AutoModelForCausalLM.register(VanillaTransformerConfig, VanillaTransformerForCausalLM)
