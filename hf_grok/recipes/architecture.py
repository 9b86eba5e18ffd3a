"""What a model_type of transformers calls the options that a recipe gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from transformers import AutoConfig, PretrainedConfig

from hf_grok.errors import UserError, unknown_name

# One idea a line, under every name that configurations of transformers have for it. Other names
# for sizes and positions (n_embd, n_layer, n_positions, ...) are in each class's attribute_map.
SAME_OPTION = (
    (
        "intermediate_size",
        "n_inner",
        "ffn_dim",
        "ffn_hidden_size",
        "encoder_ffn_dim",
        "decoder_ffn_dim",
        "d_inner",
        "hidden_dim",
        "dff",
    ),
    (
        "dropout",
        "hidden_dropout_prob",
        "hidden_dropout",
        "resid_pdrop",
        "resid_dropout",
        "residual_dropout",
        "embd_pdrop",
        "emb_pdrop",
        "embed_dropout",
        "embedding_dropout",
        "mlp_dropout",
    ),
    ("attention_dropout", "attention_probs_dropout_prob", "attn_pdrop"),
    ("max_position_embeddings", "n_positions", "max_seq_len"),
)


def plain_config(model: str) -> PretrainedConfig:
    """The configuration of a model_type, at its defaults.

    Raises:
        UserError: transformers has no such model_type.
    """
    try:
        return AutoConfig.for_model(model)
    except ValueError as error:
        raise UserError(
            f"unknown model {model!r}: expected a model_type of transformers that has a "
            "causal language model (vanilla_transformer, gpt2, llama, gpt_neox, ...) or a masked "
            "one (bert, modernbert, ...)"
        ) from error


def has_option(config: PretrainedConfig, name: str) -> bool:
    """Whether `name` is a field of the configuration, or another name of one."""
    return name in config.to_dict() or name in (config.attribute_map or {})


def check_options(config: PretrainedConfig, options: Iterable[str]) -> None:
    """Refuse options that the configuration does not have: it would keep them and heed none.

    Raises:
        UserError: names the option, and those that there are.
    """
    for name in options:
        if not has_option(config, name):
            raise unknown_name(f"option of {config.model_type}", name, config.to_dict())


def carried_over(options: Mapping[str, Any], model: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Options that were written for another architecture, as `model` calls them.

    A dropout probability goes to every place where `model` has one of that kind.

    Args:
        options: as the recipe has them.
        model: model_type that gets them.

    Returns:
        The options under the names that `model` has, and the names of those that it has nothing
        like (llama has no dropout but in attention).
    """
    config = plain_config(model)
    carried: dict[str, Any] = {}
    left_out = []
    for name, value in options.items():
        targets = _targets(config, name)
        carried.update(dict.fromkeys(targets, value))
        if not targets:
            left_out.append(name)
    return carried, tuple(left_out)


def _targets(config: PretrainedConfig, name: str) -> list[str]:
    if has_option(config, name):
        return [name]
    alike = next((names for names in SAME_OPTION if name in names), ())
    return [other for other in alike if other in config.to_dict()]


def sizes(config: PretrainedConfig, layers: int, width: int, heads: int) -> dict[str, Any]:
    """The options that set a model's size, in `config`'s kind of model.

    Where the architecture's own number does not fit these sizes, it follows them: heads of keys and
    values, a head's width and the part of it that is rotated, GPT-Neo's kind of each layer. A model
    without attention takes no heads.
    """
    wanted: dict[str, Any] = {"num_hidden_layers": layers, "hidden_size": width}
    if has_option(config, "num_attention_heads"):
        wanted["num_attention_heads"] = heads
    grouped = getattr(config, "num_key_value_heads", None)
    if isinstance(grouped, int) and heads % grouped:
        wanted["num_key_value_heads"] = heads
    if (getattr(config, "rotary_dim", None) or 0) > width // heads:
        wanted["rotary_dim"] = width // heads
    if has_option(config, "d_head"):
        wanted["d_head"] = width // heads
    if has_option(config, "attention_types"):
        odd = [[["global"], 1]] if layers % 2 else []
        wanted["attention_types"] = [[["global", "local"], layers // 2], *odd]
    return wanted
