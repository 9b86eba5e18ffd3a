"""Words and the tokens that a tokenizer cuts them into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from hf_grok.annotation.rows import column
from hf_grok.annotation.sentences import Sentence
from hf_grok.errors import UserError

NO_WORD = -1
# Sentences on which the cutting of lists is compared with that of running text.
COMPARED = 100


@dataclass(frozen=True)
class EncodedWords:
    """ids[i, :lengths[i]] = the tokens of sentence i; word_of[i, t] = the word of token t.

    Padding stands on the right, whatever side the tokenizer pads, and has no word.

    Attributes:
        ids: token ids, on the CPU.
        lengths: tokens of each sentence, special tokens included.
        word_of: 0-based word of each token; -1 for special tokens and padding.
        words: number of words of each sentence.
    """

    ids: Int[Tensor, "sentence length"]
    lengths: Int[Tensor, " sentence"]
    word_of: Int[Tensor, "sentence length"]
    words: Int[Tensor, " sentence"]

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def mask(self) -> Bool[Tensor, "sentence length"]:
        """True at real tokens (special tokens included), False at padding."""
        return torch.arange(self.ids.shape[1]) < self.lengths[:, None]


def encode_words(
    sentences: Sequence[Sequence[str]],
    tokenizer: PreTrainedTokenizerBase,
    *,
    add_start: bool = False,
    allow_unknown: bool = False,
    row_numbers: Sequence[int] | None = None,
) -> EncodedWords:
    """Every sentence as tokens, each knowing its word, with the tokenizer's special tokens.

    Nothing is truncated. Words are separated by spaces where the tokenizer marks spaces (byte-level
    and sentencepiece tokenizers), exactly as in running text.

    Args:
        sentences: words of each sentence; not empty.
        tokenizer: any fast tokenizer.
        add_start: put the tokenizer's start token in front where it adds none by itself (GPT-2).
        allow_unknown: let words through that become the tokenizer's unknown token.
        row_numbers: the number by which an error names each sentence (default 0, 1, 2, ...).

    Raises:
        UserError: the tokenizer has no word alignment (a slow one), a word yields no token or the
            unknown token, or there is no start token to add; names sentence and word.
    """
    require_alignment(tokenizer)
    numbers = range(len(sentences)) if row_numbers is None else row_numbers
    _require_words(sentences, numbers)
    spaced = needs_spaces(tokenizer, sentences)
    rows, words_of_tokens = [], []
    for number, words in zip(numbers, sentences, strict=True):
        ids, places = _tokens(words, tokenizer, spaced=spaced)
        _check_tokens(number, words, ids, places, tokenizer, allow_unknown=allow_unknown)
        rows.append(torch.tensor(ids))
        words_of_tokens.append(torch.tensor(places))
    if add_start and words_of_tokens[0][0] != NO_WORD:
        start = start_token(tokenizer)
        rows = [torch.cat([torch.tensor([start]), row]) for row in rows]
        words_of_tokens = [torch.cat([torch.tensor([NO_WORD]), p]) for p in words_of_tokens]
    # Any id would do, none is seen; at the sight of the padding token some models warn of a mask.
    return EncodedWords(
        ids=nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=int(rows[0][0])),
        lengths=torch.tensor([len(row) for row in rows]),
        word_of=nn.utils.rnn.pad_sequence(words_of_tokens, batch_first=True, padding_value=NO_WORD),
        words=torch.tensor([len(words) for words in sentences]),
    )


def words_in(data: Any, name: str = "words") -> list[Sequence[str]]:
    """The words of every sentence; a running text is cut at white space.

    Args:
        data: strings, `Sentence`s, or rows (dicts or a `datasets.Dataset`).
        name: the column of rows that holds the words, as a list or as running text.

    Raises:
        UserError: there is no sentence, or rows have no such column.
    """
    first = next(iter(data), None)
    if first is None:
        raise UserError("there are no sentences: expected at least one")
    if isinstance(first, Sentence):
        return [sentence.words for sentence in data]
    texts = list(data) if isinstance(first, str) else column(data, name)
    return [text.split() if isinstance(text, str) else list(text) for text in texts]


def encode_sentences(
    data: Any,
    tokenizer: PreTrainedTokenizerBase,
    *,
    name: str = "words",
    most: int | None = None,
    add_start: bool = False,
    allow_unknown: bool = False,
) -> EncodedWords:
    """The sentences of `words_in(data, name)` as tokens; only the first `most` of them.

    Raises:
        UserError: as `words_in` and `encode_words` do.
    """
    sentences = words_in(data, name)[:most]
    return encode_words(sentences, tokenizer, add_start=add_start, allow_unknown=allow_unknown)


def tokens_to_words(
    word_of: Int[Tensor, "sentence length"], words: int
) -> Bool[Tensor, "sentence word length"]:
    """member[i, w, t] = token t of sentence i belongs to word w."""
    return word_of[:, None, :] == torch.arange(words, device=word_of.device)[:, None]


def _tokens(
    words: Sequence[str], tokenizer: PreTrainedTokenizerBase, *, spaced: bool
) -> tuple[list[int], list[int]]:
    encoding = tokenizer(
        _as_listed(words, spaced=spaced), is_split_into_words=True, truncation=False, padding=False
    )
    places = [NO_WORD if word is None else word for word in encoding.word_ids()]
    return list(encoding["input_ids"]), places


def _check_tokens(
    number: int,
    words: Sequence[str],
    ids: list[int],
    places: list[int],
    tokenizer: PreTrainedTokenizerBase,
    *,
    allow_unknown: bool,
) -> None:
    missing = sorted(set(range(len(words))) - set(places))
    if missing:
        raise UserError(
            f"sentence {number}: the tokenizer makes no token of word {missing[0] + 1}, "
            f"{words[missing[0]]!r}, so no attention is its own: leave the sentence out, or fix "
            "the word"
        )
    unknown = tokenizer.unk_token_id
    if allow_unknown or unknown is None:
        return
    for token, place in zip(ids, places, strict=True):
        if token == unknown and place != NO_WORD:
            raise UserError(
                f"sentence {number}: the tokenizer does not know word {place + 1}, "
                f"{words[place]!r}: take the data or the tokenizer that fit, or say that unknown "
                "words may stay (allow_unknown=True, --allow-unknown)"
            )


def require_alignment(tokenizer: PreTrainedTokenizerBase) -> None:
    """Refuse a tokenizer that does not tell tokens' words.

    Raises:
        UserError: it is a slow one.
    """
    if not getattr(tokenizer, "is_fast", False):
        raise UserError(
            f"{type(tokenizer).__name__} does not say which token belongs to which word: load a "
            "fast tokenizer (AutoTokenizer.from_pretrained(..., use_fast=True))"
        )


def _require_words(sentences: Sequence[Sequence[str]], numbers: Sequence[int]) -> None:
    if not sentences:
        raise UserError("there are no sentences: expected at least one")
    for number, words in zip(numbers, sentences, strict=True):
        if not words:
            raise UserError(f"sentence {number} has no words: expected at least one")


def needs_spaces(tokenizer: PreTrainedTokenizerBase, sentences: Sequence[Sequence[str]]) -> bool:
    """Whether the words of a list need a space in front to become the tokens of running text.

    Whichever gives the tokens of running text more often does; without a difference, none.

    Raises:
        UserError: neither does, in any of the first sentences.
    """
    agreed = {False: 0, True: 0}
    for words in sentences[:COMPARED]:
        running = tokenizer(" ".join(words), add_special_tokens=False)["input_ids"]
        for spaced in agreed:
            listed = _as_listed(words, spaced=spaced)
            tokens = tokenizer(listed, is_split_into_words=True, add_special_tokens=False)
            agreed[spaced] += tokens["input_ids"] == running
    if not any(agreed.values()):
        raise UserError(
            f"{type(tokenizer).__name__} cuts the words of a list otherwise than those of running "
            f"text, with spaces and without, in each of {len(sentences[:COMPARED])} sentences "
            "(are there tokens that go beyond a word?): it cannot be aligned with words"
        )
    return agreed[True] > agreed[False]


def _as_listed(words: Sequence[str], *, spaced: bool) -> list[str]:
    return [words[0], *(f" {word}" for word in words[1:])] if spaced else list(words)


def start_token(tokenizer: PreTrainedTokenizerBase) -> int:
    """The token that begins a sentence: bos, else cls.

    Raises:
        UserError: the tokenizer has neither.
    """
    for token in (tokenizer.bos_token_id, tokenizer.cls_token_id):
        if token is not None:
            return int(token)
    raise UserError(
        f"{type(tokenizer).__name__} has no start token (bos or cls) to put in front: set "
        "tokenizer.bos_token to the token that the model was trained with"
    )
