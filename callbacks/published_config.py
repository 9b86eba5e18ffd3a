"""What a published config.json says where Trainer's own would mislead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import transformers
from torch import nn
from transformers import CONFIG_MAPPING
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

import hf_grok.models  # noqa: F401  (registers vanilla_transformer with the Auto classes)
from hf_grok.errors import UserError
from hf_grok.series.code.model_code import OUR_CLASSES, OUR_MODELS, with_code, without_code


def published_config(config: dict[str, Any]) -> dict[str, Any]:
    """`restore_use_cache`, and the vanilla transformer names no code, because none goes along."""
    found = restore_use_cache(config)
    return without_code(found) if found.get("model_type") in OUR_MODELS else found


def published_config_with_code(config: dict[str, Any]) -> dict[str, Any]:
    """`restore_use_cache`, and the vanilla transformer names the file that holds its classes.

    Raises:
        UserError: the class is neither of transformers nor ours.
    """
    classes = config.get("architectures") or ()
    ours = [is_ours(config.get("model_type"), name) for name in classes]
    found = restore_use_cache(config)
    return with_code(found) if any(ours) else found


def is_ours(model_type: Any, name: str) -> bool:
    """Whether a class is one of this package's: True; of transformers': False.

    Args:
        model_type: of its configuration.
        name: of the class, as config.json has it.

    Raises:
        UserError: it is neither, so that nobody here knows its code.
    """
    if model_type in OUR_MODELS and name in OUR_CLASSES:
        return True
    if model_type in CONFIG_MAPPING_NAMES and name in dir(transformers):
        return False
    raise UserError(
        f"ship_code: {name} (model_type {model_type!r}) is neither a class of transformers nor "
        f"{' or '.join(OUR_CLASSES)} of hf-grok, and only the latter's code is known here. Go on "
        "without ship_code (--ship-code), and put the class's code into the repository yourself."
    )


def is_our_model(model: nn.Module) -> bool:
    """`is_ours` of a model in memory.

    Raises:
        UserError: its class is neither of transformers nor ours.
    """
    kind = type(getattr(model, "_orig_mod", model))  # of torch.compile
    name = kind.__name__.removeprefix("FSDP")  # as save_pretrained does
    return is_ours(getattr(getattr(model, "config", None), "model_type", None), name)


def restore_use_cache(config: Mapping[str, Any]) -> dict[str, Any]:
    """`use_cache` as the model's class has it.

    Trainer turns it off while it trains and saves that, so that whoever loads a checkpoint would
    generate without a cache. A configuration of an unknown class stays as it is.
    """
    found = dict(config)
    kind = str(found.get("model_type"))
    if kind not in CONFIG_MAPPING:  # which loads its classes when asked by [], not by get()
        return found
    default = getattr(CONFIG_MAPPING[kind], "use_cache", None)
    return {**found, "use_cache": True} if default is True and "use_cache" in found else found
