"""Arcs beside the tokens of a batch, against the rows they come from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from datasets import Dataset

from hf_grok.annotation.heads import relation_id
from hf_grok.errors import UserError
from hf_grok.models import word_level_tokenizer
from hf_grok.recipes.arguments import DataArguments
from hf_grok.recipes.data.arcs import arcs_of_rows, sham_column, told_of_arcs
from hf_grok.recipes.data.batches import TokenSequences
from hf_grok.recipes.data.language import load_language
from hf_grok.sas import encode_rows
from hf_grok.sas.batches.keys import HEADS, RELATIONS, SHAM_HEADS, SHAM_RELATIONS, WORD_OF

# The second line goes on behind its sentence, as a question's does.
ROWS = {
    "text": ["newts sleep .", "the newt sleeps . quest does the newt ?", "."],
    "words": [["newts", "sleep", "."], ["the", "newt", "sleeps", "."], ["."]],
    "heads": [[2, 0, 2], [2, 3, 0, 3], [0]],
    "deprels": [["nsubj", "root", "punct"], ["det", "nsubj", "root", "punct"], ["root"]],
}
TOKENIZER = word_level_tokenizer(" ".join(ROWS["text"]).split(), append_end=True)
SEQUENCES = TOKENIZER(ROWS["text"])["input_ids"]


def expected_row(row: int) -> tuple[list[int], list[int], list[int]]:
    words = ROWS["text"][row].split()
    word_of = [-1, *range(len(words)), -1]
    heads, relations = [-1] * len(words), [-1] * len(words)
    for word, (head, name) in enumerate(zip(ROWS["heads"][row], ROWS["deprels"][row], strict=True)):
        if head > 0:
            heads[word], relations[word] = head - 1, relation_id(name)
    return word_of, heads, relations


@pytest.mark.parametrize("indices", [[0], [1], [2], [0, 1, 2], [2, 0], [2, 2]])
def test_a_batch_carries_the_arcs_of_its_rows(indices: list[int]) -> None:
    arcs = arcs_of_rows(Dataset.from_dict(ROWS), SEQUENCES)
    batch = TokenSequences(SEQUENCES, 0, arcs).batch(indices)
    plain = TokenSequences(SEQUENCES, 0).batch(indices)
    assert set(batch) == {*plain, WORD_OF, HEADS, RELATIONS}
    assert all(torch.equal(batch[name], plain[name]) for name in plain)
    assert batch[WORD_OF].shape == batch["input_ids"].shape
    assert all(batch[name].dtype == torch.int64 for name in batch)
    most = max(len(ROWS["text"][index].split()) for index in indices)
    assert batch[HEADS].shape == batch[RELATIONS].shape == (len(indices), most)
    for place, index in enumerate(indices):
        for name, values in zip((WORD_OF, HEADS, RELATIONS), expected_row(index), strict=True):
            found = batch[name][place].tolist()
            assert found == [*values, *[-1] * (len(found) - len(values))], (name, index)


def test_a_sentence_has_the_sham_tree_that_it_has_elsewhere() -> None:
    rows = {
        "text": ["the old dogs of the farm saw a cat . quest", "cats sleep ."],
        "words": [
            ["the", "old", "dogs", "of", "the", "farm", "saw", "a", "cat", "."],
            ["cats", "sleep", "."],
        ],
        "heads": [[3, 3, 7, 6, 6, 3, 0, 9, 7, 7], [2, 0, 2]],
        "deprels": [
            ["det", "amod", "nsubj", "case", "det", "nmod", "root", "det", "obj", "punct"],
            ["nsubj", "root", "punct"],
        ],
    }
    tokenizer = word_level_tokenizer(set(" ".join(rows["text"]).split()))
    data = Dataset.from_dict(rows)
    sequences = tokenizer(rows["text"])["input_ids"]
    arcs = arcs_of_rows(data, sequences, sham=sham_column(data))
    batch = TokenSequences(sequences, 0, arcs).batch([0, 1])
    encoded = encode_rows(data, tokenizer, sham=True, progress=False)
    for name in (SHAM_HEADS, SHAM_RELATIONS):
        for row, words in enumerate(rows["words"]):
            assert batch[name][row, : len(words)].tolist() == encoded[row][name].tolist()
            assert set(batch[name][row, len(words) :].tolist()) == {-1}
    assert batch[SHAM_HEADS][1, :3].tolist() == [-2] * 3  # of which there is no other tree
    assert arcs.counts == encoded.counts
    assert (arcs.counts.without_sham, arcs.counts.arcs_without_sham) == (1, 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heads": [2, 4, 0]}, r"row 1: word 2 \('sleep'\) has head 4: expected .* \(1 to 3\)"),
        ({"heads": [2, 2, 0]}, r"row 1: word 2 \('sleep'\) has head 2"),
        ({"heads": [2, 3, 1]}, "row 1: heads go in a cycle, 1 -> 2 -> 3 -> 1"),
        ({"deprels": ["a", "b"]}, "row 1: 3 words and 2 deprels"),
    ],
)
def test_heads_that_are_none_are_refused(changes: dict[str, list], message: str) -> None:
    row = {name: values[0] for name, values in ROWS.items()}
    with pytest.raises(UserError, match=message):
        arcs_of_rows(Dataset.from_list([row, {**row, **changes}]), [SEQUENCES[0]] * 2)


def test_an_unparsed_sentence_has_no_arcs_and_is_counted() -> None:
    row = {name: values[0] for name, values in ROWS.items()}
    rows = Dataset.from_list([row, {**row, "heads": [-1] * 3}, {**row, "heads": [2, -1, -1]}])
    arcs = arcs_of_rows(rows, [SEQUENCES[0]] * 3, sham=sham_column(rows))
    batch = arcs.batch(np.arange(3), 5)
    assert batch[HEADS].tolist() == [[1, -1, 1], [-1, -1, -1], [1, -1, -1]]
    assert batch[SHAM_HEADS][1].tolist() == [-1, -1, -1]
    assert (arcs.counts.unparsed, arcs.counts.arcs, arcs.counts.roots) == (1, 3, 1)
    assert told_of_arcs(arcs, "sham") == [
        "1 of 3 sentences are unparsed: no arc of theirs is counted",
        "2 of 3 sentences have no other tree with the same offsets: their 3 arcs take no part in "
        "sham arcs",
    ]
    assert told_of_arcs(None, "sham") == []


def test_a_language_without_heads_has_no_arcs() -> None:
    options = {"train_size": 20, "validation_size": 5, "test_size": 5, "generalization_size": 5}
    with pytest.raises(UserError, match="no column words, heads, deprels"):
        load_language(DataArguments("dyck", language_options=options), with_arcs=True, quiet=True)


@pytest.mark.parametrize(
    ("language", "masked"),
    [("question-formation", False), ("agreement", False), ("agreement", True)],
)
def test_arcs_join_the_words_that_the_language_joins(language: str, masked: bool) -> None:
    options = {"train_size": 20, "validation_size": 5, "test_size": 5, "generalization_size": 5}
    arguments = DataArguments(language, language_options=options)
    loaded = load_language(arguments, masked=masked, with_arcs=True, quiet=True)
    assert set(loaded.train.batch([0])) >= {WORD_OF, HEADS, RELATIONS}
    assert SHAM_HEADS not in loaded.train.batch([0])
    batch = loaded.train.batch(range(20))
    arcs = 0
    for row in range(20):
        word_of = batch[WORD_OF][row].tolist()
        assert word_of[0] == -1
        for word, head in enumerate(batch[HEADS][row].tolist()):
            assert head == -1 or (word in word_of and head in word_of)
            arcs += head != -1
    assert arcs > 20 * 3
    plain = load_language(arguments, masked=masked, quiet=True).train.batch(range(20))
    assert all(torch.equal(batch[name], plain[name]) for name in plain)
    assert WORD_OF not in plain
