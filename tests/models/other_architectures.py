"""Tiny models of architectures beside the stock ones: added terms, part models, own code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import transformers
from torch import nn
from transformers import PreTrainedModel

SIZES = {
    "vocab_size": 40,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
POSITIONS = {"max_position_embeddings": 64}
SHARED = {**SIZES, **POSITIONS, "num_key_value_heads": 2, "pad_token_id": 0}
SIGHT = {"hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 1}
SIGHT |= {"num_attention_heads": 2, "image_size": 8, "patch_size": 4}
SHORT = {"vocab_size": 40, "d_model": 16, "encoder_layers": 2, "decoder_layers": 1}
SHORT |= {f"{part}_attention_heads": 4 for part in ("encoder", "decoder")}
SHORT |= {f"{part}_ffn_dim": 32 for part in ("encoder", "decoder")}
ROPE = {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4}}
TURNS = {"rope_parameters": {**ROPE["rope_parameters"], "mrope_section": [1, 1, 0]}}
IMAGES = {"image_token_id": 39, "video_token_id": 38}
IMAGES |= {"vision_start_token_id": 37, "vision_end_token_id": 36}
N_SIZES = {"vocab_size": 40, "n_embd": 16, "n_layer": 2, "n_head": 4, "n_positions": 64}
T5_SIZES = {"vocab_size": 40, "d_model": 16, "d_kv": 4, "num_layers": 2, "num_heads": 4, "d_ff": 32}

# name: (class of the model, class of its configuration, options). What is a dictionary among them
# stands for the configuration of a part.
MADE: dict[str, tuple[str, str, dict[str, Any]]] = {
    # Terms beside the softmax.
    "gpt_oss": ("GptOssForCausalLM", "GptOssConfig", {**SHARED, **ROPE, "head_dim": 8,
        "sliding_window": 4, "num_local_experts": 2, "num_experts_per_tok": 1}),
    "gemma2": ("Gemma2ForCausalLM", "Gemma2Config", {**SHARED, "head_dim": 8,
        "sliding_window": 4, "attn_logit_softcapping": 1.0, "query_pre_attn_scalar": 1}),
    "gemma3": ("Gemma3ForCausalLM", "Gemma3TextConfig", {**SHARED, "head_dim": 8,
        "sliding_window": 4}),
    "vaultgemma": ("VaultGemmaForCausalLM", "VaultGemmaConfig", {**SHARED, "head_dim": 8,
        "attn_logit_softcapping": 1.0, "query_pre_attn_scalar": 1, "sliding_window": 4}),
    "granite_swa": ("GraniteSWAForCausalLM", "GraniteSWAConfig", {**SHARED}),
    "t5_encoder": ("T5EncoderModel", "T5Config", T5_SIZES),
    # Language models that are a part.
    "llava": ("LlavaForConditionalGeneration", "LlavaConfig", {"image_token_id": 39,
        "text_config": transformers.LlamaConfig(**SHARED),
        "vision_config": transformers.CLIPVisionConfig(**SIGHT)}),
    "qwen2_vl": ("Qwen2VLForConditionalGeneration", "Qwen2VLConfig", {**IMAGES,
        "text_config": {**SHARED, **TURNS},
        "vision_config": {"depth": 1, "embed_dim": 8, "hidden_size": 16, "num_heads": 2}}),
    "gemma3_sees": ("Gemma3ForConditionalGeneration", "Gemma3Config", {"image_token_index": 39,
        "mm_tokens_per_image": 4, "vision_config": transformers.SiglipVisionConfig(**SIGHT),
        "text_config": transformers.Gemma3TextConfig(**SHARED, head_dim=8, sliding_window=4)}),
    "paligemma": ("PaliGemmaForConditionalGeneration", "PaliGemmaConfig", {"projection_dim": 16,
        "image_token_index": 39, "vision_config": transformers.SiglipVisionConfig(**SIGHT),
        "text_config": transformers.GemmaConfig(**SHARED, head_dim=8)}),
    # Attention code of their own, or layers that are run again.
    "albert": ("AlbertForMaskedLM", "AlbertConfig", {**SIZES, "embedding_size": 8}),
    "bloom": ("BloomForCausalLM", "BloomConfig", {"vocab_size": 40, "hidden_size": 16,
        "n_layer": 2, "n_head": 4}),
    "deberta": ("DebertaForMaskedLM", "DebertaConfig", {**SIZES, "relative_attention": True,
        "pos_att_type": ["c2p", "p2c"], "pad_token_id": 0}),
    "falcon": ("FalconForCausalLM", "FalconConfig", {name: size for name, size in SIZES.items()
        if name != "intermediate_size"}),
    "gpt_neo": ("GPTNeoForCausalLM", "GPTNeoConfig", {"vocab_size": 40, "hidden_size": 16,
        "num_layers": 2, "num_heads": 4, "intermediate_size": 32, **POSITIONS, "window_size": 8,
        "attention_types": [[["global", "local"], 1]]}),
    "gptj": ("GPTJForCausalLM", "GPTJConfig", {**N_SIZES, "rotary_dim": 4}),
    "xlnet": ("XLNetLMHeadModel", "XLNetConfig", {"vocab_size": 40, "d_model": 16, "n_layer": 2,
        "n_head": 4, "d_inner": 32}),
    # No softmax over the words.
    "funnel": ("FunnelForMaskedLM", "FunnelConfig", {"vocab_size": 40, "d_model": 16,
        "block_sizes": [1, 1], "n_head": 4, "d_head": 4, "d_inner": 32}),
    "longformer": ("LongformerForMaskedLM", "LongformerConfig", {**SIZES, **POSITIONS,
        "attention_window": 8, "pad_token_id": 1}),
    "mamba": ("MambaForCausalLM", "MambaConfig", {"vocab_size": 40, "hidden_size": 16,
        "num_hidden_layers": 2, "state_size": 4}),
    "squeezebert": ("SqueezeBertForMaskedLM", "SqueezeBertConfig", {**SIZES,
        "embedding_size": 16, "q_groups": 1, "k_groups": 1, "v_groups": 1,
        "post_attention_groups": 1, "intermediate_groups": 1, "output_groups": 1}),
    # Both ways of reading.
    "bart": ("BartForConditionalGeneration", "BartConfig", {**SHORT, **POSITIONS}),
    "bart_decoder": ("BartForCausalLM", "BartConfig", {**SHORT, **POSITIONS}),
    "bert_decoder": ("BertLMHeadModel", "BertConfig", {**SIZES, **POSITIONS, "is_decoder": True}),
    "t5": ("T5ForConditionalGeneration", "T5Config", {**T5_SIZES, "decoder_start_token_id": 0}),
    # Positions.
    "camembert": ("CamembertForMaskedLM", "CamembertConfig", {**SIZES, **POSITIONS,
        "pad_token_id": 1}),
    "opt": ("OPTForCausalLM", "OPTConfig", {**SIZES, **POSITIONS, "ffn_dim": 32,
        "word_embed_proj_dim": 8}),
    "roberta": ("RobertaForMaskedLM", "RobertaConfig", {**SIZES, **POSITIONS, "pad_token_id": 0}),
    "xlm_roberta": ("XLMRobertaForMaskedLM", "XLMRobertaConfig", {**SIZES, **POSITIONS,
        "pad_token_id": 3}),
}  # fmt: skip


def made(name: str, *, seed: int = 0, noise: float = 0.1) -> PreTrainedModel:
    """The tiny model, in evaluation mode, its weights wide enough to show what they do."""
    kind, configuration, options = MADE[name]
    makes: Callable[..., Any] = getattr(transformers, configuration)
    torch.manual_seed(seed)
    model: PreTrainedModel = getattr(transformers, kind)(makes(**options))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(noise * torch.randn_like(parameter))
    return model.eval()


def fill_sinks(model: nn.Module, values: float) -> None:
    """Give every sink of the model a score that takes a good part of each row."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("sinks"):
                parameter.fill_(values)
