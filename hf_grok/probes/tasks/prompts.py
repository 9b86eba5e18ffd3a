"""Lines in two parts: a source that ends in a task word, and the target that answers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from hf_grok.annotation.rows import Rows, column, label_column
from hf_grok.datasets_scripts.grammar.english import SUBJECT_MODIFIERS
from hf_grok.errors import UserError
from hf_grok.measurement.tally import Tally
from hf_grok.probes.inputs.encoding import EncodedLines, check_one_token_per_word, encode_lines


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


def prompts_of_task(
    rows: Rows, task: str, tokenizer: PreTrainedTokenizerBase, *, whole_words: bool, **options: bool
) -> Prompts:
    """The lines of one task, cut into prompt and target.

    Args:
        rows: with columns source, target, subject_modifier.
        task: the word in which the sources of the wanted lines end.
        tokenizer: of the model.
        whole_words: whether every word must be one token.
        **options: of `encode_lines`.

    Raises:
        UserError: no such line, or a line that does not fit the tokenizer.
    """
    numbers = rows_of_task(rows, task)
    sources, targets = (
        [values[number].split() for number in numbers]
        for values in (column(rows, "source"), column(rows, "target"))
    )
    lines = [source + target for source, target in zip(sources, targets, strict=True)]
    encoded = encode_lines([" ".join(line) for line in lines], tokenizer, numbers, **options)
    if whole_words:
        check_one_token_per_word(encoded, lines, tokenizer, numbers)
    modifiers = label_column(rows, "subject_modifier", SUBJECT_MODIFIERS)
    return Prompts(
        numbers=numbers,
        targets=targets,
        modifiers=[modifiers[number] for number in numbers],
        lines=encoded,
        starts=_starts([" ".join(source) for source in sources], encoded, tokenizer, numbers),
        stops=encoded.lengths - encoded.after,
    )


def _starts(
    sources: Sequence[str],
    lines: EncodedLines,
    tokenizer: PreTrainedTokenizerBase,
    row_numbers: Sequence[int],
) -> Int[Tensor, " line"]:
    """Where the tokens of each source end in its line; none of them may reach into the target."""
    tokens: list[list[int]] = tokenizer(list(sources), add_special_tokens=False)["input_ids"]
    for number, prompt, line in zip(row_numbers, tokens, lines.ids, strict=True):
        if line[lines.offset : lines.offset + len(prompt)].tolist() != prompt:
            raise UserError(
                f"row {number}: {type(tokenizer).__name__} cuts the source into other tokens where "
                "the target follows: expected the prompt to be the beginning of the line"
            )
    return lines.offset + torch.tensor([len(prompt) for prompt in tokens])


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
