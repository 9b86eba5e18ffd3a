"""Parts of speech of words, collected from tagged rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from hf_grok.annotation.rows import Rows, column
from hf_grok.errors import UserError
from hf_grok.probes.tasks.prompts import Prompts


@dataclass(frozen=True)
class TaggedRow:
    """Words of the source and of the target, place by place, with their parts of speech."""

    words: list[str]
    upos: list[str]
    target: list[str]


def tagged_rows(rows: Rows) -> list[TaggedRow]:
    """Every row's words, upos and target, which have one entry for each place.

    Raises:
        UserError: they have not.
    """
    columns = (column(rows, name) for name in ("words", "upos", "target"))
    tagged = []
    for number, (words, upos, target) in enumerate(zip(*columns, strict=True)):
        row = TaggedRow(list(words), list(upos), target.split())
        if not len(row.words) == len(row.upos) == len(row.target):
            raise UserError(
                f"row {number}: {len(row.words)} words, {len(row.upos)} upos and {len(row.target)}"
                f" words of target {target!r}: expected the same number of each, since tense"
                " inflection keeps every word in its place"
            )
        tagged.append(row)
    return tagged


def parts_of_speech(
    tagged: Sequence[TaggedRow], tokenizer: PreTrainedTokenizerBase
) -> tuple[Bool[Tensor, "word tag"], dict[str, int]]:
    """may_be[w, p] = token w occurs as part of speech p in the rows, and the columns' names.

    The last row, behind the last word of the tokenizer, is all false.
    """
    tags = sorted({tag for row in tagged for tag in row.upos})
    numbers = {tag: number for number, tag in enumerate(tags)}
    vocabulary = tokenizer.get_vocab()
    may_be = torch.zeros(max(vocabulary.values()) + 2, len(tags), dtype=torch.bool)
    pairs = {
        (word, tag)
        for row in tagged
        for words in (row.words, row.target)
        for word, tag in zip(words, row.upos, strict=True)
    }
    for word, tag in pairs:
        if word in vocabulary:
            may_be[vocabulary[word], numbers[tag]] = True
    return may_be, numbers


def tag_places(
    prompts: Prompts, tagged: Sequence[TaggedRow], tag_numbers: dict[str, int]
) -> Int[Tensor, "line length"]:
    """The part of speech that each token of each target wants; 0 elsewhere, never looked at."""
    tags = torch.zeros_like(prompts.lines.ids)
    for line, (number, start) in enumerate(
        zip(prompts.numbers, prompts.starts.tolist(), strict=True)
    ):
        upos = [tag_numbers[tag] for tag in tagged[number].upos]
        tags[line, start : start + len(upos)] = torch.tensor(upos)
    return tags
