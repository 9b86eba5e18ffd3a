"""Which attention a run's model computes with: the quickest that is its own."""

from __future__ import annotations

import torch
from transformers import PreTrainedModel
from transformers.utils import logging

from hf_grok.attention.batched import BATCHED_ATTENTION
from hf_grok.attention.proof import not_replaceable_because
from hf_grok.errors import UserError
from hf_grok.recipes.trainer.hardware import choose_attention

logger = logging.get_logger(__name__)


def set_attention(model: PreTrainedModel, wanted: str, device: torch.device) -> None:
    """Switch a fresh model to the attention for `wanted` on `device`.

    Ours is tried against the model's own first: what is trained is what the saved model computes
    when a stranger loads it. Where it differs "auto" leaves the model the library's attention, and
    the log says why.

    Raises:
        UserError: an implementation asked for by name that the model does not have, or that
            computes something else.
    """
    implementation = choose_attention(wanted, device)
    obstacle = None
    if implementation == BATCHED_ATTENTION:
        obstacle = not_replaceable_because(model, implementation)
    if obstacle is None:
        try:
            model.set_attn_implementation(implementation)
        except (ValueError, ImportError) as error:
            obstacle = str(error)
    if obstacle is None:
        return
    own = model.config._attn_implementation
    if wanted != "auto":
        raise UserError(
            f"{type(model).__name__} cannot be trained with attention {wanted!r}: {obstacle}. Take "
            f"--attention auto (here {own!r}) or another"
        )
    logger.info("attention: %s, the library's for this model (%s)", own, obstacle)
