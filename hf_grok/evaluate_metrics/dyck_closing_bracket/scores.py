"""Accuracy of closing brackets that are given, by the distance to their opening brackets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from hf_grok.annotation.rows import column
from hf_grok.errors import UserError
from hf_grok.evaluate_metrics.checks import (
    are_rows,
    require_pairs,
    require_rows,
    sequence,
    text,
    texts,
)
from hf_grok.probes.tasks.dyck import closing_distances, distance_tally


def checked(predictions: Any, references: Any) -> tuple[list[Any], list[Any]]:
    """The predicted closing brackets of each string, and the strings.

    Args:
        predictions: for each string, a closing bracket for each of its closing brackets, in order.
        references: strings such as "(0 (1 )1 )0", or rows with a column text.

    Raises:
        UserError: a string is not well nested, or its predictions are too few, too many, or no
            closing brackets; says where.
    """
    listed = require_pairs(predictions, references)
    given = column(require_rows(references), "text") if are_rows(references) else references
    strings = [text(one, f"references[{n}]") for n, one in enumerate(sequence(given, "references"))]
    brackets = [texts(one, f"predictions[{n}]") for n, one in enumerate(listed)]
    for number, (found, string) in enumerate(zip(brackets, strings, strict=True)):
        _require_brackets(number, found, len(_closing(number, string)))
    return brackets, strings


def closing_bracket_scores(
    predictions: Sequence[Sequence[str]], references: Sequence[str]
) -> dict[str, float]:
    """accuracy = right / all closing brackets 10 words or more from their opening.

    Returns:
        `accuracy`, `accuracy_all`, and by distance `accuracy_distance_1`, `_2_3`, `_4_9`,
        `_10_19`, `_20_plus`, all in [0, 1] (a range without a bracket is left out); `brackets`,
        their number.

    Source: Murty et al. 2023 (arXiv 2305.18741), as `hf_grok.probes.tasks.DyckBehaviour`.
    """
    gold = [pair for number, string in enumerate(references) for pair in _closing(number, string)]
    found = [bracket for brackets in predictions for bracket in brackets]
    right = [bracket == word for bracket, (word, _) in zip(found, gold, strict=True)]
    distances = [distance for _, distance in gold]
    tally = distance_tally(torch.tensor([right]), torch.tensor([distances]))
    return tally.ratios() | {"brackets": float(len(gold))}


def _closing(number: int, string: str) -> list[tuple[str, int]]:
    """Every closing bracket with its distance."""
    words = string.split()
    if not words:
        raise UserError(f"references[{number}] is empty: expected brackets such as (0 (1 )1 )0")
    try:
        distances = closing_distances(words)
    except UserError as error:
        raise UserError(f"references[{number}] is not well nested: {error}") from None
    return [(word, distance) for word, distance in zip(words, distances, strict=True) if distance]


def _require_brackets(number: int, brackets: Sequence[str], count: int) -> None:
    if len(brackets) != count:
        raise UserError(
            f"predictions[{number}] has {len(brackets)} brackets and references[{number}] {count} "
            "closing ones: expected one for each, in order"
        )
    for place, bracket in enumerate(brackets):
        if not bracket.startswith(")"):
            raise UserError(
                f"predictions[{number}][{place}] is {bracket!r}: expected a closing bracket such "
                "as )0, the best-ranked one of them whatever else ranks above it"
            )
