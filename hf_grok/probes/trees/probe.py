"""Tree projection: the binary tree by which a model's representations of spans compose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from hf_grok.annotation.alignment import encode_words
from hf_grok.annotation.rows import Rows
from hf_grok.annotation.sentences import words_of
from hf_grok.errors import UserError, unknown_name
from hf_grok.metrics import PROBES, Metric
from hf_grok.probes.base import (
    Probe,
    State,
    add_states,
    device_of,
)
from hf_grok.probes.inputs.encoding import check_words_fit
from hf_grok.probes.inputs.wrappers import ready
from hf_grok.probes.trees.baselines import f_scores, span_matches
from hf_grok.probes.trees.charts import (
    ALGORITHMS,
    TOP_DOWN,
    choose_splits,
    tree_of,
    tree_score,
    uniform_draws,
)
from hf_grok.probes.trees.sentences import gold_trees, projected_sentences
from hf_grok.probes.trees.span_rows import lay_out
from hf_grok.probes.trees.span_states import span_similarities

EXPECTATION, SAMPLE = BASELINES = ("expectation", "sample")
# Sentences whose states are held at a time.
SENTENCES_AT_A_TIME = 256
# What is scored against the gold trees, in the order of `tree_baselines.span_matches`.
TREES = ("parseval", "right_branching", "left_branching", "random")


class TreeProjection(Probe):
    """t_score = mean over sentences of sum over the tree's nodes of [split's value - a random one].

    SCI(i, j) is the cosine of a span's summed states in its sentence and alone (see
    `hf_grok.probes.trees.span_states.span_similarities`). The value of a split k of [i, j) is
    SCI(i, k) + SCI(k, j), and the projected tree takes the best one at each node.

    - `tree_score`: the t_score above; higher means that spans are closer to being composed of their
      own parts alone, along some tree. It says nothing of which tree.
    - `tree_parseval`: F1 of the projected trees' spans and the gold spans over all sentences. Spans
      have two words or more, and the whole sentence is one. Where there are gold spans, and beside
      it what trees score that have not seen the sentence: `tree_right_branching`,
      `tree_left_branching` and `tree_random` (expected, each node split uniformly from the top).
    - `tree_sentences`: sentences of two words or more, which are those that count; `tree_skipped`:
      sentences of one word, where there are any.

    Args:
        rows: with a column words, and spans where known: the source sentences. Pass the rows of one
            task: `quest` for question formation.
        tokenizer: any fast tokenizer that puts a start token in front.
        threshold: first layer in which positions see their span alone.
        baseline: of the score at each node: the "expectation" over all splits or, as the papers'
            scripts have it, one random split ("sample").
        seed: of the random splits; a sentence's depend on its row's number, not on who runs it.
        algorithm: "top_down" takes the best split at each node from the top; "chart" takes the tree
            whose values have the greatest sum. For a bidirectional model: in a causal one
            SCI(0, j) is 1 for every j, so that tree is always the left-branching one.
        drop_final_punctuation: leave out a last word ".", "?" or "!".
        allow_unknown: let words through that become the tokenizer's unknown token.
        add_start: put the tokenizer's start token in front where it adds none by itself (GPT-2).
        picture_sentences: rows to draw, or how many: the first ones of three words or more.

    Raises:
        UserError: no row, an option out of range, a tokenizer without a start token, or words and
            spans that do not fit; names the row.

    Source: Murty et al. 2023, "Characterizing intrinsic compositionality in transformers with tree
        projections" (ICLR), and Murty et al. 2023, "Grokking of hierarchical structure in vanilla
        transformers" (arXiv 2305.18741).
    """

    name = "tree"
    version = 1
    source = "Murty et al. 2023 (ICLR), tree projections; Murty et al. 2023 (arXiv 2305.18741)"
    metrics: ClassVar[Mapping[str, Metric]] = PROBES["tree"]

    def __init__(
        self,
        rows: Rows,
        tokenizer: PreTrainedTokenizerBase,
        *,
        threshold: int = 0,
        baseline: str = EXPECTATION,
        seed: int = 0,
        algorithm: str = TOP_DOWN,
        drop_final_punctuation: bool = True,
        allow_unknown: bool = False,
        add_start: bool = False,
        picture_sentences: int | Sequence[int] = 3,
    ) -> None:
        _check_options(threshold, baseline, seed, algorithm)
        self._threshold, self._algorithm = threshold, algorithm
        self._baseline, self._seed = baseline, seed
        sentences = projected_sentences(rows, drop_final_punctuation=drop_final_punctuation)
        self._words = words_of(sentences)
        self._encoded = encode_words(
            self._words, tokenizer, add_start=add_start, allow_unknown=allow_unknown
        )
        self._spans = lay_out(self._encoded)
        self._gold = gold_trees(sentences)
        self._pictured = _pictured(self._spans.words, picture_sentences)

    def __len__(self) -> int:
        """Number of sentences, those of one word included."""
        return len(self._words)

    def state(self, model: nn.Module, indices: Sequence[int] | None = None) -> State:
        """See `Probe.state`; sums over sentences, and the trees of those that are drawn."""
        model = ready(model)
        check_words_fit(model, self._encoded)
        spans = self._spans
        asked = torch.tensor(range(len(self)) if indices is None else indices, dtype=torch.int64)
        chosen = asked[spans.words[asked] > 1]
        chosen = chosen[spans.lengths[chosen].argsort(stable=True)]
        total = self._state_of(chosen[:0], torch.zeros(0, 1, 1))
        total["skipped"] += len(asked) - len(chosen)
        with torch.no_grad():
            for part in chosen.split(SENTENCES_AT_A_TIME) if len(chosen) else ():
                sentences = spans.select(part, device_of(model))
                chart = span_similarities(model, sentences, threshold=self._threshold)
                total = add_states([total, self._state_of(part, chart.cpu())])
        return total

    def compute(self, state: State) -> dict[str, float]:
        """See `Probe.compute`."""
        sentences = float(state["sentences"])
        numbers = {f"{self.name}_sentences": sentences}
        if state["skipped"]:
            numbers[f"{self.name}_skipped"] = float(state["skipped"])
        if sentences:
            numbers[f"{self.name}_score"] = float(state["score"]) / sentences
        if sentences and self._gold is not None:
            scores = f_scores(state["matched"], state["predicted"], state["gold"])
            numbers |= {f"{self.name}_{name}": f1 for name, f1 in zip(TREES, scores, strict=True)}
        return numbers

    def picture(self, state: State) -> dict[str, Any] | None:
        """{"sentences": [{"row", "words", "projected", "gold"}]}; gold is None where unknown.

        Trees are lists of spans [start, end) of two words or more. Rows that the state has not
        counted are left out.
        """
        drawn = [
            {
                "row": row,
                "words": list(self._words[row]),
                "projected": tree.nonzero().tolist(),
                "gold": None if self._gold is None else self._gold[row].nonzero().tolist(),
            }
            for row, tree in zip(self._pictured, state["trees"], strict=True)
            if tree.any()
        ]
        return {"sentences": drawn} if drawn else None

    def _state_of(
        self, part: Int[Tensor, " sentence"], chart: Float[Tensor, "sentence edges edges"]
    ) -> State:
        words, edges = self._spans.words[part], chart.shape[-1]
        sampled = self._baseline == SAMPLE
        draws = uniform_draws(self._seed, part.tolist(), words.tolist(), edges) if sampled else None
        splits = choose_splits(chart, algorithm=self._algorithm, draws=draws)
        tree = tree_of(splits.edge, words)
        return {
            "sentences": torch.tensor(len(part), dtype=torch.float64),
            "skipped": torch.tensor(0, dtype=torch.float64),
            "score": tree_score(splits, tree).sum(),
            **self._matches(part, tree),
            "trees": self._drawn(part, tree),
        }

    def _matches(
        self, part: Int[Tensor, " sentence"], tree: Bool[Tensor, "sentence edges edges"]
    ) -> State:
        """Gold spans in trees of each kind, in the order of TREES; spans of a tree; gold spans."""
        if self._gold is None:
            return {}
        edges = tree.shape[-1]
        return span_matches(tree, self._gold[part, :edges, :edges], self._spans.words[part])

    def _drawn(
        self, part: Int[Tensor, " sentence"], tree: Bool[Tensor, "sentence edges edges"]
    ) -> Int[Tensor, "drawn edges_of_drawn edges_of_drawn"]:
        """The trees of the sentences that are drawn; zero where a sentence is not in the part."""
        edges = 1 + int(self._spans.words[self._pictured].max()) if self._pictured else 1
        trees = torch.zeros(len(self._pictured), edges, edges, dtype=torch.int64)
        for number, row in enumerate(self._pictured):
            for place in (part == row).nonzero().flatten():
                common = min(edges, tree.shape[-1])
                trees[number, :common, :common] += tree[place, :common, :common]
        return trees


def _check_options(threshold: int, baseline: str, seed: int, algorithm: str) -> None:
    if baseline not in BASELINES:
        raise unknown_name("baseline", baseline, BASELINES)
    if algorithm not in ALGORITHMS:
        raise unknown_name("algorithm", algorithm, ALGORITHMS)
    for name, value in (("threshold", threshold), ("seed", seed)):
        if value < 0:
            raise UserError(f"{name}={value}: expected a whole number, 0 or more")


def _pictured(words: Int[Tensor, " sentence"], asked: int | Sequence[int]) -> list[int]:
    if isinstance(asked, int):
        return (words > 2).nonzero().flatten()[:asked].tolist()
    for row in asked:
        if not 0 <= row < len(words):
            raise UserError(
                f"picture_sentences has row {row}, but there are rows 0 to {len(words) - 1}"
            )
    return list(asked)
