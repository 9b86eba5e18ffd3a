"""The hyper-parameters of the vanilla transformer; the defaults are the reference model's."""

# Annotations stay objects here: `strict` checks no field whose annotation is a string.

from typing import Any

from huggingface_hub.dataclasses import strict
from transformers import PreTrainedConfig

from hf_grok.errors import UserError

POSITIVE = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
    "layer_norm_eps",
)
DROPOUT_RATES = ("dropout", "attention_dropout")
TOKEN_IDS = ("pad_token_id", "bos_token_id", "eos_token_id")


@strict
class VanillaTransformerConfig(PreTrainedConfig):
    """Configuration of `VanillaTransformerForCausalLM`: a post-LN, ReLU, sinusoidal decoder.

    The defaults of width, heads, feed-forward size and dropout are those of Murty et al. (2023),
    whose depths are 2, 4, 6, 8 and 10.

    Attributes:
        vocab_size: number of token types, special tokens included.
        hidden_size: model width d; even (sines and cosines come in pairs) and a multiple of
            `num_attention_heads`.
        num_hidden_layers: number of decoder blocks.
        num_attention_heads: number of heads a block.
        intermediate_size: width of the feed-forward layer.
        dropout: rate in [0, 1) on embeddings, on both residual branches and inside the
            feed-forward layer.
        attention_dropout: rate in [0, 1) on the attention probabilities.
        max_position_embeddings: longest sequence the table of positions covers.
        layer_norm_eps: added to the variance in layer normalisation.
        use_cache: whether the model in eval mode returns its keys and values when not told.
        tie_word_embeddings: whether the output matrix is the embedding matrix.
        pad_token_id: of padding, as `word_level_tokenizer` numbers it.
        bos_token_id: of the start token, likewise.
        eos_token_id: of the end token, likewise.

    Raises:
        UserError: a value outside the ranges above.

    Source: Murty et al. 2023, "Grokking of hierarchical structure in vanilla transformers",
        section 3; the architecture is that of Vaswani et al. 2017.
    """

    model_type = "vanilla_transformer"
    keys_to_ignore_at_inference = ["past_key_values"]  # noqa: RUF012 (the Trainer adds lists)

    vocab_size: int = 128
    hidden_size: int = 512
    num_hidden_layers: int = 6
    num_attention_heads: int = 8
    intermediate_size: int = 2048
    dropout: float | int = 0.1
    attention_dropout: float | int = 0.1
    max_position_embeddings: int = 512
    layer_norm_eps: float = 1e-5
    use_cache: bool = True
    tie_word_embeddings: bool = False
    pad_token_id: int | None = 0
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2

    def __post_init__(self, **kwargs: Any) -> None:
        """Refuse what the architecture cannot be built from."""
        self._require_ranges()
        self._require_width()
        super().__post_init__(**kwargs)

    def _require_ranges(self) -> None:
        for name in POSITIVE:
            if not getattr(self, name) > 0:
                raise UserError(f"{name}={getattr(self, name)}: expected a number above 0.")
        for name in DROPOUT_RATES:
            if not 0 <= getattr(self, name) < 1:
                raise UserError(f"{name}={getattr(self, name)}: expected a rate in [0, 1).")
        for name in TOKEN_IDS:
            self._require_token_id(name)

    def _require_token_id(self, name: str) -> None:
        value = getattr(self, name)
        for token_id in value if isinstance(value, list) else [value]:
            if token_id is not None and not 0 <= token_id < self.vocab_size:
                raise UserError(
                    f"{name}={value}: expected None or an id below vocab_size={self.vocab_size}. "
                    "Give the id your tokenizer uses, or a larger vocab_size."
                )

    def _require_width(self) -> None:
        if self.hidden_size % 2:
            raise UserError(
                f"hidden_size={self.hidden_size}: expected an even number, because sinusoidal "
                "positions pair a sine with a cosine."
            )
        if self.hidden_size % self.num_attention_heads:
            raise UserError(
                f"hidden_size={self.hidden_size} does not divide among "
                f"num_attention_heads={self.num_attention_heads}: expected a multiple."
            )
