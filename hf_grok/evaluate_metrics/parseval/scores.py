"""Unlabelled parseval of trees that are given, beside trees that saw no sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from hf_grok.annotation.rows import column
from hf_grok.annotation.sentences import constituency_sentences
from hf_grok.errors import UserError
from hf_grok.evaluate_metrics.checks import (
    are_rows,
    require_pairs,
    require_rows,
    sequence,
    whole_numbers,
)
from hf_grok.measurement.tally import Tally
from hf_grok.probes.base import State, add_states
from hf_grok.probes.trees.baselines import f_scores, span_matches
from hf_grok.probes.trees.charts import span_matrix

# Sentences whose spans are laid out at a time.
SENTENCES_AT_A_TIME = 256
# After the given trees, in the order of `tree_baselines.span_matches`.
BASELINES = ("right_branching_f1", "left_branching_f1", "random_f1")

Spans = list[list[int]]


def checked(predictions: Any, references: Any) -> tuple[list[Any], list[Any]]:
    """Spans of each sentence, predicted and gold.

    Args:
        predictions: for each sentence its spans, half-open [start, end), words numbered from 0.
        references: likewise, the whole sentence among them; or rows with a column spans.

    Raises:
        UserError: a span is no pair of whole numbers or reaches out of its sentence, or a gold
            tree does not list the whole sentence, so that its length is not known; says where.
    """
    listed = require_pairs(predictions, references)
    golds = column(require_rows(references), "spans") if are_rows(references) else references
    gold = [_spans(one, f"references[{n}]") for n, one in enumerate(golds)]
    found = [_spans(one, f"predictions[{n}]") for n, one in enumerate(listed)]
    words = [_words(number, spans) for number, spans in enumerate(gold)]
    for name, trees in (("predictions", found), ("references", gold)):
        _require_inside(name, trees, words)
    return found, gold


def parseval_scores(predictions: Sequence[Spans], references: Sequence[Spans]) -> dict[str, float]:
    """f1 = 2 matched / (predicted + gold), corpus-level, over spans of two words or more.

    The whole sentence is a span as any other; single words are none; a span that is listed twice
    counts once.

    Returns:
        `f1`, `precision` and `recall` in [0, 1] (a ratio without a case is left out); the F1 of
        trees that have not seen the sentences, `right_branching_f1`, `left_branching_f1` and
        `random_f1` (expected; each node splits uniformly); `sentences` of two words or more, and
        `skipped`, those of one word.

    Raises:
        UserError: no sentence has two words.

    Source: Murty et al. 2023 (ICLR), t_parseval, as `hf_grok.probes.TreeProjection`.
    """
    words = [_words(number, spans) for number, spans in enumerate(references)]
    chosen = [number for number, count in enumerate(words) if count > 1]
    if not chosen:
        raise UserError("no sentence has two words: there is no span to find")
    parts = (
        chosen[start : start + SENTENCES_AT_A_TIME]
        for start in range(0, len(chosen), SENTENCES_AT_A_TIME)
    )
    counts = add_states(
        _counts(*([values[n] for n in part] for values in (predictions, references)))
        for part in parts
    )
    matched, gold, listed = (counts[name] for name in ("matched", "gold", "listed"))
    tally = Tally()
    tally.add("precision", float(matched[0]), float(listed))
    tally.add("recall", float(matched[0]), float(gold))
    baselines = f_scores(matched[1:], counts["predicted"], gold)
    return {
        "f1": f_scores(matched[:1], listed, gold)[0],
        **tally.ratios(),
        **dict(zip(BASELINES, baselines, strict=True)),
        "sentences": float(len(chosen)),
        "skipped": float(len(words) - len(chosen)),
    }


def _counts(predictions: Sequence[Spans], references: Sequence[Spans]) -> State:
    """`span_matches`, and the spans that the predictions list: no binary trees, perhaps."""
    words = torch.tensor([_words(number, spans) for number, spans in enumerate(references)])
    edges = 1 + int(words.max())
    tree, gold = (
        span_matrix([[(start, end) for start, end in one] for one in trees], edges)
        for trees in (predictions, references)
    )
    return {**span_matches(tree, gold, words), "listed": tree.sum().double()}


def _spans(value: Any, where: str) -> Spans:
    spans = [
        whole_numbers(span, f"{where}[{place}]")
        for place, span in enumerate(sequence(value, where))
    ]
    for place, span in enumerate(spans):
        if len(span) != 2:
            raise UserError(f"{where}[{place}] is {span}: expected a pair, [start, end)")
    return spans


def _words(number: int, spans: Spans) -> int:
    """The length of a gold sentence; one without a span has one word."""
    last = max((end for _, end in spans), default=1)
    if spans and [0, last] not in spans:
        raise UserError(
            f"references[{number}] reaches to {last}, but has no span [0, {last}): expected the "
            "whole sentence among its spans, which is how its length is known"
        )
    return last


def _require_inside(name: str, trees: Sequence[Spans], words: Sequence[int]) -> None:
    """The check of the probe; the words themselves are not needed."""
    rows = [
        {"words": [str(place) for place in range(count)], "spans": spans}
        for spans, count in zip(trees, words, strict=True)
    ]
    try:
        constituency_sentences(rows)
    except UserError as error:
        raise UserError(f"{name}, {error}") from None
