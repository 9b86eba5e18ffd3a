"""Lines to token tensors, and batches of lines of about one length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from hf_grok.errors import UserError

# Tokens a batch, filling included. On one core a bigger batch only adds filling; a GPU wants more.
TOKEN_BUDGET = {"cpu": 2048}
ACCELERATOR_TOKEN_BUDGET = 16384


@dataclass(frozen=True)
class EncodedLines:
    """ids[i, :lengths[i]] = the tokens of line i, special tokens included; the rest is filling.

    Filling stands on the right, where a causal model cannot see it, so it changes no result.

    Attributes:
        ids: token ids, on the CPU.
        lengths: tokens of each line.
        offset: special tokens before the first word: word w of a line is its token offset + w.
    """

    ids: Int[Tensor, "line length"]
    lengths: Int[Tensor, " line"]
    offset: int

    def __len__(self) -> int:
        return len(self.lengths)


def encode_lines(
    texts: Sequence[str],
    tokenizer: PreTrainedTokenizerBase,
    row_numbers: Sequence[int] | None = None,
) -> EncodedLines:
    """Every line as token ids, with the special tokens that the tokenizer puts around a text.

    Args:
        texts: one line each; not empty.
        tokenizer: any tokenizer.
        row_numbers: the number by which an error names each line (default 0, 1, 2, ...).

    Raises:
        UserError: a line holds a word that the tokenizer does not know, or no word at all.
    """
    plain: list[list[int]] = tokenizer(list(texts), add_special_tokens=False)["input_ids"]
    numbers = range(len(texts)) if row_numbers is None else row_numbers
    for number, text, tokens in zip(numbers, texts, plain, strict=True):
        _check_known(number, text, tokens, tokenizer)
    before, after = _special_tokens(texts[0], plain[0], tokenizer)
    rows = [torch.tensor(before + tokens + after) for tokens in plain]
    lengths = torch.tensor([len(row) for row in rows])
    # Any id would do, none is seen; at the sight of the padding token some models warn of a mask.
    ids = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=int(rows[0][0]))
    return EncodedLines(ids, lengths, len(before))


def check_one_token_per_word(
    lines: EncodedLines,
    words_per_line: Sequence[int],
    tokenizer: PreTrainedTokenizerBase,
    row_numbers: Sequence[int],
) -> None:
    """Tokens of each line = its words + the special tokens around them.

    Raises:
        UserError: the tokenizer cuts a word into pieces, so that words have no one position.
    """
    around = tokenizer.num_special_tokens_to_add(pair=False)
    lengths = lines.lengths.tolist()
    for number, words, length in zip(row_numbers, words_per_line, lengths, strict=True):
        if length != words + around:
            raise UserError(
                f"row {number} has {words} words but {length - around} tokens: this measure needs"
                " one token per word. Use the tokenizer of hf_grok.models.word_level_tokenizer."
            )


def length_batches(
    lengths: Int[Tensor, " line"], indices: Sequence[int], budget: int
) -> Iterator[list[int]]:
    """The indices in order of length, cut so that lines x longest line <= budget in each batch.

    A line longer than the budget is a batch of its own. Deterministic, ties by index.
    """
    batch: list[int] = []
    for index in sorted(indices, key=lambda index: (int(lengths[index]), index)):
        # In ascending order the newcomer is the longest.
        if batch and (len(batch) + 1) * int(lengths[index]) > budget:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def token_budget(device: torch.device) -> int:
    """Tokens in a batch (filling included) at which this kind of device is about fastest."""
    return TOKEN_BUDGET.get(device.type, ACCELERATOR_TOKEN_BUDGET)


def _special_tokens(
    text: str, plain: list[int], tokenizer: PreTrainedTokenizerBase
) -> tuple[list[int], list[int]]:
    """The tokens that the tokenizer puts before and behind a text."""
    full: list[int] = tokenizer(text)["input_ids"]
    for start in range(len(full) - len(plain) + 1):
        if full[start : start + len(plain)] == plain:
            return full[:start], full[start + len(plain) :]
    raise UserError(
        f"the tokenizer encodes {text!r} differently with special tokens ({full}) and without"
        f" ({plain}): it cannot be used here"
    )


def _check_known(
    number: int, text: str, tokens: list[int], tokenizer: PreTrainedTokenizerBase
) -> None:
    if not tokens:
        raise UserError(f"row {number} is empty: expected a line of words")
    unknown = tokenizer.unk_token_id
    if unknown is None or unknown not in tokens:
        return
    word = next(word for word in text.split() if unknown in tokenizer(word)["input_ids"])
    raise UserError(
        f"row {number}: the tokenizer does not know the word {word!r} in {text!r}. Build the"
        " tokenizer from the vocabulary of these data, or take the data that it was built from."
    )
