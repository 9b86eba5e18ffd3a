"""What a published config.json says where Trainer's own would mislead."""

from __future__ import annotations

from typing import Any

from transformers import CONFIG_MAPPING

import hf_grok.models  # noqa: F401  (registers vanilla_transformer with the Auto classes)


def restore_use_cache(config: dict[str, Any]) -> dict[str, Any]:
    """`use_cache` as the model's class has it.

    Trainer turns it off while it trains and saves that, so that whoever loads a checkpoint would
    generate without a cache. A configuration of an unknown class stays as it is.
    """
    kind = str(config.get("model_type"))
    if kind not in CONFIG_MAPPING:  # which loads its classes when asked by [], not by get()
        return config
    default = getattr(CONFIG_MAPPING[kind], "use_cache", None)
    return {**config, "use_cache": True} if default is True and "use_cache" in config else config
