"""Minimal pairs: is the grammatical sentence the likelier one?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float64, Int
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from hf_grok.annotation.rows import Rows
from hf_grok.errors import UserError, unknown_name
from hf_grok.metrics import PROBES, Metric
from hf_grok.probes.base import Probe, State
from hf_grok.probes.inputs.encoding import EncodedLines, check_model_fits
from hf_grok.probes.inputs.wrappers import ready
from hf_grok.probes.pairs.rows import RESERVED_PREFIX, pair_rows
from hf_grok.probes.pairs.scores import log_probability, pseudo_log_likelihood
from hf_grok.probes.pairs.scoring import (
    AUTO,
    SCORINGS,
    require_mask_token,
    require_second_token,
    scores_causally,
)
from hf_grok.probes.pairs.sentences import encode_texts


def preferred(
    good: Float64[Tensor, " pair"], bad: Float64[Tensor, " pair"]
) -> tuple[Bool[Tensor, " pair"], Bool[Tensor, " pair"]]:
    """right = good > bad, strictly; tied = good = bad. A tie is not right."""
    return good > bad, good == bad


def shares_by_group(
    right: Bool[Tensor, " pair"], group: Int[Tensor, " pair"], groups: int
) -> Float64[Tensor, " group"]:
    """share[g] = share of right pairs among those of group g, in [0, 1]; NaN where there are none.

    Args:
        right: which pairs are right.
        group: number of each pair's group, 0 to groups - 1.
        groups: how many groups there are.
    """
    pairs = torch.bincount(group, minlength=groups)
    return torch.bincount(group[right], minlength=groups).double() / pairs


class MinimalPairAccuracy(Probe):
    """accuracy of a paradigm = fraction of its pairs with score(good) > score(bad), strictly.

    score = log-probability for a causal model; for a masked one pseudo-log-likelihood, each of the
    sentence's tokens masked in turn. A tie is wrong.

    - `pairs_accuracy`: the mean of the paradigms' accuracies.
    - `pairs_<UID>`: a paradigm's.
    - `pairs_phenomenon_<linguistics_term>`: the mean of the accuracies of its paradigms.
    - `pairs_ties`: share of tied pairs; sentences of the same tokens tie exactly.

    Chance is .5 where the sentences of a pair are alike in length and words; it is not where one
    is always the longer, since every further token lowers a score.

    Args:
        rows: with columns sentence_good, sentence_bad, UID, and linguistics_term and pairID where
            there are (`hf_grok.datasets_scripts.read_minimal_pairs`).
        tokenizer: of the model. Its special tokens stay around each sentence.
        scoring: "causal", "pseudo_log_likelihood", or "auto", by the model's attention.
        add_start: put the start token in front where the tokenizer adds none (GPT-2). Without one
            a causal model is given the first token, so a difference there goes unscored.
        allow_unknown: let words through that the tokenizer does not know.
        per_token: divide each score by its number of scored tokens.

    Raises:
        UserError: no pair, a missing column, a paradigm in two phenomena or of a name that
            another number has, an unknown scoring, or a sentence that the tokenizer cannot encode.

    Source: Warstadt et al. 2020 (BLiMP, arXiv 1912.00582); Salazar et al. 2020 (arXiv 1910.14659)
    for pseudo-log-likelihood.
    """

    name: ClassVar[str] = "pairs"
    version: ClassVar[int] = 2  # 2: without the rounding of a large vocabulary's log-softmax
    source: ClassVar[str] = "Warstadt et al. 2020 (BLiMP); Salazar et al. 2020"
    metrics: ClassVar[Mapping[str, Metric]] = PROBES["pairs"]

    def __init__(
        self,
        rows: Rows,
        tokenizer: PreTrainedTokenizerBase,
        *,
        scoring: str = AUTO,
        add_start: bool = False,
        allow_unknown: bool = False,
        per_token: bool = False,
    ) -> None:
        if scoring not in SCORINGS:
            raise unknown_name("scoring", scoring, SCORINGS)
        self._scoring, self._per_token = scoring, per_token
        self._tokenizer = tokenizer
        self._pairs = pair_rows(rows)
        self._paradigm = torch.tensor(self._pairs.paradigm_numbers)
        self._sentences, places = encode_texts(
            [*self._pairs.good, *self._pairs.bad],
            [*self._pairs.names, *self._pairs.names],
            tokenizer,
            add_start=add_start,
            allow_unknown=allow_unknown,
        )
        self._good, self._bad = places.chunk(2)

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self._pairs)

    def state(self, model: nn.Module, indices: Sequence[int] | None = None) -> State:
        """Both scores of every pair at `indices`, zero elsewhere, and how often each was scored.

        See `Probe.state`; float64 tensors good, bad and seen, [pairs] each.
        """
        model = ready(model)
        chosen = torch.tensor(list(range(len(self)) if indices is None else indices)).long()
        scores = self._scores(model, torch.cat([self._good[chosen], self._bad[chosen]]).unique())
        nothing = torch.zeros(len(self), dtype=torch.float64)
        return {
            "good": nothing.index_add(0, chosen, scores[self._good[chosen]]),
            "bad": nothing.index_add(0, chosen, scores[self._bad[chosen]]),
            "seen": nothing.index_add(0, chosen, torch.ones_like(chosen).double()),
        }

    def compute(self, state: State) -> dict[str, float]:
        """See `MinimalPairAccuracy`; a paradigm of which no pair was scored is left out."""
        pairs, good, bad = _seen(state)
        if not len(pairs):
            return {}
        right, tied = preferred(good, bad)
        shares = shares_by_group(right, self._paradigm[pairs], len(self._pairs.phenomena))
        paradigms = {
            paradigm: share
            for paradigm, share in zip(self._pairs.phenomena, shares.tolist(), strict=True)
            if not math.isnan(share)
        }
        numbers = {"accuracy": fmean(paradigms.values()), "ties": tied.double().mean().item()}
        numbers |= self._by_phenomenon(paradigms) | paradigms
        return {f"{self.name}_{key}": value for key, value in numbers.items()}

    def scores(self, state: State) -> list[dict[str, Any]]:
        """Every scored pair with both scores: one row of plain values a pair, in order.

        Columns: pair (the number of its row), those of the pair, score_good, score_bad (nats, or
        nats a token), right.
        """
        pairs, good, bad = _seen(state)
        right, _ = preferred(good, bad)
        scored = zip(pairs.tolist(), good.tolist(), bad.tolist(), right.tolist(), strict=True)
        return [
            {
                "pair": pair,
                **{name: values[pair] for name, values in self._pairs.columns.items()},
                "score_good": score_good,
                "score_bad": score_bad,
                "right": is_right,
            }
            for pair, score_good, score_bad, is_right in scored
        ]

    def _by_phenomenon(self, paradigms: Mapping[str, float]) -> dict[str, float]:
        shares: dict[str, list[float]] = {}
        for paradigm, share in paradigms.items():
            phenomenon = self._pairs.phenomena[paradigm]
            if phenomenon is not None:
                shares.setdefault(f"{RESERVED_PREFIX}{phenomenon}", []).append(share)
        return {name: fmean(own) for name, own in shares.items()}

    def _scores(
        self, model: nn.Module, wanted: Int[Tensor, " wanted"]
    ) -> Float64[Tensor, " sentence"]:
        """The scores of the wanted sentences, zero elsewhere."""
        sentences = self._sentences
        check_model_fits(model, EncodedLines(sentences.ids, sentences.lengths, 0))
        causal = scores_causally(model, self._scoring)
        with torch.no_grad():
            if causal:
                require_second_token(sentences)
                scores = log_probability(model, sentences, wanted)
            else:
                mask_token = require_mask_token(self._tokenizer)
                scores = pseudo_log_likelihood(model, sentences, wanted, mask_token)
        if scores.isnan().any():
            raise UserError(
                f"{int(scores.isnan().sum())} of {len(wanted)} sentences have the score NaN: are "
                "the model's weights still finite?"
            )
        scored = sentences.lengths - 1 if causal else (~sentences.special).sum(-1)
        return scores / scored if self._per_token else scores


def _seen(
    state: State,
) -> tuple[Int[Tensor, " seen"], Float64[Tensor, " seen"], Float64[Tensor, " seen"]]:
    """Numbers of the pairs that were scored, and both their scores."""
    pairs = state["seen"].nonzero().squeeze(1)
    times = state["seen"][pairs]
    return pairs, state["good"][pairs] / times, state["bad"][pairs] / times
