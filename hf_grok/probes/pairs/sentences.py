"""Sentences as they are scored: token ids, and which of them the tokenizer put there itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from hf_grok.annotation.alignment import start_token
from hf_grok.errors import UserError


@dataclass(frozen=True)
class EncodedSentences:
    """ids[i, :lengths[i]] = the tokens of sentence i; the rest is fill.

    Padding stands on the right, whatever side the tokenizer pads.

    Attributes:
        texts: each sentence as it is written; of several with the same tokens, the first.
        ids: token ids, on the CPU.
        lengths: tokens of each sentence, special tokens included.
        special: True at tokens that the tokenizer puts around a sentence, and at fill.
    """

    texts: tuple[str, ...]
    ids: Int[Tensor, "sentence length"]
    lengths: Int[Tensor, " sentence"]
    special: Bool[Tensor, "sentence length"]

    def __len__(self) -> int:
        return len(self.lengths)


def encode_texts(
    texts: Sequence[str],
    names: Sequence[str],
    tokenizer: PreTrainedTokenizerBase,
    *,
    add_start: bool = False,
    allow_unknown: bool = False,
) -> tuple[EncodedSentences, Int[Tensor, " text"]]:
    """The distinct token sequences of the texts, and which of them each text is.

    Texts of the same tokens are one sentence, which is scored once: so they tie exactly.

    Args:
        texts: sentences as they are written; not empty.
        names: by which an error names each text.
        tokenizer: any tokenizer.
        add_start: put the tokenizer's start token in front where it adds none by itself (GPT-2).
        allow_unknown: let words through that become the tokenizer's unknown token.

    Raises:
        UserError: a text has no token or an unknown one, or there is no start token to add.
    """
    encoding = tokenizer(
        list(texts), return_special_tokens_mask=True, truncation=False, padding=False
    )
    number: dict[tuple[int, ...], int] = {}
    first: list[tuple[str, list[int]]] = []
    places: list[int] = []
    for text, name, ids, marks in zip(
        texts, names, encoding["input_ids"], encoding["special_tokens_mask"], strict=True
    ):
        _check_tokens(text, name, ids, marks, tokenizer, allow_unknown=allow_unknown)
        if add_start and not marks[0]:
            ids, marks = [start_token(tokenizer), *ids], [1, *marks]
        places.append(number.setdefault(tuple(ids), len(number)))
        if len(first) < len(number):
            first.append((text, marks))
    rows = list(number)
    sentences = EncodedSentences(
        texts=tuple(text for text, _ in first),
        # Any id would do, none is seen; at the sight of padding some models warn of a mask.
        ids=_rectangle(rows, fill=rows[0][0]),
        lengths=torch.tensor([len(row) for row in rows]),
        special=_rectangle([marks for _, marks in first], fill=1).bool(),
    )
    return sentences, torch.tensor(places)


def _rectangle(rows: Sequence[Sequence[int]], fill: int) -> Int[Tensor, "row length"]:
    tensors = [torch.tensor(row, dtype=torch.int64) for row in rows]
    return nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=fill)


def _check_tokens(
    text: str,
    name: str,
    ids: Sequence[int],
    special: Sequence[int],
    tokenizer: PreTrainedTokenizerBase,
    *,
    allow_unknown: bool,
) -> None:
    own = [token for token, mark in zip(ids, special, strict=True) if not mark]
    if not own:
        raise UserError(f"{name}: the tokenizer makes no token of {text!r}: expected a sentence")
    unknown = tokenizer.unk_token_id
    if allow_unknown or unknown is None or unknown not in own:
        return
    words = (word for word in text.split() if unknown in tokenizer(word)["input_ids"])
    raise UserError(
        f"{name}: the tokenizer does not know {next(words, text)!r} in {text!r}: take the pairs or "
        "the tokenizer that fit, or say that unknown words may stay (allow_unknown=True); two "
        "sentences that differ in unknown words alone then tie"
    )
