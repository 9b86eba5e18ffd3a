"""Labels that a model draws from its own distribution, by numbers fixed beforehand."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor

from hf_grok.errors import UserError
from hf_grok.masking import IGNORED
from hf_grok.measurement.precision import in_double
from hf_grok.probes.inputs.predictions import NOT_A_NUMBER, NOWHERE

# Tells the draw of labels from other draws by (seed, sentence).
LABEL_STREAM = 1
# Words that are drawn from together: of a vocabulary only its blocks are summed in float64.
BLOCK = 256


def sampled_labels(
    logits: Float[Tensor, "batch length vocabulary"],
    place: Int[Tensor, "batch length"],
    uniform: Float64[Tensor, "batch token"],
) -> Int[Tensor, "batch length"]:
    """label = the first token whose cumulated probability exceeds uniform[b, place].

    Args:
        logits: the model's scores at each position.
        place: token of the sentence that is predicted there; -1 where none is.
        uniform: in [0, 1), one number for each token of each sentence, on the CPU.

    Returns:
        Token ids, -100 where nothing is predicted.

    Raises:
        UserError: the scores are not numbers.
    """
    asked = place != NOWHERE
    drawn = uniform.gather(1, place.clamp(min=0).cpu())[asked.cpu()]
    labels = torch.full_like(place, IGNORED)
    probabilities = logits[asked].float().softmax(-1)
    labels[asked] = drawn_tokens(probabilities, drawn).to(labels.device)
    return labels


def drawn_tokens(
    probabilities: Float[Tensor, "row vocabulary"], drawn: Float64[Tensor, " row"]
) -> Int[Tensor, " row"]:
    """The first token whose cumulated fraction of its row's probability exceeds drawn[row].

    First the block of tokens is found in which that is, then the token in it.

    Raises:
        UserError: a probability is not a number.
    """
    padding = -probabilities.shape[-1] % BLOCK
    blocks = torch.nn.functional.pad(probabilities, (0, padding)).unflatten(-1, (-1, BLOCK))
    through = in_double(blocks.sum(-1)).cumsum(-1)
    if through.isnan().any():
        raise UserError(NOT_A_NUMBER)
    sought = drawn.to(through.device)[:, None] * through[:, -1:]
    block = _first_above(through, sought)
    rows = torch.arange(len(blocks), device=blocks.device)
    inside = in_double(blocks[rows, block.squeeze(1).to(blocks.device)]).cumsum(-1)
    before = torch.where(block > 0, through.gather(1, (block - 1).clamp(min=0)), 0.0)
    # A block's own sum is of single precision: the share of it that is sought is exact.
    share = (sought - before) / (through.gather(1, block) - before)
    return (block * BLOCK + _first_above(inside, share * inside[:, -1:])).squeeze(1)


def _first_above(
    cumulated: Float64[Tensor, "row place"], sought: Float64[Tensor, "row 1"]
) -> Int[Tensor, "row 1"]:
    """The first place whose sum exceeds `sought`, or the last that adds to the sum."""
    last = torch.searchsorted(cumulated, cumulated[:, -1:].contiguous())
    return torch.searchsorted(cumulated, sought, right=True).minimum(last)


def uniform_numbers(
    lengths: Int[Tensor, " sentence"], seed: int
) -> Float64[Tensor, "sentence length"]:
    """Numbers in [0, 1) for each token of each sentence, by (seed, sentence, token) alone."""
    longest = int(lengths.max())
    rows = [
        np.random.default_rng([seed, number, LABEL_STREAM]).random(longest)
        for number in range(len(lengths))
    ]
    return torch.from_numpy(np.stack(rows))
