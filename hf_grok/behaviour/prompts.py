"""Lines in two parts: a source that ends in a task word, and the target that answers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from hf_grok.annotation.rows import Rows, column, label_column
from hf_grok.behaviour.encoding import EncodedLines, check_one_token_per_word, encode_lines
from hf_grok.datasets_scripts.english import SUBJECT_MODIFIERS
from hf_grok.errors import UserError
from hf_grok.tally import Tally


@dataclass(frozen=True)
class Prompts:
    """ids[i, starts[i] : stops[i]] = the target of line i; the tokens before it are its prompt.

    Attributes:
        numbers: row of the data that each line is, for errors.
        targets: words of each target.
        modifiers: each line's kind of subject modifier.
        lines: source and target together.
        starts: first token of each target.
        stops: token behind the last of each target.
    """

    numbers: list[int]
    targets: list[list[str]]
    modifiers: list[str]
    lines: EncodedLines
    starts: Int[Tensor, " line"]
    stops: Int[Tensor, " line"]


def prompts_of_task(rows: Rows, task: str, tokenizer: PreTrainedTokenizerBase) -> Prompts:
    """The lines of one task, cut into prompt and target.

    Args:
        rows: with columns source, target, subject_modifier.
        task: the word in which the sources of the wanted lines end.
        tokenizer: one token a word.

    Raises:
        UserError: no such line, or a line that does not fit the tokenizer.
    """
    numbers = rows_of_task(rows, task)
    sources, targets = (
        [values[number].split() for number in numbers]
        for values in (column(rows, "source"), column(rows, "target"))
    )
    lines = [source + target for source, target in zip(sources, targets, strict=True)]
    encoded = encode_lines([" ".join(line) for line in lines], tokenizer, numbers)
    check_one_token_per_word(encoded, [len(line) for line in lines], tokenizer, numbers)
    modifiers = label_column(rows, "subject_modifier", SUBJECT_MODIFIERS)
    return Prompts(
        numbers=numbers,
        targets=targets,
        modifiers=[modifiers[number] for number in numbers],
        lines=encoded,
        starts=encoded.offset + torch.tensor([len(source) for source in sources]),
        stops=encoded.offset + torch.tensor([len(line) for line in lines]),
    )


def rows_of_task(rows: Rows, task: str) -> list[int]:
    """The numbers of the rows whose source ends in the task word, in order.

    The task word is read from the source, where the model sees it.

    Raises:
        UserError: there is no such row.
    """
    sources = column(rows, "source")
    numbers = [number for number, source in enumerate(sources) if source.split()[-1:] == [task]]
    if not numbers:
        raise UserError(
            f"none of the {len(sources)} rows is a {task!r} line (a source that ends in {task!r}):"
            " there is nothing to score. Take more rows, or another split."
        )
    return numbers


def add_by_label(
    tally: Tally, name: str, right: Bool[Tensor, " batch"], labels: Sequence[str]
) -> None:
    """Add `name` over all lines, and `name_LABEL` over the lines of each label."""
    tally.add(name, int(right.sum()), len(right))
    for label, value in zip(labels, right.tolist(), strict=True):
        tally.add(f"{name}_{label}", int(value), 1)
