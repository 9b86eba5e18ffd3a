"""The sentences that are projected: words without the final period, and their gold trees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jaxtyping import Bool
from torch import Tensor

from hf_grok.annotation.rows import Rows
from hf_grok.annotation.sentences import Sentence, constituency_sentences
from hf_grok.errors import UserError
from hf_grok.probes.trees.charts import span_matrix

FINAL_PUNCTUATION = (".", "?", "!")


def projected_sentences(rows: Rows, *, drop_final_punctuation: bool) -> list[Sentence]:
    """The sentences of the rows; with `drop_final_punctuation`, without a last ".", "?" or "!".

    Spans number the words that are left, as the column of the builders does.

    Raises:
        UserError: nothing is left of a sentence, or a span reaches beyond what is left.
    """
    sentences = constituency_sentences(rows)
    if drop_final_punctuation:
        sentences = [_without_end(number, one) for number, one in enumerate(sentences)]
    for number, sentence in enumerate(sentences):
        if not sentence.words:
            raise UserError(
                f"row {number} has no words, its final punctuation left out: expected at least one"
            )
    return sentences


def gold_trees(sentences: Sequence[Sentence]) -> Bool[Tensor, "sentence edges edges"] | None:
    """gold[s, i, j] = [i, j) is a gold span of sentence s, of two words or more.

    The whole sentence is one, listed or not. None where a sentence has no gold spans at all.
    """
    edges = 1 + max(len(sentence.words) for sentence in sentences)
    spans = []
    for sentence in sentences:
        if sentence.spans is None:
            return None
        spans.append((*sentence.spans, (0, len(sentence.words))))
    return span_matrix(spans, edges)


def _without_end(number: int, sentence: Sentence) -> Sentence:
    if not sentence.words or sentence.words[-1] not in FINAL_PUNCTUATION:
        return sentence
    words = sentence.words[:-1]
    for start, end in sentence.spans or ():
        if end > len(words):
            raise UserError(
                f"row {number}: span [{start}, {end}) takes in the final {sentence.words[-1]!r}, "
                f"which is not projected: expected spans of the {len(words)} words before it (or "
                "pass drop_final_punctuation=False to project all words)"
            )
    return replace(sentence, words=words)
