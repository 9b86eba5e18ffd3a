"""Sentences in the present that are given: with which noun does the main verb agree?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from hf_grok.errors import UserError
from hf_grok.evaluate_metrics.generations import checked_generations, tokenizer_of
from hf_grok.measurement.tally import Tally
from hf_grok.probes.tasks.tense_inflection import TenseBehaviour, inflection_tally


def checked(predictions: Any, references: Any) -> tuple[list[Any], list[Any]]:
    """Sentences, and the rows that they answer.

    Args:
        predictions: strings, words parted by spaces.
        references: rows with columns source, target, words, upos, main_index, subject_modifier.

    Raises:
        UserError: something is of another type, or missing; says where.
    """
    return checked_generations(predictions, references, ["words", "upos"])


def inflection_scores(
    predictions: Sequence[str],
    references: Sequence[Mapping[str, Any]],
    *,
    vocabulary: Iterable[str] = (),
) -> dict[str, float]:
    """The measures of `TenseBehaviour`, the output being given instead of decoded.

    Args:
        predictions: sentences, one for each row; words beyond the target's number do not count.
        references: rows; those whose source does not end in `PRESENT` are not scored, but tell
            parts of speech.
        vocabulary: words of the language beside those of the rows (a tokenizer's `get_vocab()`):
            a number can be told where both forms of a word are known.

    Returns:
        `accuracy`, `accuracy_<modifier>`, `main_verb_accuracy`, `agree_recent_share` and
        `exact_match`, all in [0, 1] (what has no case is left out); `lines`, the scored rows.

    Raises:
        UserError: no row is a `PRESENT` line, one does not fit its columns, or `vocabulary` is one
            string.
    """
    if isinstance(vocabulary, str):
        raise UserError(f"vocabulary is {vocabulary!r}: expected words, not one string")
    tokenizer = tokenizer_of(references, vocabulary)
    gold = GivenSentences(references, tokenizer)
    tally = gold.tally_of([sentence.split() for sentence in predictions], tokenizer.get_vocab())
    return tally.ratios() | {"lines": float(len(gold))}


class GivenSentences(TenseBehaviour):
    """`TenseBehaviour` of sentences that are given, instead of what a model would say."""

    def tally_of(self, sentences: Sequence[Sequence[str]], vocabulary: Mapping[str, int]) -> Tally:
        """Sums and counts over the `PRESENT` lines.

        Args:
            sentences: words of the answer to each row.
            vocabulary: number of each word that the rows' tokenizer knows.
        """
        every = torch.arange(len(self))
        answers = self._answers(self._lines.ids, every)
        said = [sentences[number] for number in self._prompts.numbers]
        draft = self._draft(said, vocabulary)
        return inflection_tally(
            answers, draft, self._prompts.stops, self._attractors, self._prompts.modifiers
        )

    def _draft(
        self, said: Sequence[Sequence[str]], vocabulary: Mapping[str, int]
    ) -> Int[Tensor, "line length"]:
        """The lines with the answer in the target's place."""
        unknown = max(vocabulary.values()) + 1
        draft = self._lines.ids.clone()
        places = zip(said, self._prompts.starts.tolist(), self._prompts.stops.tolist(), strict=True)
        for line, (words, start, stop) in enumerate(places):
            numbers = [vocabulary.get(word, unknown) for word in words[: stop - start]]
            draft[line, start:stop] = unknown  # where no word was said
            draft[line, start : start + len(numbers)] = torch.tensor(numbers, dtype=torch.int64)
        return draft
