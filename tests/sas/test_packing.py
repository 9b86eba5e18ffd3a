"""Packed rows hold their sentences, and every arc stays where it belongs."""

from __future__ import annotations

from typing import Any

import datasets
import pytest
import torch

from hf_grok.errors import UserError
from hf_grok.sas import pack_rows
from hf_grok.sas.batches.collator import ArcCollator
from hf_grok.sas.batches.encoding import encode_rows
from hf_grok.sas.batches.packing import groups_in_order
from tests.sas.parsed import WORDS, byte_level_tokenizer, sentence, sentences, subword_tokenizer

Arc = tuple[str, str, int]


def test_groups() -> None:
    assert groups_in_order([3, 3, 4, 9, 1, 1], 6) == [
        range(0, 2),
        range(2, 3),
        range(3, 4),
        range(4, 6),
    ]
    assert groups_in_order([9], 6) == [range(0, 1)]


@pytest.mark.parametrize("sham", [False, True])
def test_every_sentence_keeps_its_tokens_arcs_and_sham_tree(sham: bool) -> None:
    data = sentences(60, longest=8)
    data[7] = {**data[7], "heads": None, "deprels": None}
    tokenizer = subword_tokenizer()
    rows = datasets.Dataset.from_list(data)
    packed = pack_rows(rows, tokenizer, 40, progress=False, sham=sham)
    alone = encode_rows(data, tokenizer, progress=False, sham=sham)
    assert len(packed) < 30
    names = [
        "arc_heads",
        "arc_relations",
        *(["arc_sham_heads", "arc_sham_relations"] if sham else []),
    ]
    at = 0
    for row in packed:
        assert len(row["input_ids"]) <= 40
        ids = row["input_ids"].tolist()
        assert (ids[0], ids[-1], ids.count(1), ids.count(2)) == (1, 2, 1, 1)
        word, token = 0, 1
        while word < len(row["arc_heads"]):
            one = alone[at]
            tokens, words = len(one["input_ids"]) - 2, len(one["arc_heads"])
            inner = slice(token, token + tokens)
            assert (row["input_ids"][inner] == one["input_ids"][1:-1]).all()
            assert (row["arc_word_of"][inner] == one["arc_word_of"][1:-1] + word).all()
            for name in names:
                found = row[name][word : word + words].copy()
                if not name.endswith("relations"):
                    found[found >= 0] -= word
                assert (found == one[name]).all()
            at, word, token = at + 1, word + words, token + tokens
    assert at == 60
    assert vars(packed.counts) == vars(alone.counts)
    assert (packed.counts.sentences, packed.counts.unparsed) == (60, 1)


def test_packed_rows_are_a_data_set_for_the_collator() -> None:
    packed = pack_rows(sentences(10), subword_tokenizer(), 50, progress=False)
    batch = ArcCollator(subword_tokenizer(), masked=False)(list(packed))
    assert int((batch["arc_heads"] != -1).sum()) == packed.counts.arcs
    assert torch.equal(batch["labels"] != -100, batch["attention_mask"] == 1)


def test_a_sentence_longer_than_a_row() -> None:
    data = [*sentences(2, longest=3), sentence(WORDS[:10], [0, *range(1, 10)])]
    with pytest.raises(UserError, match=r"row 2 has 22 tokens.*max_length=12.*truncate=True"):
        pack_rows(data, subword_tokenizer(), 12, progress=False)
    packed = pack_rows(data, subword_tokenizer(), 12, truncate=True, progress=False)
    last = packed[-1]
    assert len(last["input_ids"]) == 12
    assert packed.counts.cut > 0
    assert packed.counts.sentences == 3


def test_no_sentences() -> None:
    with pytest.raises(UserError, match="no sentences to pack"):
        pack_rows([], subword_tokenizer(), 12, progress=False)


@pytest.mark.parametrize("length", range(14, 30))
def test_words_are_cut_as_in_running_text_even_where_that_takes_more_room(length: int) -> None:
    tokenizer = byte_level_tokenizer()
    data = [sentence([WORDS[at], WORDS[at + 1]], [2, 0]) for at in range(8)]
    packed = pack_rows(data, tokenizer, length, progress=False)
    texts = [tokenizer.decode(row["input_ids"]) for row in packed]
    assert " ".join(texts).split() == [word for row in data for word in row["words"]]
    assert all(len(row["input_ids"]) <= length for row in packed)
    assert packed.counts.cut == 0


@pytest.mark.parametrize("unparsed", [None, ["None"] * 2, [-1] * 2])
def test_heads_are_read_as_elsewhere(unparsed: Any) -> None:
    plain = [sentence(["ape", "cat"], [2, 0]), sentence(["hen", "fox"], [-1, -1])]
    other = [{**plain[0], "heads": ["2", 0.0]}, {**plain[1], "heads": unparsed}]
    first, second = (
        pack_rows(rows, subword_tokenizer(), 20, progress=False) for rows in (plain, other)
    )
    assert first[0]["arc_heads"].tolist() == second[0]["arc_heads"].tolist() == [1, -1, -1, -1]
