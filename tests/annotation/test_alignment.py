"""Words and their tokens, for every kind of tokenizer."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import PreTrainedTokenizer, PreTrainedTokenizerFast

from hf_grok.annotation.alignment import encode_words, tokens_to_words
from hf_grok.errors import UserError
from hf_grok.probes.inputs.encoding import check_words_fit
from tests.probes.matrix import model_of
from tests.probes.uas.material import (
    WORDS,
    byte_level,
    metaspace,
    places_of,
    prepended,
    word_level,
    wordpiece,
)

TOKENIZERS: dict[str, Callable[[], PreTrainedTokenizerFast]] = {
    "wordpiece": wordpiece,
    "byte-level": lambda: byte_level(prefix=False),
    "byte-level with a space in front": lambda: byte_level(prefix=True),
    "metaspace always": metaspace,
    "metaspace first": lambda: metaspace("first"),
    "metaspace never": lambda: metaspace("never"),
    "no pre-tokenizer": prepended,
    "word-level": word_level,
}
SENTENCES = [
    ["the", "newts", "don't", "smile", "."],
    ["unhappy"],
    ["smile", "."],
    ["the", "the", "unhappy", "newts", "don't", "don't", "smile", ".", "."],
]


@pytest.fixture(params=TOKENIZERS)
def tokenizer(request: pytest.FixtureRequest) -> PreTrainedTokenizerFast:
    return TOKENIZERS[request.param]()


def test_tokens_are_those_of_running_text(tokenizer: PreTrainedTokenizerFast) -> None:
    encoded = encode_words(SENTENCES, tokenizer)
    assert len(encoded) == len(SENTENCES)
    for number, words in enumerate(SENTENCES):
        running = tokenizer(" ".join(words))["input_ids"]
        length = int(encoded.lengths[number])
        assert encoded.ids[number, :length].tolist() == running
        assert encoded.mask[number].tolist() == [
            place < length for place in range(len(encoded.ids[0]))
        ]


def test_the_tokens_of_a_word_spell_it(tokenizer: PreTrainedTokenizerFast) -> None:
    draw = random.Random(0)
    sentences = [[draw.choice(WORDS) for _ in range(draw.randint(1, 9))] for _ in range(50)]
    encoded = encode_words(sentences, tokenizer)
    assert encoded.words.tolist() == [len(words) for words in sentences]
    for number, words in enumerate(sentences):
        length = int(encoded.lengths[number])
        assert encoded.word_of[number, :length].tolist() == places_of(tokenizer, words)
        assert (encoded.word_of[number, length:] == -1).all()


def test_words_are_cut_into_several_tokens() -> None:
    encoded = encode_words([["the", "unhappy", "newts"]], wordpiece())
    assert encoded.word_of.tolist() == [[-1, 0, 1, 1, 1, 2, 2, -1]]


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_stands_on_the_right_whatever_side_the_tokenizer_pads(side: str) -> None:
    encoded = encode_words([["the"], ["the", "newts", "."]], wordpiece(padding_side=side))
    assert encoded.word_of.tolist() == [[-1, 0, -1, -1, -1, -1], [-1, 0, 1, 1, 2, -1]]
    assert encoded.lengths.tolist() == [3, 6]


def test_a_tokenizer_left_in_truncation_truncates_nothing() -> None:
    tokenizer = wordpiece()
    tokenizer(["the newts smile"], truncation=True, max_length=3, padding="max_length")
    encoded = encode_words([["the", "newts", "don't", "smile", "."]], tokenizer)
    assert encoded.lengths.tolist() == [10]


def test_a_start_token_is_put_where_there_is_none() -> None:
    for tokenizer in (byte_level(prefix=False), byte_level(prefix=True)):
        without, with_start = (
            encode_words(SENTENCES, tokenizer, add_start=start) for start in (False, True)
        )
        assert (with_start.ids[:, 0] == tokenizer.bos_token_id).all()
        assert (with_start.word_of[:, 0] == -1).all()
        assert torch.equal(with_start.lengths, without.lengths + 1)
        for number, length in enumerate(without.lengths.tolist()):
            assert torch.equal(with_start.ids[number, 1 : length + 1], without.ids[number, :length])
            assert torch.equal(
                with_start.word_of[number, 1 : length + 1], without.word_of[number, :length]
            )


def test_a_start_token_that_is_there_is_not_put_again(tokenizer: PreTrainedTokenizerFast) -> None:
    if encode_words(SENTENCES, tokenizer).word_of[0, 0] == -1:
        without, with_start = (
            encode_words(SENTENCES, tokenizer, add_start=start) for start in (False, True)
        )
        assert torch.equal(without.ids, with_start.ids)


def test_no_start_token_to_put() -> None:
    tokenizer = byte_level(prefix=False)
    tokenizer.bos_token = None
    with pytest.raises(UserError, match=r"no start token \(bos or cls\)"):
        encode_words(SENTENCES, tokenizer, add_start=True)


@pytest.mark.parametrize("make", [wordpiece, metaspace, prepended, word_level])
def test_an_unknown_word_is_refused_or_allowed(make: Callable[[], Any]) -> None:
    sentences = [["the", "newts"], ["the", "QUX", "newts"]]
    with pytest.raises(UserError, match=r"sentence 1: .*does not know word 2, 'QUX'"):
        encode_words(sentences, make())
    with pytest.raises(UserError, match=r"sentence 9: .*does not know word 2, 'QUX'"):
        encode_words(sentences, make(), row_numbers=[4, 9])
    allowed = encode_words(sentences, make(), allow_unknown=True)
    assert set(allowed.word_of[1].tolist()) == {-1, 0, 1, 2}


@pytest.mark.parametrize("word", ["", "\u200b", "\x07"])
def test_a_word_without_a_token_is_refused(word: str) -> None:
    with pytest.raises(UserError, match="sentence 1: the tokenizer makes no token of word 2"):
        encode_words([["the"], ["the", word, "newts"]], wordpiece())


def test_a_byte_level_vocabulary_that_drops_letters_is_read_with_spaces() -> None:
    # Without "x" in it, "x x" leaves one lone space: the words themselves have to tell.
    encoded = encode_words([["the", "newts", "the"]], byte_level(prefix=False))
    assert byte_level(prefix=False)("x x").tokens() == ["Ġ"]
    assert encoded.word_of.tolist() == [[0, 1, 1, 2]]
    with pytest.raises(UserError, match="makes no token of word 1, 'x'"):
        encode_words([["x", "the"]], byte_level(prefix=False))


def test_tokens_that_go_beyond_words_are_refused() -> None:
    with pytest.raises(UserError, match="cannot be aligned with words"):
        encode_words([["smile", "smile"]], metaspace(split=False))


def test_a_slow_tokenizer_is_refused() -> None:
    class Slow(PreTrainedTokenizer):
        vocab_size = 0

        def get_vocab(self) -> dict[str, int]:
            return {}

    with pytest.raises(UserError, match="Slow does not say which token"):
        encode_words(SENTENCES, Slow())


def test_no_sentence_and_no_word_are_refused() -> None:
    with pytest.raises(UserError, match="there are no sentences"):
        encode_words([], word_level())
    with pytest.raises(UserError, match="sentence 1 has no words"):
        encode_words([["the"], []], word_level())


def test_membership_of_tokens() -> None:
    encoded = encode_words(SENTENCES, wordpiece())
    member = tokens_to_words(encoded.word_of, int(encoded.words.max()))
    assert member.shape == (4, 9, encoded.ids.shape[1])
    for sentence, word, token in torch.cartesian_prod(*(torch.arange(n) for n in member.shape)):
        assert member[sentence, word, token] == (encoded.word_of[sentence, token] == word)


def test_a_model_that_is_too_small_is_refused() -> None:
    model = model_of("gpt2", vocabulary=20)
    check_words_fit(model, encode_words([["the"] * 63], word_level()))
    with pytest.raises(UserError, match="65 tokens and the model only 64 positions"):
        check_words_fit(model, encode_words([["the"] * 64], word_level()))
    small = model_of("gpt2", vocabulary=5)
    with pytest.raises(UserError, match="vocabulary ends at 4"):
        check_words_fit(small, encode_words(SENTENCES, word_level()))
