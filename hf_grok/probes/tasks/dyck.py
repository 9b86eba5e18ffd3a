"""Dyck languages: does the model know which bracket is to be closed?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from hf_grok.annotation.rows import Rows, column
from hf_grok.errors import UserError
from hf_grok.measurement.tally import Tally
from hf_grok.metrics import PROBES, Metric
from hf_grok.probes.inputs.encoding import EncodedLines, check_one_token_per_word, encode_lines
from hf_grok.probes.tasks.base import LanguageBehaviour, next_word_logits

# Name -> first and last distance, both included.
DISTANCES: Mapping[str, tuple[int, float]] = {
    "accuracy": (10, float("inf")),
    "accuracy_all": (1, float("inf")),
    "accuracy_distance_1": (1, 1),
    "accuracy_distance_2_3": (2, 3),
    "accuracy_distance_4_9": (4, 9),
    "accuracy_distance_10_19": (10, 19),
    "accuracy_distance_20_plus": (20, float("inf")),
}
_BRACKET = re.compile(r"([()])(\w+)")


def closing_distances(words: Sequence[str]) -> list[int]:
    """distance = position of the closing bracket - position of the one that it closes.

    Args:
        words: brackets such as `(0` and `)0`; adjacent ones have distance 1.

    Returns:
        A number for every word, 0 for opening brackets.

    Raises:
        UserError: a word is no bracket, or the brackets do not nest.
    """
    distances, opened = [], []
    for position, word in enumerate(words):
        side, kind = _bracket(word)
        if side == "(":
            opened.append((kind, position))
            distances.append(0)
            continue
        expected, start = opened.pop() if opened else (None, 0)
        if kind != expected:
            seen = "nothing is open" if expected is None else f"the open bracket is ({expected}"
            raise UserError(f"word {position} is {word!r}, but {seen}")
        distances.append(position - start)
    if opened:
        raise UserError(
            f"{len(opened)} brackets are never closed, the last of them ({opened[-1][0]}"
        )
    return distances


def closes_right(
    logits: Float[Tensor, "batch length vocabulary"],
    ids: Int[Tensor, "batch length"],
    closing_ids: Int[Tensor, " closing"],
) -> Bool[Tensor, "batch predicted"]:
    """right[b, t] = the best-ranked closing bracket for token t + 1 is ids[b, t + 1].

    Meaningful only where token t + 1 is a closing bracket.
    """
    best = logits[:, :-1, closing_ids].argmax(-1)
    return closing_ids[best] == ids[:, 1:]


class DyckBehaviour(LanguageBehaviour):
    """accuracy = share of closing brackets, 10 words or more from their opening, ranked best.

    Before each closing bracket, the best-ranked of all *closing* brackets is the model's answer,
    whatever opening brackets or the end rank above it. Distance is the number of words from the
    opening bracket to the closing one: 1 where they are adjacent, so always odd.

    - `accuracy`: distances of 10 and more, as published.
    - `accuracy_all`, `accuracy_distance_1`, `_2_3`, `_4_9`, `_10_19`, `_20_plus`: every closing
      bracket, and by distance.

    Args:
        rows: with a column text, and, where the data have it, distances (which must agree).
        tokenizer: one token a word.
        allow_unknown: let words through that the tokenizer does not know.
        add_start: put the tokenizer's start token in front where it adds none.

    Raises:
        UserError: there is no row, or one is not well nested or does not fit the tokenizer.

    Source: Murty et al. 2023 (arXiv 2305.18741).
    """

    name: ClassVar[str] = "dyck"
    version: ClassVar[int] = 1
    source: ClassVar[str] = "Murty et al. 2023 (arXiv 2305.18741)"
    metrics: ClassVar[Mapping[str, Metric]] = PROBES["dyck"]

    def _read(
        self, rows: Rows, tokenizer: PreTrainedTokenizerBase, **flags: bool
    ) -> tuple[EncodedLines, Sequence[str]]:
        texts = column(rows, "text")
        if not texts:
            raise UserError("there is no Dyck string to score: expected at least one row")
        lines = encode_lines(texts, tokenizer, None, **flags)
        words = [text.split() for text in texts]
        check_one_token_per_word(lines, words, tokenizer, range(len(words)))
        self._closing_ids = _closing_ids(tokenizer)
        self._distances = torch.zeros_like(lines.ids)
        for number, line in enumerate(words):
            found = torch.tensor(_row_distances(number, line))
            self._distances[number, lines.offset : lines.offset + len(line)] = found
        _check_given_distances(rows, self._distances)
        return lines, list(DISTANCES)

    def _score(
        self, model: nn.Module, ids: Int[Tensor, "batch length"], indices: Int[Tensor, " batch"]
    ) -> Tally:
        right = closes_right(next_word_logits(model, ids), ids, self._closing_ids.to(ids.device))
        return distance_tally(right.cpu(), self._distances[indices, 1 : ids.shape[1]])


def distance_tally(
    right: Bool[Tensor, "batch predicted"], distances: Int[Tensor, "batch predicted"]
) -> Tally:
    """Right and all closing brackets in every range of `DISTANCES`; distance 0 is no bracket."""
    tally = Tally()
    for name, (first, last) in DISTANCES.items():
        inside = (distances >= first) & (distances <= last)
        tally.add(name, int((right & inside).sum()), int(inside.sum()))
    return tally


def _bracket(word: str) -> tuple[str, str]:
    match = _BRACKET.fullmatch(word)
    if match is None:
        raise UserError(f"{word!r} is no bracket: expected one such as (0 or )0")
    side, kind = match.groups()
    return side, kind


def _row_distances(number: int, words: Sequence[str]) -> list[int]:
    try:
        return closing_distances(words)
    except UserError as error:
        raise UserError(f"row {number} is not well nested: {error}") from None


def _check_given_distances(rows: Rows, distances: Int[Tensor, "line length"]) -> None:
    """The column `distances`, where there is one, holds the distances found here."""
    columns = rows.column_names if hasattr(rows, "column_names") else rows[0]
    if "distances" not in columns:
        return
    for number, (given, found) in enumerate(zip(column(rows, "distances"), distances, strict=True)):
        expected = found[found > 0].tolist()
        if list(given) != expected:
            raise UserError(
                f"row {number}: distances are {list(given)}, but the text has {expected}. Expected:"
                " for each closing bracket, how many words back its opening one is (adjacent: 1)"
            )


def _closing_ids(tokenizer: PreTrainedTokenizerBase) -> Int[Tensor, " closing"]:
    vocabulary = tokenizer.get_vocab()
    closing = [
        token
        for word, token in vocabulary.items()
        if word.startswith(")") and _BRACKET.fullmatch(word)
    ]
    return torch.tensor(sorted(closing))
