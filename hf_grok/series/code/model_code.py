"""The vanilla transformer's own code as one file, for whoever loads a step without this package.

A revision carries it exactly where its config.json has the `auto_map` below. It is made from this
package's sources and from nothing else: a file of code that lies in a checkpoint is never taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from hf_grok.series.code.python_bundle import bundle
from hf_grok.version import __version__

OUR_MODELS = ("vanilla_transformer",)
OUR_CLASSES = ("VanillaTransformerForCausalLM", "VanillaTransformerModel")
MODEL_CODE_FILE = "modeling_vanilla_transformer.py"
AUTO_MAP = {
    "AutoConfig": "modeling_vanilla_transformer.VanillaTransformerConfig",
    "AutoModel": "modeling_vanilla_transformer.VanillaTransformerModel",
    "AutoModelForCausalLM": "modeling_vanilla_transformer.VanillaTransformerForCausalLM",
}

_ENTRY = "hf_grok.models.modeling_vanilla_transformer"
_HEADER = f"""\
# The vanilla transformer of hf-grok {__version__}, as one file for those who have not got it:
#     AutoModelForCausalLM.from_pretrained(REPO, revision="step1000", trust_remote_code=True)
# Made from the modules named below; with hf-grok installed, `import hf_grok.models` does the same.
# SPDX-License-Identifier: Apache-2.0
"""


@cache  # once: the steps of a process carry the same code, whatever becomes of the sources
def model_code() -> str:
    """The file's text; the same for the same sources and version.

    Raises:
        SeriesError: the sources are not installed, or cannot be put into one file.
    """
    return f"{_HEADER}\n{bundle(_ENTRY)}"


def with_code(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config.json of the vanilla transformer that finds its classes in `MODEL_CODE_FILE`."""
    return {**config, "auto_map": dict(AUTO_MAP)}


def without_code(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config.json that names no code: what it named, of a parent say, is not shipped."""
    return {key: value for key, value in config.items() if key != "auto_map"}


def ships_code(config: Mapping[str, Any]) -> bool:
    """Whether the revision with this config.json carries `MODEL_CODE_FILE`."""
    return config.get("auto_map") == AUTO_MAP
