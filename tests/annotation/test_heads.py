"""Heads as data sets have them, and what is refused of them: the same everywhere."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hf_grok.annotation.heads import check_no_cycle, head_places, relation_id, word_heads
from hf_grok.annotation.sentences import dependency_sentences
from hf_grok.datasets_scripts import Treebank
from hf_grok.errors import UserError
from hf_grok.models import word_level_tokenizer
from hf_grok.probes import AttentionUAS, TokenClassLoss
from hf_grok.sas.batches.encoding import encode_rows
from hf_grok.sas.batches.keys import HEADS
from tests.probes.matrix import model_of
from tests.sas.parsed import random_heads

WORDS = ["the", "cat", "runs"]
GOLD = [2, 3, 0]
TAGS = {"deprels": ["det", "nsubj", "root"], "upos": ["DET", "NOUN", "VERB"]}
ROWS = [{"words": WORDS, "heads": GOLD, **TAGS}] * 4
TOKENIZER = word_level_tokenizer(WORDS)


@pytest.mark.parametrize(
    "given",
    [["2", "3", "0"], (2.0, 3.0, 0.0), np.array([2, 3, 0]), [" 2", "3 ", 0], np.float32([2, 3, 0])],
)
def test_heads_in_other_writing_are_the_same_heads(given: Any) -> None:
    assert word_heads(given, WORDS, "row 0") == GOLD
    (sentence,) = dependency_sentences([{"words": WORDS, "heads": given, **TAGS}])
    assert sentence.heads == (2, 3, 0)
    plain, other = (
        encode_rows([{"words": WORDS, "heads": heads, **TAGS}], TOKENIZER, progress=False)
        for heads in (GOLD, given)
    )
    assert np.array_equal(plain[0][HEADS], other[0][HEADS])


UNPARSED = [None, [None] * 3, ["None"] * 3, ["_"] * 3, [math.nan] * 3, [-1] * 3, ["-1"] * 3, []]


@pytest.mark.parametrize("given", UNPARSED)
def test_a_sentence_without_heads_is_unparsed(given: Any) -> None:
    assert word_heads(given, WORDS, "row 0") is None
    row = {"words": WORDS, "heads": given, "deprels": None, "upos": TAGS["upos"]}
    rows = [*ROWS, row]
    assert encode_rows(rows, TOKENIZER, progress=False).counts.unparsed == 1
    model = model_of("gpt2", len(TOKENIZER))
    for kind in (AttentionUAS, TokenClassLoss):
        assert kind(rows, TOKENIZER).measure(model)
    uas = AttentionUAS(rows, TOKENIZER)
    assert (len(uas), uas.unparsed) == (len(ROWS), 1)
    with pytest.raises(UserError, match="row 4 is unparsed"):
        dependency_sentences(rows)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["None", "2", "0"], r"row 4: word 1 \('the'\) has no head \('None'\) and others have one"),
        ([2, None, 0], r"word 2 \('cat'\) has no head \(None\).*multiword token"),
        ([2, 3.5, 0], "the head of word 2 is 3.5"),
        (["two", "3", "0"], "the head of word 1 is 'two'"),
        ([True, 3, 0], "the head of word 1 is True"),
        (["²", "3", "0"], "the head of word 1 is"),
        ("230", "heads are '230': expected a list"),
        (3, "heads are 3: expected a list"),
    ],
)
def test_what_is_no_head_is_refused_in_the_same_words(given: Any, message: str) -> None:
    rows = [*ROWS, {"words": WORDS, "heads": given, **TAGS}]
    with pytest.raises(UserError, match=message):
        dependency_sentences(rows)
    with pytest.raises(UserError, match=message):
        encode_rows(rows, TOKENIZER, progress=False)


SENTENCE = ["the", "old", "cat", "sleeps", "."]
TREE = [3, 3, 4, 0, 4]


@pytest.mark.parametrize(
    ("heads", "message"),
    [
        (TREE, None),
        ([3, 3, 4, 0, 0], None),
        ([3, 3, 4, 0, -1], None),
        ([3, -1, -1, -1, -1], None),
        ([3, 3, 4, 0], "row 9: 5 words and 4 heads"),
        ([3, 3, 6, 0, 4], r"row 9: word 3 \('cat'\) has head 6: expected .* \(1 to 5\)"),
        ([3, 3, -2, 0, 4], r"row 9: word 3 \('cat'\) has head -2"),
        ([3, 3, 3, 0, 4], r"row 9: word 3 \('cat'\) has head 3: expected the number of"),
        ([2, 3, 1, 0, 4], "row 9: heads go in a cycle, 1 -> 2 -> 3 -> 1"),
        ([3, 3, 4, 3, 4], "row 9: heads go in a cycle, 3 -> 4 -> 3: expected a tree"),
    ],
)
def test_probes_and_regulariser_refuse_the_same(heads: list[int], message: str | None) -> None:
    row = {"words": SENTENCE, "heads": heads, "deprels": ["dep"] * 5, "upos": ["X"] * 5}
    rows = [{**row, "heads": TREE}] * 9 + [row]
    tokenizer = word_level_tokenizer(SENTENCE)
    for read in (AttentionUAS, TokenClassLoss, partial(encode_rows, progress=False)):
        if message is None:
            read(rows, tokenizer)
        else:
            with pytest.raises(UserError, match=message):
                read(rows, tokenizer)
    if message is None:
        encoded = encode_rows(rows, tokenizer, progress=False)
        assert encoded[9][HEADS].tolist() == head_places(heads)


def test_a_treebank_file_refuses_the_cycle_that_rows_refuse(tmp_path: Path) -> None:
    file = tmp_path / "trees.conllu"
    lines = [
        f"{place}\t{word}\t_\tX\t_\t_\t{head}\tdep\t_\t_"
        for place, (word, head) in enumerate(zip(SENTENCE, [2, 3, 1, 0, 4], strict=True), start=1)
    ]
    file.write_text("\n".join(lines) + "\n\n")
    with pytest.raises(UserError, match=r"conllu:1: heads go in a cycle: 1 -> 2 -> 3 -> 1"):
        list(Treebank(file))


@pytest.mark.parametrize("heads", [[-1] * 5, [3, 3, 4, 0, -1]])
def test_one_corpus_for_both_what_is_unparsed_is_left_out_and_said_once(
    heads: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    row = {"words": SENTENCE, "deprels": ["dep"] * 5, "upos": ["X"] * 5}
    rows = [{**row, "heads": TREE}] * 4 + [{**row, "heads": heads}] * 2
    tokenizer = word_level_tokenizer(SENTENCE)
    model = model_of("bert", len(tokenizer))
    with caplog.at_level("WARNING"):
        found = AttentionUAS(rows, tokenizer)
        numbers = found.measure(model)
    assert [record.getMessage() for record in caplog.records] == [
        "uas: 2 of 6 sentences have words without a head and are left out"
    ]
    caplog.clear()
    assert numbers == AttentionUAS(rows[:4], tokenizer).measure(model)
    assert caplog.records == []
    assert encode_rows(rows, tokenizer, progress=False).counts.arcs == 4 * 4 + 2 * sum(
        head > 0 for head in heads
    )


def test_numbers_of_relations_are_those_of_saved_data() -> None:
    assert relation_id("nsubj") == 826022555
    assert relation_id("acl:relcl") != relation_id("acl")


def test_cycles_are_found_wherever_they_are() -> None:
    for seed in range(200):
        heads = head_places(random_heads(8, seed))
        check_no_cycle(heads, "row")
        ancestors, word = [], seed % 8
        while word != -1:
            ancestors.append(word)
            word = heads[word]
        if len(ancestors) > 1:
            heads[ancestors[-1]] = ancestors[0]
            with pytest.raises(UserError, match="cycle"):
                check_no_cycle(heads, "row")


def test_data_count_from_one_and_arrays_from_none() -> None:
    assert head_places([2, 0, -1, 3]) == [1, -1, -1, 2]
