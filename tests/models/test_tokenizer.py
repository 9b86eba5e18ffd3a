from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from hf_grok.errors import UserError
from hf_grok.models import word_level_tokenizer

WORDS = ["walrus", "doesn't", "high_five", ".", "?", "quest", "(3", ")3", "my", "Ünïcode"]
TEXT = "my walrus doesn't high_five Ünïcode . quest (3 )3 ?"


def test_ids_are_the_special_tokens_then_the_sorted_vocabulary() -> None:
    tokenizer = word_level_tokenizer(reversed(WORDS * 2))
    expected = ["<pad>", "<s>", "</s>", "<unk>", *sorted(WORDS)]
    assert tokenizer.convert_ids_to_tokens(list(range(len(tokenizer)))) == expected
    assert tokenizer.all_special_ids == [1, 2, 3, 0]
    assert (tokenizer.pad_token_id, tokenizer.unk_token_id) == (0, 3)
    assert (tokenizer.bos_token_id, tokenizer.eos_token_id) == (1, 2)


@pytest.mark.parametrize("append_end", [False, True])
def test_every_word_is_one_token_after_the_start(append_end: bool) -> None:
    tokenizer = word_level_tokenizer(WORDS, append_end=append_end)
    encoded = tokenizer(TEXT)
    assert encoded.tokens() == ["<s>", *TEXT.split(), *["</s>"] * append_end]
    assert encoded.word_ids() == [None, *range(10), *[None] * append_end]
    assert list(encoded) == ["input_ids", "attention_mask"]


def test_decoding_gives_the_words_joined_by_spaces() -> None:
    tokenizer = word_level_tokenizer(WORDS, append_end=True)
    ids = tokenizer(f"  {TEXT}\n").input_ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == TEXT
    assert tokenizer.decode(ids) == f"<s> {TEXT} </s>"


def test_an_unknown_word_is_unknown_not_tokens() -> None:
    tokenizer = word_level_tokenizer(WORDS)
    assert tokenizer("my walruses (4 .").tokens() == ["<s>", "my", "<unk>", "<unk>", "."]


def test_padding_is_on_the_right() -> None:
    batch = word_level_tokenizer(WORDS)(["my", TEXT], padding=True, return_tensors="pt")
    assert batch["attention_mask"].sum(1).tolist() == [2, 11]
    assert batch["input_ids"][0, 2:].eq(0).all()


def test_many_lines_encode_as_one_by_one_lookup_does() -> None:
    generator = random.Random(0)
    vocabulary = [f"word{number}" for number in range(60)]
    lines = [" ".join(generator.choices(vocabulary, k=20)) for _ in range(2000)]
    numbers = {word: 4 + place for place, word in enumerate(sorted(vocabulary))}
    expected = [[1, *(numbers[word] for word in line.split())] for line in lines]
    assert word_level_tokenizer(vocabulary)(lines).input_ids == expected


WITHOUT_THE_PACKAGE = """
import sys
from transformers import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
print(*tokenizer(sys.argv[2]).input_ids)
print(tokenizer.decode(tokenizer(sys.argv[2]).input_ids, skip_special_tokens=True))
print("hf_grok" in sys.modules, tokenizer.is_fast, tokenizer.padding_side)
"""


def test_auto_tokenizer_loads_it_without_this_package(tmp_path: Path) -> None:
    tokenizer = word_level_tokenizer(WORDS, append_end=True)
    tokenizer.save_pretrained(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    output = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", WITHOUT_THE_PACKAGE, str(tmp_path), TEXT],
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout.splitlines()
    assert output[0] == " ".join(map(str, tokenizer(TEXT).input_ids))
    assert output[1:] == [TEXT, "False True right"]


def test_a_saved_tokenizer_comes_back_whole(tmp_path: Path) -> None:
    tokenizer = word_level_tokenizer(WORDS)
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert loaded.get_vocab() == tokenizer.get_vocab()
    assert loaded(TEXT).data == tokenizer(TEXT).data
    assert loaded.model_input_names == ["input_ids", "attention_mask"]


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [
        ([], "the vocabulary is empty"),
        (["my", "two words"], "'two words': expected one word without white space"),
        (["my", "non\u00a0breaking"], "expected one word without white space"),
        (["my", " padded"], "' padded': expected one word without white space"),
        (["my", ""], "'': expected one word without white space"),
        (["my", "<s>"], "'<s>' contains the special token <s>"),
        (["my", "a<unk>b"], "'a<unk>b' contains the special token <unk>"),
        ("my walrus", "expected words, not one string"),
    ],
)
def test_a_bad_vocabulary_is_refused(vocabulary: Iterable[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        word_level_tokenizer(vocabulary)


def test_a_mask_token_stands_between_the_special_tokens_and_the_words(tmp_path: Path) -> None:
    tokenizer = word_level_tokenizer(WORDS, append_end=True, mask=True)
    expected = ["<pad>", "<s>", "</s>", "<unk>", "<mask>", *sorted(WORDS)]
    assert tokenizer.convert_ids_to_tokens(list(range(len(tokenizer)))) == expected
    tokenizer.save_pretrained(tmp_path)
    for one in (tokenizer, AutoTokenizer.from_pretrained(tmp_path)):
        assert one.mask_token_id == 4
        assert (one.cls_token_id, one.sep_token_id) == (one.bos_token_id, one.eos_token_id)
        assert sorted(one.all_special_ids) == [0, 1, 2, 3, 4]
        assert one("my <mask> ?").tokens() == ["<s>", "my", "<mask>", "?", "</s>"]


def test_a_word_may_look_like_a_mask_only_where_there_is_none() -> None:
    assert "<mask>" in word_level_tokenizer(["<mask>"]).get_vocab()
    with pytest.raises(UserError, match="contains the special token <mask>"):
        word_level_tokenizer(["<mask>"], mask=True)
