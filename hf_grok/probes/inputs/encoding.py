"""Lines to token tensors, and batches of lines of about one length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from hf_grok.annotation.alignment import EncodedWords, start_token
from hf_grok.errors import UserError
from hf_grok.models.positions import position_limit
from hf_grok.models.text_model import vocabulary_of


@dataclass(frozen=True)
class EncodedLines:
    """ids[i, :lengths[i]] = the tokens of line i, special tokens included; the rest is padding.

    Padding stands on the right, where a causal model cannot see it, so it changes no result.

    Attributes:
        ids: token ids, on the CPU.
        lengths: tokens of each line.
        offset: special tokens before the first word.
        after: special tokens behind the last word.
    """

    ids: Int[Tensor, "line length"]
    lengths: Int[Tensor, " line"]
    offset: int
    after: int = 0

    def __len__(self) -> int:
        return len(self.lengths)


def encode_lines(
    texts: Sequence[str],
    tokenizer: PreTrainedTokenizerBase,
    row_numbers: Sequence[int] | None = None,
    *,
    add_start: bool = False,
    allow_unknown: bool = False,
) -> EncodedLines:
    """Every line as token ids, with the special tokens that the tokenizer puts around a text.

    Args:
        texts: one line each; not empty.
        tokenizer: any tokenizer.
        row_numbers: the number by which an error names each line (default 0, 1, 2, ...).
        add_start: put the tokenizer's start token in front where it adds none by itself (GPT-2).
        allow_unknown: let words through that become the tokenizer's unknown token.

    Raises:
        UserError: a line holds a word that the tokenizer does not know, or no word at all; there
            is no start token to add.
    """
    plain: list[list[int]] = tokenizer(list(texts), add_special_tokens=False)["input_ids"]
    numbers = range(len(texts)) if row_numbers is None else row_numbers
    for number, text, tokens in zip(numbers, texts, plain, strict=True):
        _check_known(number, text, tokens, tokenizer, allow_unknown=allow_unknown)
    before, after = _special_tokens(texts[0], plain[0], tokenizer)
    if add_start and not before:
        before = [start_token(tokenizer)]
    rows = [torch.tensor(before + tokens + after) for tokens in plain]
    lengths = torch.tensor([len(row) for row in rows])
    # Any id would do, none is seen; at the sight of the padding token some models warn of a mask.
    ids = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=int(rows[0][0]))
    return EncodedLines(ids, lengths, len(before), len(after))


def check_one_token_per_word(
    lines: EncodedLines,
    words: Sequence[Sequence[str]],
    tokenizer: PreTrainedTokenizerBase,
    row_numbers: Sequence[int],
) -> None:
    """Tokens of each line = its words + the special tokens around them, each named as its word.

    Raises:
        UserError: the tokenizer cuts a word into tokens, so that words have no one position, or
            its tokens are no words ("\u0120do", "##s"), so that they cannot be looked up.
    """
    vocabulary, around = tokenizer.get_vocab(), lines.offset + lines.after
    allowed = {tokenizer.unk_token_id}
    for number, line, ids, length in zip(
        row_numbers, words, lines.ids.tolist(), lines.lengths.tolist(), strict=True
    ):
        if length != len(line) + around:
            raise UserError(
                f"row {number} has {len(line)} words but {length - around} tokens: this measure "
                "needs one token per word. Use the tokenizer of "
                "hf_grok.models.word_level_tokenizer."
            )
        for word, token in zip(line, ids[lines.offset :], strict=False):
            if token not in allowed and vocabulary.get(word) != token:
                raise UserError(
                    f"row {number}: the token of {word!r} is "
                    f"{tokenizer.convert_ids_to_tokens(token)!r}: this measure needs tokens "
                    "that are words. Use the tokenizer of hf_grok.models.word_level_tokenizer."
                )


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


def check_model_fits(model: nn.Module, lines: EncodedLines) -> None:
    """Longest line <= the model's positions, and largest token id < its vocabulary.

    Checked before the forward pass: on a GPU an index beyond a table ends the whole process.

    Raises:
        UserError: either is not so.
    """
    size = vocabulary_of(model)
    largest = int(lines.ids.max())
    if size is not None and largest >= size:
        raise UserError(
            f"the lines hold token id {largest} and the model's vocabulary ends at {size - 1}:"
            " measure a model with the tokenizer that it was trained with"
        )
    positions = position_limit(model)
    longest = int(lines.lengths.max())
    if positions is not None and longest > positions:
        raise UserError(
            f"the longest line has {longest} tokens and the model only {positions} positions:"
            " train with more (max_position_embeddings), or measure on shorter lines"
        )


def check_words_fit(model: nn.Module, words: EncodedWords) -> None:
    """`check_model_fits` of sentences as tokens.

    Raises:
        UserError: the model has too few positions or too small a vocabulary for them.
    """
    check_model_fits(model, EncodedLines(words.ids, words.lengths, offset=0))


def _check_known(
    number: int,
    text: str,
    tokens: list[int],
    tokenizer: PreTrainedTokenizerBase,
    *,
    allow_unknown: bool,
) -> None:
    if not tokens:
        raise UserError(f"row {number} is empty: expected a line of words")
    unknown = tokenizer.unk_token_id
    if allow_unknown or unknown is None or unknown not in tokens:
        return
    word = next(word for word in text.split() if unknown in tokenizer(word)["input_ids"])
    raise UserError(
        f"row {number}: the tokenizer does not know the word {word!r} in {text!r}. Build the"
        " tokenizer from the vocabulary of these data, or take the data that it was built from."
    )
