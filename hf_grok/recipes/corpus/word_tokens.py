"""tokens(word), once for each distinct word: a corpus is then encoded by looking numbers up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from hf_grok.annotation.alignment import (
    NO_WORD,
    encode_words,
    needs_spaces,
    require_alignment,
)
from hf_grok.errors import UserError

_BATCH = 10_000
_BEFORE = "a"  # any word: what stands before another does not change its tokens


class WordTokens:
    """The tokens of words: at the start of a text, and behind another word.

    A tokenizer that is given words cuts each by itself; all that its place can change is whether a
    space stands before it. So a corpus's few hundred thousand distinct words are cut once, however
    often they occur. That this is so of a tokenizer is tried on the first sentences.

    Args:
        tokenizer: a fast one.
        sentences: some of the corpus, words of each; at least one.

    Raises:
        UserError: a slow tokenizer, or one that cuts words otherwise by what stands around them.
    """

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, sentences: Sequence[Sequence[str]]
    ) -> None:
        require_alignment(tokenizer)
        self._tokenizer = tokenizer
        self._space = " " if needs_spaces(tokenizer, sentences) else ""
        self._number: dict[str, int] = {}
        self._ids: list[list[NDArray[np.int32]]] = [[], []]
        self._lengths: list[list[int]] = [[], []]
        self._flat: tuple[_Flat, _Flat] | None = None
        self.words: list[str] = []
        self.before, self.after = special_around(tokenizer)
        self._require_independent(sentences)

    def __len__(self) -> int:
        return len(self.words)

    def numbers(self, vocabulary: Sequence[str]) -> NDArray[np.int64]:
        """The number of each word, by which `lengths` and `ids` know it; new words are cut."""
        new = [word for word in dict.fromkeys(vocabulary) if word not in self._number]
        for start in range(0, len(new), _BATCH):
            self._cut(new[start : start + _BATCH])
        return np.array([self._number[word] for word in vocabulary], dtype=np.int64)

    def lengths(self, words: NDArray[np.int64], first: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Tokens of each word, `first` where it begins a text."""
        behind, begins = self._tables()
        return np.where(first, begins.lengths[words], behind.lengths[words])

    def ids(
        self, words: NDArray[np.int64], first: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The tokens of the words one after another, and of each token the place of its word."""
        behind, begins = self._tables()
        lengths = self.lengths(words, first)
        starts = np.where(first, begins.starts[words], behind.starts[words] + begins.total)
        word_of = np.repeat(np.arange(len(words)), lengths)
        within = np.arange(len(word_of)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        both = self._both
        return both[starts[word_of] + within], word_of

    def _tables(self) -> tuple[_Flat, _Flat]:
        if self._flat is None:
            behind, begins = (_Flat(np.array(lengths, dtype=np.int64)) for lengths in self._lengths)
            self._both = np.concatenate([*self._ids[1], *self._ids[0]])
            self._flat = behind, begins
        return self._flat

    def _cut(self, words: Sequence[str]) -> None:
        self._flat = None
        listed = ([[_BEFORE, self._space + word] for word in words], [[word] for word in words])
        for place, texts in enumerate(listed):
            encoded = self._tokenizer(texts, is_split_into_words=True, add_special_tokens=False)
            wanted = 1 - place
            flat: list[int] = []
            for at, ids in enumerate(encoded["input_ids"]):
                places = encoded.word_ids(at)
                own = [token for token, of in zip(ids, places, strict=True) if of == wanted]
                flat += own
                self._lengths[place].append(len(own))
            self._ids[place].append(np.array(flat, dtype=np.int32))
        for word in words:
            self._number[word] = len(self.words)
            self.words.append(word)

    def _require_independent(self, sentences: Sequence[Sequence[str]]) -> None:
        known = encode_words(sentences, self._tokenizer, allow_unknown=True)
        for at, words in enumerate(sentences):
            first = np.arange(len(words)) == 0
            ids, word_of = self.ids(self.numbers(words), first)
            real = known.word_of[at] != NO_WORD
            same = np.array_equal(known.ids[at][real].numpy(), ids)
            if not same or not np.array_equal(known.word_of[at][real].numpy(), word_of):
                raise UserError(
                    f"{type(self._tokenizer).__name__} cuts the words of {' '.join(words)!r} "
                    "otherwise one by one than together: expected a tokenizer that cuts each word "
                    "of a list by itself"
                )


class _Flat:
    """Where the tokens of each word stand in one array."""

    def __init__(self, lengths: NDArray[np.int64]) -> None:
        self.lengths = lengths
        self.starts = np.cumsum(lengths) - lengths
        self.total = int(lengths.sum())


def special_around(tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], list[int]]:
    """The special tokens that a tokenizer puts before and behind a text."""
    encoding = tokenizer([_BEFORE], is_split_into_words=True)
    ids, words = list(encoding["input_ids"]), encoding.word_ids()
    real = [at for at, word in enumerate(words) if word is not None]
    return ids[: real[0]], ids[real[-1] + 1 :]
