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

    Spans may number the words that are left, as the column of the builders does, or all words, as a
    treebank's do: the last one is then taken out of its constituents too.

    Raises:
        UserError: nothing is left of a sentence.
    """
    sentences = constituency_sentences(rows)
    if drop_final_punctuation:
        sentences = [_without_end(one) for one in sentences]
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


def _without_end(sentence: Sentence) -> Sentence:
    if not sentence.words or sentence.words[-1] not in FINAL_PUNCTUATION:
        return sentence
    words = sentence.words[:-1]
    if sentence.spans is None:
        return replace(sentence, words=words)
    cut = [(start, min(end, len(words))) for start, end in sentence.spans]
    return replace(sentence, words=words, spans=tuple(span for span in cut if span[0] < span[1]))
