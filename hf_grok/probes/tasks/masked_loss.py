"""Loss of a masked language model in nats a masked token, the same tokens masked every time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from hf_grok.annotation.rows import Rows, column
from hf_grok.errors import UserError
from hf_grok.masking import MASKED_SHARE, evaluation_masks
from hf_grok.measurement.precision import in_double, log_probabilities_of
from hf_grok.measurement.tally import Tally
from hf_grok.metrics import PROBES, Metric
from hf_grok.models.text_model import logits_of
from hf_grok.probes.inputs.encoding import EncodedLines, encode_lines
from hf_grok.probes.tasks.base import Behaviour
from hf_grok.probes.tasks.loss import checked_texts


def masked_loss(
    logits: Float[Tensor, "batch length vocabulary"],
    ids: Int[Tensor, "batch length"],
    masked: Bool[Tensor, "batch length"],
) -> Float[Tensor, ""]:
    """sum over masked (b, t) of -log p(ids[b, t] | line b without its masked tokens); nats.

    Summed in double precision, so that the order in which the lines come does not show.
    """
    return -in_double(log_probabilities_of(logits[masked], ids[masked])).sum()


class MaskedLoss(Behaviour):
    """loss = summed negative log-likelihood of the masked tokens / their number, in nats.

    All of a line's masked tokens are masked at once, behind the mask token. Which they are is a
    function of `seed`, the line's number and its length, so that every evaluation, on any number of
    processes, asks the same.

    Args:
        texts: the lines as the model sees them.
        tokenizer: encodes them; its special tokens are never masked.
        seed: of what is masked.
        share: of a line's tokens that are masked, at least one.
        allow_unknown: let words through that the tokenizer does not know.
        add_start: put the tokenizer's start token in front where it adds none.

    Raises:
        UserError: there is no line, a line holds a word that the tokenizer does not know, or the
            tokenizer has no mask token.
    """

    name: ClassVar[str] = "masked_loss"
    version: ClassVar[int] = 1
    source: ClassVar[str] = "ours: a mean over masked tokens"
    metrics: ClassVar[Mapping[str, Metric]] = PROBES["masked_loss"]
    splits: ClassVar[Mapping[str, str]] = {"validation": "loss"}
    causal: ClassVar[bool] = False

    def __init__(
        self,
        texts: Iterable[str],
        tokenizer: PreTrainedTokenizerBase,
        *,
        seed: int = 0,
        share: float = MASKED_SHARE,
        allow_unknown: bool = False,
        add_start: bool = False,
    ) -> None:
        lines = checked_texts(texts)
        if tokenizer.mask_token_id is None:
            raise UserError(
                f"{type(tokenizer).__name__} has no mask token, behind which a masked model's "
                "tokens are masked: take the tokenizer that the model was trained with"
            )
        encoded = encode_lines(lines, tokenizer, allow_unknown=allow_unknown, add_start=add_start)
        super().__init__(encoded, ["loss"])
        self._mask_id = int(tokenizer.mask_token_id)
        self._masked = _masked(self._lines, tokenizer.all_special_ids, seed, share)

    @classmethod
    def from_data(
        cls, rows: Rows, tokenizer: PreTrainedTokenizerBase, **options: Any
    ) -> MaskedLoss:
        """The loss of rows with a column text."""
        return cls(column(rows, "text"), tokenizer, **options)

    def _metric(self, counted: str) -> str:
        return self.name

    def _score(
        self, model: nn.Module, ids: Int[Tensor, "batch length"], indices: Int[Tensor, " batch"]
    ) -> Tally:
        masked = self._masked[indices, : ids.shape[1]].to(ids.device)
        lengths = self._lines.lengths[indices, None].to(ids.device)
        real = torch.arange(ids.shape[1], device=ids.device) < lengths
        seen = ids.masked_fill(masked, self._mask_id)
        output = model(input_ids=seen, attention_mask=real.long())
        logits = logits_of(model, output, ids.shape)
        return Tally(
            {"loss": (masked_loss(logits, ids, masked).item(), float(masked.sum().item()))}
        )


def _masked(
    lines: EncodedLines, special_ids: Iterable[int], seed: int, share: float
) -> Bool[Tensor, "line length"]:
    length = lines.ids.shape[1]
    real = torch.arange(length) < lines.lengths[:, None]
    special = torch.isin(lines.ids, torch.tensor(list(special_ids)))
    return torch.from_numpy(evaluation_masks((real & ~special).numpy(), seed=seed, share=share))
