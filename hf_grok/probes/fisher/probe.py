"""Empirical Fisher: how strongly the model's likelihoods depend on its parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase
from transformers.utils import logging

from hf_grok.annotation.alignment import encode_sentences
from hf_grok.errors import UserError, unknown_name
from hf_grok.measurement.length_batches import length_batches, token_budget
from hf_grok.metrics import PROBES, Metric
from hf_grok.probes.base import Probe, State, device_of
from hf_grok.probes.fisher.gradients import NotBatchableError, batched, one_by_one
from hf_grok.probes.fisher.labels import sampled_labels, uniform_numbers
from hf_grok.probes.inputs.encoding import check_words_fit
from hf_grok.probes.inputs.predictions import (
    Predictions,
    masked_tokens_of,
    predict,
    predictions_of,
)
from hf_grok.probes.inputs.wrappers import ready, sees_past_only

METHODS = ("auto", "batched", "one_by_one")
LABELS = ("sampled", "gold")
# Of the tokens that a forward pass takes at once: a backward pass holds several times as much.
SHARE_OF_BUDGET = 4

logger = logging.get_logger(__name__)


class EmpiricalFisher(Probe):
    """fisher_trace = mean over sentences of |d/dw sum_t -log p(y_t | context)|^2.

    w: all trainable parameters, tied ones once. t: every token but the first of a causal model,
    and 15 % of the tokens, masked together, of a masked one. y_t is drawn from the model's own
    distribution there, given the gold context. Draws depend on `seed` and the sentence alone.

    - `fisher_trace`, and `fisher_trace_per_token`, the same sum over the number of predictions.
      Scores of labels that the model draws have mean zero, so in expectation a sentence's trace is
      the sum of those of its predictions: this number does not grow with the sentences' length.
    - `fisher_trace_gold` instead, with `labels="gold"`: gold tokens, whose scores do not cancel.

    Args:
        data: running texts, `Sentence`s, or rows.
        tokenizer: a fast one; with a mask token for a masked model.
        labels: "sampled" or "gold".
        method: "one_by_one": a backward pass for each sentence, the definition itself; "batched":
            one for many, for models of Linear, Conv1D, Embedding, LayerNorm and RMSNorm layers;
            "auto": batched, and one by one for other models, which is logged and shows in `used`.
        max_examples: the first so many sentences; None for all.
        seed: of labels and masked tokens; 0 or more.
        column: of rows, with the words or the running text.
        add_start: put a start token in front where the tokenizer adds none.
        allow_unknown: let words through that the tokenizer does not know.

    Attributes:
        used: the method that the last sentences went through; None before the first.

    Raises:
        UserError: no sentence, an unknown option, or words that the tokenizer does not know.

    Source: Chen et al. 2024 (arXiv 2309.07311), unverified in its text.
    """

    name = "fisher"
    # 2: log-probabilities without the rounding of a large vocabulary; 3: masks are training's.
    version = 3
    source = "Chen et al. 2024 (arXiv 2309.07311)"
    metrics: ClassVar[Mapping[str, Metric]] = PROBES["fisher"]

    def __init__(
        self,
        data: Any,
        tokenizer: PreTrainedTokenizerBase,
        *,
        labels: str = "sampled",
        method: str = "auto",
        max_examples: int | None = 64,
        seed: int = 0,
        column: str = "words",
        add_start: bool = False,
        allow_unknown: bool = False,
    ) -> None:
        for kind, value, allowed in (("labels", labels, LABELS), ("method", method, METHODS)):
            if value not in allowed:
                raise unknown_name(kind, value, allowed)
        if max_examples is not None and max_examples < 1:
            raise UserError(f"max_examples is {max_examples}: expected at least 1, or None for all")
        self._sentences = encode_sentences(
            data,
            tokenizer,
            name=column,
            most=max_examples,
            add_start=add_start,
            allow_unknown=allow_unknown,
        )
        self._tokenizer = tokenizer
        self._masked = masked_tokens_of(self._sentences, seed=seed)
        self._uniform = (
            uniform_numbers(self._sentences.lengths, seed) if labels == "sampled" else None
        )
        self._method = method
        self.used: str | None = None

    def __len__(self) -> int:
        return len(self._sentences)

    def state(self, model: nn.Module, indices: Sequence[int] | None = None) -> State:
        """Sums over sentences with a prediction: squared norms, sentences, predictions."""
        model = ready(model)
        _require_trainable(model)
        chosen = range(len(self)) if indices is None else indices
        device = device_of(model)
        check_words_fit(model, self._sentences)
        causal = sees_past_only(model)
        budget = token_budget(device) // SHARE_OF_BUDGET
        total = torch.zeros(3, dtype=torch.double)
        self.used = None
        for batch in length_batches(self._sentences.lengths, chosen, budget):
            predictions = predictions_of(
                self._sentences, batch, self._masked, self._tokenizer, causal=causal
            ).to(device)
            norms = self._squared_norms(model, predictions, batch).cpu()
            counts = predictions.predicted.sum(1).cpu()
            sentences = int((counts > 0).sum())
            total += torch.stack([norms.sum(), torch.tensor(sentences), counts.sum()])
        return dict(zip(("squared_norm", "sentences", "predictions"), total, strict=True))

    def compute(self, state: State) -> dict[str, float]:
        """Means of a summed state; nothing without a prediction."""
        squared_norm, sentences, predictions = (
            float(state[key]) for key in ("squared_norm", "sentences", "predictions")
        )
        if not sentences:
            return {}
        if self._uniform is None:
            return {f"{self.name}_trace_gold": squared_norm / sentences}
        return {
            f"{self.name}_trace": squared_norm / sentences,
            f"{self.name}_trace_per_token": squared_norm / predictions,
        }

    def _squared_norms(
        self, model: nn.Module, predictions: Predictions, batch: list[int]
    ) -> Float[Tensor, " batch"]:
        def draw(logits: Tensor) -> Tensor:
            if self._uniform is None:
                return predictions.gold
            return sampled_labels(logits, predictions.place, self._uniform[batch])

        if self._method != "one_by_one" and self.used != "one_by_one":
            try:
                norms = batched_and_checked(model, predictions, draw, check=self.used is None)
            except NotBatchableError as error:
                if self._method == "batched":
                    raise
                logger.warning("gradients of single sentences, one at a time (slower): %s", error)
            else:
                self.used = "batched"
                return norms
        self.used = "one_by_one"
        with torch.no_grad():
            labels = draw(predict(model, predictions))
        return one_by_one(model, predictions, labels)


def batched_and_checked(
    model: nn.Module,
    predictions: Predictions,
    draw: Callable[[Tensor], Tensor],
    *,
    check: bool,
) -> Float[Tensor, " batch"]:
    """`batched`, its largest norm held against the definition where `check` asks for it.

    A parameter that is used without its layer being called escapes `batched`; the definition
    misses nothing.

    Raises:
        NotBatchableError: the two differ.
    """
    norms, labels = batched(model, predictions, draw)
    if check:
        row = int(norms.argmax())
        alone = one_by_one(model, predictions.only(row), labels[row : row + 1])
        seen, expected = float(norms[row]), float(alone)
        precision = max(torch.finfo(p.dtype).eps for p in model.parameters() if p.requires_grad)
        if not math.isclose(seen, expected, rel_tol=math.sqrt(precision)):
            raise NotBatchableError(
                f"the squared gradient norm of a sentence is {seen:.6g} by layers and "
                f"{expected:.6g} by its own backward pass: {type(model).__name__} uses a parameter "
                "outside the layer that owns it, or treats a sentence in a batch differently"
            )
    return norms


def _require_trainable(model: nn.Module) -> None:
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise UserError(
            f"every parameter of {type(model).__name__} is frozen, so there is no gradient: call "
            "model.requires_grad_(True) first"
        )
