"""Intrinsic dimension of a model's sentence vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from hf_grok.annotation.alignment import EncodedWords, encode_sentences
from hf_grok.behaviour.encoding import (
    EncodedLines,
    check_model_fits,
    length_batches,
    token_budget,
)
from hf_grok.errors import UserError, unknown_name
from hf_grok.metrics import PROBES, Metric
from hf_grok.probes.base import Probe, State, device_of, require_finite
from hf_grok.probes.two_nn import FEWEST_POINTS, METRICS, dimension_of_ratios, neighbour_ratios
from hf_grok.probes.wrappers import ready, sees_past_only
from hf_grok.text_model import plain_tokens, transformer_of, trying

TRIED = 4  # tokens that the width of a state is read from
POOLINGS = ("auto", "first", "last")


class IntrinsicDimension(Probe):
    """intrinsic_dimension_METRIC = TwoNN estimate for one vector of each different sentence.

    The vector is the state of one piece in one layer: of the first (CLS) where the model sees both
    sides, of the last where it sees the past only.

    - `intrinsic_dimension_cosine` or `intrinsic_dimension_euclidean`, by the metric: one is about
      half the other, so they are no one number. Left out with fewer than 10 points of use.
    - `intrinsic_dimension_points`: points of use, those whose two neighbours are at two different
      distances above 0.

    Args:
        data: running texts, `Sentence`s, or rows; a sentence that comes twice is taken once.
        tokenizer: a fast one.
        metric: "cosine" or "euclidean".
        pooling: "first", "last", or "auto" by the kind of model.
        layer: of the states; 0 is the embeddings, -1 the last layer.
        discard: share of the largest ratios left out of the fit.
        column: of rows, with the words or the running text.
        add_start: put a start token in front where the tokenizer adds none.
        allow_unknown: let words through that the tokenizer does not know.

    Raises:
        UserError: no sentence, an unknown option, or words that the tokenizer does not know.

    Source: Facco et al. 2017 (Scientific Reports 7, 12140); on [CLS] with 1 - cosine: Chen et al.
    2024 (arXiv 2309.07311).
    """

    name = "intrinsic_dimension"
    version = 1
    source = "Facco et al. 2017; Chen et al. 2024 (arXiv 2309.07311)"
    metrics: ClassVar[Mapping[str, Metric]] = PROBES["intrinsic_dimension"]

    def __init__(
        self,
        data: Any,
        tokenizer: PreTrainedTokenizerBase,
        *,
        metric: str = "cosine",
        pooling: str = "auto",
        layer: int = -1,
        discard: float = 0.1,
        column: str = "words",
        add_start: bool = False,
        allow_unknown: bool = False,
    ) -> None:
        for kind, value, allowed in (("metric", metric, METRICS), ("pooling", pooling, POOLINGS)):
            if value not in allowed:
                raise unknown_name(kind, value, allowed)
        if not 0 <= discard < 1:
            raise UserError(f"discard is {discard}: expected a share of points, 0 <= discard < 1")
        encoded = encode_sentences(
            data, tokenizer, name=column, add_start=add_start, allow_unknown=allow_unknown
        )
        self._lines = _without_repeats(encoded)
        self._metric, self._pooling, self._layer = metric, pooling, layer
        self._discard = discard

    def __len__(self) -> int:
        return len(self._lines)

    def state(self, model: nn.Module, indices: Sequence[int] | None = None) -> State:
        """Row i of `vectors` is the vector of sentence i, zero where `filled` is."""
        model = ready(model)
        check_model_fits(model, self._lines)
        base, causal = _base_of(model), sees_past_only(model)
        device = device_of(model)
        chosen = range(len(self)) if indices is None else indices
        vectors = torch.zeros(len(self), _width(base, self._layer), dtype=torch.double)
        filled = torch.zeros(len(self), dtype=torch.int64)
        for batch in length_batches(self._lines.lengths, chosen, token_budget(device)):
            lengths = self._lines.lengths[batch].to(device)
            ids = self._lines.ids[batch, : int(lengths.max())].to(device)
            states = hidden_states(base, ids, lengths, causal=causal, layer=self._layer)
            place = lengths - 1 if self._takes_last(causal) else torch.zeros_like(lengths)
            rows = torch.arange(len(batch), device=device)
            vectors[batch] = states[rows, place].cpu().double()
            filled[batch] = 1
        return {"vectors": vectors, "filled": filled}

    def compute(self, state: State) -> dict[str, float]:
        """The estimate of a summed state, where there are points enough, and their number."""
        vectors = state["vectors"][state["filled"] > 0]
        ratios = neighbour_ratios(vectors, self._metric)
        numbers = {f"{self.name}_points": float(len(ratios))}
        if len(ratios) >= FEWEST_POINTS:
            estimate = dimension_of_ratios(ratios, self._discard)
            numbers[f"{self.name}_{self._metric}"] = estimate
        return numbers

    def _takes_last(self, causal: bool) -> bool:
        return causal if self._pooling == "auto" else self._pooling == "last"


def hidden_states(
    base: nn.Module,
    ids: Int[Tensor, "batch length"],
    lengths: Int[Tensor, " batch"],
    *,
    causal: bool,
    layer: int = -1,
) -> Float[Tensor, "batch length width"]:
    """States of one layer, without a graph; 0 is the embeddings, -1 the last layer.

    Raises:
        UserError: the model has no such layer.
    """
    if causal:
        inputs: dict[str, Any] = {"use_cache": False}
    else:
        real = torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]
        inputs = {"attention_mask": real.long()}
    with torch.no_grad():
        output = base(input_ids=ids, output_hidden_states=layer != -1, **inputs)
    if layer == -1:
        last: Tensor = output.last_hidden_state
        require_finite(f"the last layer of {type(base).__name__}", last)
        return last
    states: tuple[Tensor, ...] = output.hidden_states
    if not -len(states) <= layer < len(states):
        raise UserError(
            f"layer {layer} of a model with {len(states) - 1} layers: expected 0 (the embeddings) "
            f"to {len(states) - 1}, or -1 (the last) to {-len(states)}"
        )
    return states[layer]


def _width(base: nn.Module, layer: int) -> int:
    """Numbers in a state of that layer: not every model's are of `hidden_size`."""
    ids = plain_tokens(base, 1, TRIED)
    lengths = torch.full_like(ids[:, 0], TRIED)
    with trying(base):
        states = hidden_states(base, ids, lengths, causal=False, layer=layer)
    return states.shape[-1]


def _base_of(model: nn.Module) -> nn.Module:
    """The model without its head."""
    if not isinstance(model, PreTrainedModel):
        raise UserError(
            f"{type(model).__name__} is no PreTrainedModel, so its sentence vectors are not known: "
            "expected a model of the transformers library"
        )
    return transformer_of(model)


def _without_repeats(encoded: EncodedWords) -> EncodedLines:
    """The different sentences, in order: twice the same vector is no neighbour of itself."""
    rows = zip(encoded.ids.tolist(), encoded.lengths.tolist(), strict=True)
    first: dict[tuple[int, ...], int] = {}
    for number, (ids, length) in enumerate(rows):
        first.setdefault(tuple(ids[:length]), number)
    kept = list(first.values())
    return EncodedLines(encoded.ids[kept], encoded.lengths[kept], 0)
