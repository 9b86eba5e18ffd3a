"""Checkpoints of the vanilla transformer, and a process that has not got this package."""

from __future__ import annotations

from pathlib import Path

import torch

from hf_grok.models import VanillaTransformerConfig, VanillaTransformerForCausalLM
from hf_grok.series.code.model_code import MODEL_CODE_FILE
from tests.series.material import save_checkpoint

# No hf_grok, wherever it is installed.
BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "hf_grok":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Blocked())
"""


def tiny_vanilla(seed: int = 0) -> VanillaTransformerForCausalLM:
    sizes = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = VanillaTransformerConfig(
        vocab_size=20, intermediate_size=16, max_position_embeddings=16, **sizes
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return VanillaTransformerForCausalLM(config).eval()


def save_vanilla(run: Path, step: int) -> Path:
    """A checkpoint; in it a file of code that nobody asked for."""
    folder = save_checkpoint(run, step)
    model = tiny_vanilla(step)
    model.config.use_cache = False  # as Trainer leaves it
    model.save_pretrained(folder)
    (folder / MODEL_CODE_FILE).write_text("raise SystemExit")
    (folder / "other.py").write_text("raise SystemExit")
    return folder
