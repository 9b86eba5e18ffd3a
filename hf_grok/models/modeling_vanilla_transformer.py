"""The vanilla transformer of the structural-grokking studies, as a Transformers model.

Decoder-only, post-LN, ReLU, sinusoidal positions added to embeddings times sqrt(d), attention
projections without bias, an output layer of its own with bias (Murty et al. 2023, section 3;
Vaswani et al. 2017).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from transformers import initialization as init
from transformers.cache_utils import Cache, DynamicCache
from transformers.generation import GenerationMixin
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, create_causal_mask
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast
from transformers.modeling_utils import PreTrainedModel
from transformers.utils import can_return_tuple
from transformers.utils.output_capturing import capture_outputs

from hf_grok.errors import UserError
from hf_grok.models.configuration_vanilla_transformer import VanillaTransformerConfig
from hf_grok.models.layers import (
    VanillaTransformerAttention,
    VanillaTransformerLayer,
    VanillaTransformerPositions,
    XavierLinear,
)

# The library's decorators are untyped; these names say that they keep a signature.
Forward = TypeVar("Forward", bound=Callable[..., Any])
records_outputs: Callable[[Forward], Forward] = capture_outputs
may_return_tuple: Callable[[Forward], Forward] = can_return_tuple

# Fused kernels never form the probabilities, so there is nothing for them to report.
WITHOUT_PROBABILITIES = ("sdpa", "flex_attention")


def positions_from_mask(attention_mask: Tensor, length: int) -> Tensor:
    """position = number of attended tokens before it in its row; padding in front gets 0.

    Args:
        attention_mask: [batch, past and present length], 1 where attended.
        length: number of present tokens, the last of the row.

    Returns:
        int64 of shape [batch, length].
    """
    before = attention_mask.to(torch.int64).cumsum(-1) - 1
    return before.clamp_(min=0)[:, -length:]


class VanillaTransformerPreTrainedModel(PreTrainedModel):
    """Loading, saving, initialisation and what the library may ask of the architecture."""

    config: VanillaTransformerConfig
    config_class = VanillaTransformerConfig
    base_model_prefix = "model"
    supports_gradient_checkpointing = True
    _no_split_modules = ["VanillaTransformerLayer"]  # noqa: RUF012 (the library's own form)
    _skip_keys_device_placement = ["past_key_values"]  # noqa: RUF012
    _supports_sdpa = True
    _supports_flex_attn = True
    _supports_attention_backend = True
    _can_compile_fullgraph = True
    _can_record_outputs = {  # noqa: RUF012
        "hidden_states": VanillaTransformerLayer,
        "attentions": VanillaTransformerAttention,
    }

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        """Xavier-uniform matrices, zero biases, identity layer norms."""
        # The library passes over modules without parameters of their own in code outside it, so
        # what differs is written on the linear layers and not on the blocks that hold them.
        if isinstance(module, XavierLinear):
            init.uniform_(module.weight, -module.xavier_bound, module.xavier_bound)
        elif isinstance(module, nn.Embedding | nn.Linear):
            init.xavier_uniform_(module.weight)
        elif isinstance(module, VanillaTransformerPositions):
            init.copy_(module.table, module.sinusoids())
        elif isinstance(module, nn.LayerNorm):
            init.ones_(module.weight)
            init.zeros_(module.bias)
        if isinstance(module, nn.Linear) and module.bias is not None:
            init.zeros_(module.bias)


class VanillaTransformerModel(VanillaTransformerPreTrainedModel):
    """Embeddings and `num_hidden_layers` post-LN blocks, without the output layer."""

    def __init__(self, config: VanillaTransformerConfig) -> None:
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.positions = VanillaTransformerPositions(config)
        self.layers = nn.ModuleList(
            VanillaTransformerLayer(config, index) for index in range(config.num_hidden_layers)
        )
        self.gradient_checkpointing = False
        self.post_init()

    @records_outputs
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        **kwargs: Any,
    ) -> BaseModelOutputWithPast:
        """Token ids [batch, length] to states [batch, length, d].

        Without `position_ids`, positions count the attended tokens of each row, so left and right
        padding give equal states. `inputs_embeds` are word embeddings before scaling. In training
        no cache is made unless `use_cache` asks for it.

        Raises:
            UserError: neither or both of `input_ids` and `inputs_embeds`; a sequence longer than
                the table of positions; an attention registered without a mask function; attentions
                asked of a kernel that cannot report them.
        """
        self._require_attention(kwargs.get("output_attentions"))
        words = self._embed(input_ids, inputs_embeds)
        if use_cache is None:
            use_cache = self.config.use_cache and not self.training
        if use_cache and past_key_values is None:
            past_key_values = DynamicCache(config=self.config)
        past_length = 0 if past_key_values is None else past_key_values.get_seq_length()
        mask = create_causal_mask(
            config=self.config,
            inputs_embeds=words,
            attention_mask=attention_mask,
            past_key_values=past_key_values,
            position_ids=position_ids,
        )
        if position_ids is None and attention_mask is not None and attention_mask.ndim == 2:
            position_ids = positions_from_mask(attention_mask, words.shape[1])
        states = self.positions(words, position_ids, past_length)
        for layer in self.layers:
            states = layer(states, attention_mask=mask, past_key_values=past_key_values, **kwargs)
        return BaseModelOutputWithPast(last_hidden_state=states, past_key_values=past_key_values)

    def _embed(self, input_ids: Tensor | None, inputs_embeds: Tensor | None) -> Tensor:
        if (input_ids is None) == (inputs_embeds is None):
            raise UserError("expected exactly one of input_ids and inputs_embeds.")
        words: Tensor = self.embed_tokens(input_ids) if inputs_embeds is None else inputs_embeds
        return words

    def _require_attention(self, output_attentions: bool | None) -> None:
        name = self.config._attn_implementation
        if name not in ALL_MASK_ATTENTION_FUNCTIONS:
            raise UserError(
                f"attention {name!r} has no mask function, so every token would see the future. "
                f"Call AttentionMaskInterface.register({name!r}, sdpa_mask), or eager_mask if it "
                "adds its mask (both in transformers.masking_utils)."
            )
        if output_attentions and name in WITHOUT_PROBABILITIES:
            raise UserError(
                f"output_attentions=True with attention {name!r}, which never forms the "
                "probabilities. Call model.set_attn_implementation('eager') first."
            )


class VanillaTransformerForCausalLM(VanillaTransformerPreTrainedModel, GenerationMixin):
    """p(token t + 1 | tokens up to t) = softmax(W x_t + b), W untied from the embeddings."""

    _tied_weights_keys = {  # noqa: RUF012 (the library's own form)
        "lm_head.weight": "model.embed_tokens.weight"
    }

    def __init__(self, config: VanillaTransformerConfig) -> None:
        super().__init__(config)
        self.model = VanillaTransformerModel(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size)
        # The Trainer counts the labels that a shifted loss scores only when it knows this name.
        self.loss_type = "ForCausalLM"
        self.post_init()

    @may_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | Tensor = 0,
        **kwargs: Any,
    ) -> CausalLMOutputWithPast:
        """Token ids [batch, length] to logits [batch, length, vocabulary].

        `labels` are the input ids themselves, -100 where no loss is wanted; the shift by one is
        made here. The loss is the mean over scored tokens in nats, or their sum divided by
        `num_items_in_batch` where that is given. `logits_to_keep` asks for the last so many
        positions (0: all) or, as a tensor, for those of its indices.
        """
        outputs = self.model(
            input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            use_cache=use_cache,
            **kwargs,
        )
        # slice(0, None), for logits_to_keep=0, is every position.
        last = isinstance(logits_to_keep, int)
        kept = slice(-logits_to_keep, None) if last else logits_to_keep
        logits = self.lm_head(outputs.last_hidden_state[:, kept])
        loss = None
        if labels is not None:
            loss = self.loss_function(
                logits=logits, labels=labels, vocab_size=self.config.vocab_size, **kwargs
            )
        return CausalLMOutputWithPast(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
