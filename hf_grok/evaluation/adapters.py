"""Adapters as peft saves them: what they adapt, and how they are put in place."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from torch import nn
from transformers import PreTrainedModel

from hf_grok.errors import UserError
from hf_grok.text.json_reading import read_object

ADAPTER, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


def base_of(config: str, source: str) -> tuple[str, str | None]:
    """The model that an adapter adapts (a folder or a Hub repository), and its revision.

    Args:
        config: path of the adapter's configuration.
        source: of the adapter, as messages name it.

    Raises:
        UserError: the configuration names none.
    """
    content = read_object(Path(config))
    name = content.get("base_model_name_or_path")
    if not isinstance(name, str) or not name:
        raise UserError(
            f"{source} is an adapter, and its {ADAPTER} names no model that it adapts: write the "
            "folder or repository of that model into base_model_name_or_path"
        )
    revision = content.get("revision")
    if Path(name).is_dir() or not isinstance(revision, str):
        return name, None
    return name, revision


def with_adapter(model: PreTrainedModel, source: str, revision: str | None) -> nn.Module:
    """The model with the adapter's layers in it, trainable as they were.

    Raises:
        UserError: peft is not installed; the weights are not there, or not all of them.
    """
    try:
        from peft import PeftModel
    except ImportError as error:
        raise UserError(f"{source} is an adapter: loading it needs pip install peft") from error
    if Path(source).is_dir() and not (Path(source) / WEIGHTS).is_file():
        raise UserError(f"{source} is an adapter without {WEIGHTS}: expected its weights there")
    options: dict[str, Any] = {"revision": revision} if revision else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings("error", message=".*missing adapter keys.*")
        try:
            adapted: nn.Module = PeftModel.from_pretrained(
                model, source, is_trainable=True, **options
            )
        except UserWarning as found:
            raise UserError(
                f"{source} has no weights for parts of the adapter that its {ADAPTER} describes: "
                "they would be random numbers"
            ) from found
    return adapted
