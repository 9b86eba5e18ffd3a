from __future__ import annotations

import random

import pytest
import torch
from datasets import ClassLabel, Dataset, Features, Value

from hf_grok.annotation.rows import column, label_column
from hf_grok.datasets_scripts.grammar.english import SUBJECT_MODIFIERS
from hf_grok.errors import UserError
from hf_grok.measurement.length_batches import length_batches
from hf_grok.probes.inputs.encoding import check_one_token_per_word, encode_lines
from tests.probes.tasks.material import tokenizer_of

TEXTS = ["a b c", "c", "b a"]
TOKENIZER = tokenizer_of(TEXTS)


def test_lines_are_padded_on_the_right() -> None:
    lines = encode_lines(TEXTS, TOKENIZER)
    assert lines.ids.tolist() == [[1, 4, 5, 6], [1, 6, 1, 1], [1, 5, 4, 1]]
    assert lines.lengths.tolist() == [4, 2, 3]
    assert (lines.offset, len(lines)) == (1, 3)


def test_an_end_token_is_kept() -> None:
    lines = encode_lines(TEXTS, tokenizer_of(TEXTS, append_end=True))
    assert lines.ids[1].tolist() == [1, 6, 2, 1, 1]
    assert lines.lengths.tolist() == [5, 3, 4]


def test_an_unknown_word_is_named_with_its_row() -> None:
    with pytest.raises(UserError, match=r"row 7: .* the word 'wug' in 'a wug'"):
        encode_lines(["a b", "a wug"], TOKENIZER, [3, 7])


def test_an_empty_line_is_refused() -> None:
    with pytest.raises(UserError, match="row 1 is empty"):
        encode_lines(["a", ""], TOKENIZER)


def test_tokens_of_words_are_refused() -> None:
    lines = encode_lines(["a b"], TOKENIZER)
    check_one_token_per_word(lines, [["a", "b"]], TOKENIZER, [5])
    with pytest.raises(UserError, match=r"row 5 has 1 words but 2 tokens"):
        check_one_token_per_word(lines, [["ab"]], TOKENIZER, [5])
    # One token a word, but of other names: a vocabulary in which no word is found would score 0.
    with pytest.raises(UserError, match=r"row 5: the token of 'c' is 'b'"):
        check_one_token_per_word(lines, [["a", "c"]], TOKENIZER, [5])


@pytest.mark.parametrize("budget", [1, 7, 40, 10_000])
def test_batches_hold_every_index_once_within_the_budget(budget: int) -> None:
    draw = random.Random(budget)
    lengths = torch.tensor([draw.randint(2, 30) for _ in range(100)])
    indices = draw.sample(range(100), 70)
    batches = list(length_batches(lengths, indices, budget))
    assert sorted(index for batch in batches for index in batch) == sorted(indices)
    assert all(len(batch) == 1 or len(batch) * lengths[batch].max() <= budget for batch in batches)
    assert list(length_batches(lengths, indices, budget)) == batches


def test_no_index_makes_no_batch() -> None:
    assert list(length_batches(torch.tensor([3, 4]), [], 10)) == []


def test_columns_of_dicts_and_of_a_dataset_are_equal() -> None:
    own_order = ["pp", "none"]
    features = Features({"kind": ClassLabel(names=own_order), "n": Value("int64")})
    dataset = Dataset.from_list([{"kind": 1, "n": 3}, {"kind": 0, "n": 4}], features=features)
    dicts = [{"kind": "none", "n": 3}, {"kind": 1, "n": 4}]
    for rows in (dataset, dataset.with_format("torch"), dicts):
        assert column(rows, "n") == [3, 4]
        assert label_column(rows, "kind", SUBJECT_MODIFIERS) == ["none", "pp"]


@pytest.mark.parametrize("value", [-1, 5, "rc", None])
def test_a_value_that_is_no_label(value: object) -> None:
    rows = [{"kind": "pp"}, {"kind": value}]
    with pytest.raises(UserError, match="row 1, column 'kind'"):
        label_column(rows, "kind", SUBJECT_MODIFIERS)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(UserError, match=r"row 1 has no column 'n': the columns are m"):
        column([{"n": 1}, {"m": 2}], "n")
    with pytest.raises(UserError, match=r"the data has no column 'n': the columns are m"):
        column(Dataset.from_list([{"m": 2}]), "n")
