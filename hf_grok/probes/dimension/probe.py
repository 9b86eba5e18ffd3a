"""Intrinsic dimension of a model's sentence vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from hf_grok.annotation.alignment import EncodedWords, encode_sentences
from hf_grok.errors import UserError, unknown_name
from hf_grok.measurement.requirements import require_finite
from hf_grok.metrics import PROBES, Metric
from hf_grok.models.text_model import plain_tokens, transformer_of, trying
from hf_grok.probes.base import State
from hf_grok.probes.dimension.two_nn import (
    FEWEST_POINTS,
    METRICS,
    dimension_of_ratios,
    neighbour_ratios,
)
from hf_grok.probes.inputs.wrappers import sees_past_only
from hf_grok.probes.shared_pass import Reader, ReadingProbe

TRIED = 4  # tokens that the width of a state is read from
POOLINGS = ("auto", "first", "last")


class IntrinsicDimension(ReadingProbe):
    """intrinsic_dimension_METRIC = TwoNN estimate for one vector of each different sentence.

    The vector is the state of one token in one layer: of the first (CLS) where the model sees both
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
        discard: fraction of the largest ratios left out of the fit.
        column: of rows, with the words or the running text.
        add_start: put a start token in front where the tokenizer adds none.
        allow_unknown: let words through that the tokenizer does not know.

    Raises:
        UserError: no sentence, an unknown option, or words that the tokenizer does not know.

    Source: Facco et al. 2017 (Scientific Reports 7, 12140); on [CLS] with 1 - cosine: Chen et al.
    2024 (arXiv 2309.07311).
    """

    name = "intrinsic_dimension"
    version = 2  # 2: states under eager attention, as maps are read: other last digits
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
        self.words, self._first = encoded, _first_of_repeats(encoded)
        self.shares = layer == -1
        self._metric, self._pooling, self._layer = metric, pooling, layer
        self._discard = discard

    def reader(self, model: nn.Module) -> Reader:
        """Row i of the state's `vectors` is the vector of sentence i, zero where `filled` is."""
        base, causal = _base_of(model), sees_past_only(model)
        last = causal if self._pooling == "auto" else self._pooling == "last"
        places = self.words.lengths - 1 if last else torch.zeros_like(self.words.lengths)
        return _Vectors(base, places, self._layer, causal=causal)

    def compute(self, state: State) -> dict[str, float]:
        """The estimate of a summed state, where there are points enough, and their number."""
        # Twice the same vector is no neighbour of itself.
        filled = state["filled"][self._first] > 0
        vectors = state["vectors"][self._first][filled]
        ratios = neighbour_ratios(vectors, self._metric)
        numbers = {f"{self.name}_points": float(len(ratios))}
        if len(ratios) >= FEWEST_POINTS:
            estimate = dimension_of_ratios(ratios, self._discard)
            numbers[f"{self.name}_{self._metric}"] = estimate
        return numbers


class _Vectors(Reader):
    """Reads one state of each sentence."""

    def __init__(
        self, base: nn.Module, places: Int[Tensor, " sentence"], layer: int, *, causal: bool
    ) -> None:
        self._base, self._places, self._layer, self.causal = base, places, layer, causal
        self.inputs = {"output_hidden_states": True} if layer != -1 else {}
        self._vectors = torch.zeros(len(places), _width(base, layer), dtype=torch.double)
        self._filled = torch.zeros(len(places), dtype=torch.int64)

    def end(self, batch: Sequence[int], output: Any) -> None:
        states = state_of(self._base, output, self._layer)
        rows = torch.arange(len(batch), device=states.device)
        places = self._places[list(batch)].to(states.device)
        self._vectors[list(batch)] = states[rows, places].cpu().double()
        self._filled[list(batch)] = 1

    def state(self) -> State:
        return {"vectors": self._vectors, "filled": self._filled}


def state_of(base: nn.Module, output: Any, layer: int) -> Float[Tensor, "batch length width"]:
    """The states of one layer in a model's output; 0 is the embeddings, -1 the last layer.

    Raises:
        UserError: the model has no such layer, or its last states are not finite.
    """
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
    with trying(base), torch.no_grad():
        output = base(
            input_ids=ids, attention_mask=torch.ones_like(ids), output_hidden_states=layer != -1
        )
        return state_of(base, output, layer).shape[-1]


def _base_of(model: nn.Module) -> nn.Module:
    """The model without its head."""
    if not isinstance(model, PreTrainedModel):
        raise UserError(
            f"{type(model).__name__} is no PreTrainedModel, so its sentence vectors are not known: "
            "expected a model of the transformers library"
        )
    return transformer_of(model)


def _first_of_repeats(encoded: EncodedWords) -> Int[Tensor, " different"]:
    """The different sentences, in order, each where it comes first."""
    rows = zip(encoded.ids.tolist(), encoded.lengths.tolist(), strict=True)
    first: dict[tuple[int, ...], int] = {}
    for number, (ids, length) in enumerate(rows):
        first.setdefault(tuple(ids[:length]), number)
    return torch.tensor(list(first.values()))
