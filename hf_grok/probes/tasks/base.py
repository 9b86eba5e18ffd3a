"""What every behavioural measure is: a probe over encoded lines, whose state is one tally."""

from __future__ import annotations

import weakref
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from hf_grok.annotation.rows import Rows
from hf_grok.errors import UserError
from hf_grok.measurement.length_batches import length_batches, token_budget
from hf_grok.measurement.tally import Tally
from hf_grok.metrics import Metric
from hf_grok.models.text_model import logits_of
from hf_grok.probes.base import Probe, State, device_of
from hf_grok.probes.inputs.encoding import EncodedLines, check_model_fits
from hf_grok.probes.inputs.wrappers import ready, sees_past_only

# Which probe measures which split of a language, where several splits are given at once.
MEASURED_SPLITS: Mapping[str, str] = {
    "test": "in_distribution",
    "generalization": "generalization",
}


class Behaviour(Probe):
    """tally(all lines) = sum of the tallies of any split of the lines.

    Works on any causal language model that is called as `model(input_ids=...)` and returns
    `.logits`, on the device of its parameters. Nothing is drawn at random.

    Attributes:
        splits: split of a data set -> name of the probe over it.
        causal: whether the model must see the past only; else it must see both sides.

    Args:
        lines: the scored lines, encoded once.
        counted: every name of the tally, those that only some lines have included.
    """

    name: ClassVar[str] = "behaviour"
    version: ClassVar[int] = 1
    source: ClassVar[str] = "not named"
    metrics: ClassVar[Mapping[str, Metric]] = {"behaviour_{}": Metric("not described", "share")}
    splits: ClassVar[Mapping[str, str]] = MEASURED_SPLITS
    causal: ClassVar[bool] = True

    def __init__(self, lines: EncodedLines, counted: Sequence[str] = ()) -> None:
        self._lines = lines
        self._counted = tuple(counted)
        self._fitting: weakref.ref[nn.Module] | None = None

    def __len__(self) -> int:
        """The number of scored lines."""
        return len(self._lines)

    def state(self, model: nn.Module, indices: Sequence[int] | None = None) -> State:
        """Numerator and denominator of every ratio, [2] in float64; see `tally`."""
        tally = self.tally(model, indices)
        sums = {**tally, **{name: (0.0, 0.0) for name in self._counted if name not in tally}}
        return {name: torch.tensor(pair, dtype=torch.float64) for name, pair in sums.items()}

    def compute(self, state: State) -> dict[str, float]:
        """The ratios of a summed state; one without any case is left out."""
        tally = Tally({name: (float(sums[0]), float(sums[1])) for name, sums in state.items()})
        return {self._metric(name): ratio for name, ratio in tally.ratios().items()}

    def tally(self, model: nn.Module, indices: Sequence[int] | None = None) -> Tally:
        """Sums and counts of every measure over the lines at `indices` (default: all of them).

        Process r of w takes `range(len(self))[r::w]`, and the processes' tallies add up.

        Raises:
            UserError: the model has too few positions or too small a vocabulary for the lines, no
                language-model head, or looks the wrong way.
            RuntimeError: the model is in training mode, where dropout would be measured too.
        """
        model = ready(model)
        self._check_fits(model)
        device = device_of(model)
        chosen = range(len(self)) if indices is None else indices
        total = Tally()
        with torch.no_grad():
            for batch in length_batches(self._lines.lengths, chosen, token_budget(device)):
                longest = int(self._lines.lengths[batch].max())
                ids = self._lines.ids[batch, :longest].to(device)
                total = total + self._score(model, ids, torch.tensor(batch))
        return total

    def _metric(self, counted: str) -> str:
        """The number's name of a name in the tally."""
        return f"{self.name}_{counted}"

    def _check_fits(self, model: nn.Module) -> None:
        """Once for a model: which way it looks is found by trying it, and does not change."""
        if self._fitting is not None and self._fitting() is model:
            return
        check_model_fits(model, self._lines)
        if isinstance(model, PreTrainedModel) and sees_past_only(model) is not self.causal:
            sides = ("the words before a place", "the words on both sides")
            seen, wanted = reversed(sides) if self.causal else sides
            raise UserError(
                f"{type(model).__name__} sees {seen}, and {type(self).__name__} measures models "
                f"that see {wanted}: take a measure for this kind of model (hf-grok probe --list)"
            )
        self._fitting = weakref.ref(model)

    @abstractmethod
    def _score(
        self, model: nn.Module, ids: Int[Tensor, "batch length"], indices: Int[Tensor, " batch"]
    ) -> Tally:
        """The tally of one batch.

        Args:
            model: the language model, in evaluation mode.
            ids: tokens on the model's device, padded on the right.
            indices: which line each row is, on the CPU.
        """


class LanguageBehaviour(Behaviour):
    """What a model does on one language: its lines are read from rows of that language's columns.

    Args:
        rows: with the columns that the language's behaviour names.
        tokenizer: of the model.
        allow_unknown: let words through that the tokenizer does not know.
        add_start: put the tokenizer's start token in front where it adds none.

    Raises:
        UserError: no row to score, or one that does not fit its columns or the tokenizer.
    """

    def __init__(
        self,
        rows: Rows,
        tokenizer: PreTrainedTokenizerBase,
        *,
        allow_unknown: bool = False,
        add_start: bool = False,
    ) -> None:
        flags = {"allow_unknown": allow_unknown, "add_start": add_start}
        super().__init__(*self._read(rows, tokenizer, **flags))

    @abstractmethod
    def _read(
        self, rows: Rows, tokenizer: PreTrainedTokenizerBase, **flags: bool
    ) -> tuple[EncodedLines, Sequence[str]]:
        """The scored lines, encoded with `flags`, and every name of the tally; keeps the gold."""


def next_word_logits(
    model: nn.Module, ids: Int[Tensor, "batch length"]
) -> Float[Tensor, "batch length vocabulary"]:
    """logits[b, t] = the model's scores for the token at t + 1, given tokens 0 to t.

    Raises:
        UserError: the model has no language-model head.
    """
    # No mask: padding is on the right, out of sight of every token that counts.
    return logits_of(model, model(input_ids=ids, use_cache=False), ids.shape)
