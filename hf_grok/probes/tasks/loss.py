"""Loss in nats a token, exact over any split of the lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from hf_grok.annotation.rows import Rows, column
from hf_grok.errors import UserError
from hf_grok.measurement.precision import in_double, log_probabilities_of
from hf_grok.measurement.tally import Tally
from hf_grok.metrics import RUN, Metric
from hf_grok.probes.inputs.encoding import encode_lines
from hf_grok.probes.tasks.base import Behaviour, next_word_logits


def summed_loss(
    logits: Float[Tensor, "batch length vocabulary"],
    ids: Int[Tensor, "batch length"],
    lengths: Int[Tensor, " batch"],
) -> Float[Tensor, ""]:
    """sum over lines b, over t from 1 to lengths[b] - 1, of -log p(ids[b, t] | ids[b, :t]); nats.

    The first token is given, never predicted. Summed in double precision, so that the order in
    which the lines come does not show.
    """
    position = torch.arange(1, ids.shape[1], device=ids.device)
    real = position < lengths[:, None]
    gold = log_probabilities_of(logits[:, :-1], ids[:, 1:])
    return -in_double(gold[real]).sum()


def checked_texts(texts: Iterable[str]) -> list[str]:
    """The texts, of which there must be one."""
    lines = list(texts)
    if not lines:
        raise UserError("there is no line to take the loss of: expected at least one text")
    return lines


class TokenLoss(Behaviour):
    """loss = summed negative log-likelihood / number of predicted tokens, in nats.

    A mean over tokens, not over batches: the Trainer's own eval_loss changes with the batch size
    and the number of processes.

    Args:
        texts: the lines as the model sees them.
        tokenizer: encodes them, special tokens included; a start token is never predicted.
        allow_unknown: let words through that the tokenizer does not know.
        add_start: put the tokenizer's start token in front where it adds none (GPT-2).

    Raises:
        UserError: there is no line, or a line holds a word that the tokenizer does not know.
    """

    name: ClassVar[str] = "loss"
    version: ClassVar[int] = 1
    source: ClassVar[str] = "ours: a mean over tokens"
    metrics: ClassVar[Mapping[str, Metric]] = {"loss": RUN["loss"]}
    splits: ClassVar[Mapping[str, str]] = {"validation": "loss"}

    def __init__(
        self,
        texts: Iterable[str],
        tokenizer: PreTrainedTokenizerBase,
        *,
        allow_unknown: bool = False,
        add_start: bool = False,
    ) -> None:
        lines = checked_texts(texts)
        encoded = encode_lines(lines, tokenizer, allow_unknown=allow_unknown, add_start=add_start)
        super().__init__(encoded, ["loss"])

    @classmethod
    def from_data(cls, rows: Rows, tokenizer: PreTrainedTokenizerBase, **options: Any) -> TokenLoss:
        """The loss of rows with a column text."""
        return cls(column(rows, "text"), tokenizer, **options)

    def _metric(self, counted: str) -> str:
        return self.name

    def _score(
        self, model: nn.Module, ids: Int[Tensor, "batch length"], indices: Int[Tensor, " batch"]
    ) -> Tally:
        lengths = self._lines.lengths[indices]
        loss = summed_loss(next_word_logits(model, ids), ids, lengths.to(ids.device))
        return Tally({"loss": (loss.item(), float((lengths - 1).sum()))})
