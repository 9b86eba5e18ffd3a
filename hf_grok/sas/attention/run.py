"""The attention of one training run: chosen, proved, switched step by step, and put back."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.utils import logging

from hf_grok.sas.arguments import SASArguments
from hf_grok.sas.attention.capture import ArcCapture, Attentions, require_graph
from hf_grok.sas.attention.choice import EAGER, arc_attention_for
from hf_grok.sas.attention.recompute import keep_graph, reentrant_parts
from hf_grok.sas.attention.switch import require_before_dropout, set_arc_attention

logger = logging.get_logger(__name__)


class RunAttention:
    """Gives the attention on arcs of the passes that train, and the model's own to all others.

    Args:
        model: as the Trainer has it, in whatever wrappers.
        settings: of the regulariser.
        device: that is trained on.
        dtype: of autocast, or None for the model's own.

    Raises:
        UserError: no transformer in the model, or several.
    """

    def __init__(
        self,
        model: nn.Module,
        settings: SASArguments,
        device: torch.device,
        dtype: torch.dtype | None,
    ) -> None:
        self.capture = ArcCapture(model)
        self._settings, self._device, self._dtype = settings, device, dtype
        self._own = self.part.config._attn_implementation
        self._chosen: str | None = None
        self._reentrant = reentrant_parts(model)
        self._post_dropout = settings.sas_attention == "post_dropout"

    @property
    def part(self) -> PreTrainedModel:
        """The transformer whose attention it is."""
        return self.capture.part

    def prove(self, length: int) -> None:
        """Choose where the attention on arcs comes from, and prove that it is there.

        Args:
            length: tokens of a row of the first batch.

        Raises:
            UserError: it cannot be had from this model, with the reason.
        """
        keep_graph(self._reentrant, True)
        try:
            self._chosen, why = arc_attention_for(
                self._settings.sas_implementation,
                self.part,
                device=self._device,
                dtype=self._dtype or self.part.dtype,
                post_dropout=self._post_dropout,
                length=length,
            )
            self._require_graph(set_arc_attention(self.part, self._chosen))
            if self._chosen == EAGER and not self._post_dropout:
                require_before_dropout(self.part, length)
        finally:
            self.attend(False)
        logger.warning(f"regulariser: attention on arcs from {self._chosen} ({why})")
        if self._reentrant:
            logger.warning(
                "regulariser: steps with a strength recompute activations with use_reentrant=False,"
                " which gives the same numbers and keeps the graph of the attention"
            )

    def attend(self, to_arcs: bool) -> None:
        """Put the attention on arcs in place, or what the model came with."""
        self._switch(self._chosen if to_arcs and self._chosen else self._own)
        keep_graph(self._reentrant, to_arcs)

    def close(self) -> None:
        """Leave the model as it was before the run."""
        self.attend(False)
        self.capture.close()

    def asked(self, places: Tensor) -> dict[str, object]:
        """What the transformer is handed to report its attention on `places`."""
        asked: dict[str, object] = {"output_attentions": True}
        if self._chosen != EAGER:
            asked["sas_pairs"] = places
            if self._post_dropout:
                asked["sas_post_dropout"] = True
        return asked

    def share(self, penalty: Callable[[Attentions], Tensor]) -> Tensor:
        """The mean of `penalty` over the passes that were read, with a graph to the weights.

        Raises:
            UserError: it has none, or not to all that it should reach.
        """
        shares = []
        for attentions in self.capture.passes:
            self._require_graph(attentions)
            shares.append(penalty(attentions))
        return shares[0] if len(shares) == 1 else torch.stack(shares).mean()

    def _require_graph(self, attentions: Attentions) -> None:
        options = self._settings.penalty_options()
        chosen = options.chosen(len(attentions), attentions[0].shape[1])
        require_graph(attentions, self.part, {layer for layer, _ in chosen})

    def _switch(self, implementation: str) -> None:
        if self.part.config._attn_implementation != implementation:
            self.part.set_attn_implementation(implementation)
