"""Rows of any source as sentences, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from datasets import Dataset

from hf_grok.annotation.sentences import (
    Sentence,
    constituency_sentences,
    dependency_sentences,
    words_of,
)
from hf_grok.errors import UserError

ROW: dict[str, Any] = {
    "words": ["the", "newts", "smile"],
    "heads": [2, 3, 0],
    "deprels": ["det", "nsubj", "root"],
    "spans": [[0, 2], [0, 3]],
}
SENTENCE = Sentence(
    ("the", "newts", "smile"), (2, 3, 0), ("det", "nsubj", "root"), ((0, 2), (0, 3))
)


@pytest.mark.parametrize("make", [list, Dataset.from_list])
def test_rows_become_sentences(make: Any) -> None:
    rows = make([ROW, ROW])
    assert dependency_sentences(rows) == [SENTENCE, SENTENCE]
    assert constituency_sentences(rows) == [Sentence(SENTENCE.words, spans=SENTENCE.spans)] * 2
    assert words_of(dependency_sentences(rows)) == [SENTENCE.words] * 2


@pytest.mark.parametrize("make", [list, Dataset.from_list])
def test_spans_are_optional(make: Any) -> None:
    rows = make([{name: ROW[name] for name in ("words", "heads", "deprels")}])
    assert dependency_sentences(rows)[0].spans is None
    assert constituency_sentences(rows) == [Sentence(SENTENCE.words)]


def test_a_formatted_dataset_gives_plain_numbers() -> None:
    rows = Dataset.from_list([ROW]).with_format("torch")
    assert dependency_sentences(rows) == [SENTENCE]
    assert {type(head) for head in dependency_sentences(rows)[0].heads} == {int}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heads": [2, 3]}, "row 1: 3 words and 2 heads: expected one for each"),
        ({"deprels": ["det"]}, "row 1: 3 words and 1 deprels: expected one for each"),
        ({"words": [], "heads": [], "deprels": []}, "row 1 has no words"),
        ({"heads": [4, 3, 0]}, r"row 1: word 1 \('the'\) has head 4: .*1 to 3"),
        ({"heads": [-1, 3, 0]}, r"row 1: word 1 \('the'\) has no head \(-1\) and others have one"),
        ({"heads": [2, 2, 0]}, r"row 1: word 2 \('newts'\) has head 2"),
        ({"heads": [2, 1, 1]}, "row 1: heads go in a cycle, 1 -> 2 -> 1"),
    ],
)
def test_what_is_no_dependency_tree(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        dependency_sentences([ROW, {**ROW, **changes}])


@pytest.mark.parametrize("span", [[0, 4], [2, 2], [-1, 2], [2, 1]])
def test_a_span_that_is_not_in_the_sentence(span: list[int]) -> None:
    with pytest.raises(UserError, match=r"row 1: span \[.*\) of 3 words"):
        constituency_sentences([ROW, {**ROW, "spans": [span]}])


@pytest.mark.parametrize("read", [dependency_sentences, constituency_sentences])
def test_no_row_and_no_column(read: Any) -> None:
    with pytest.raises(UserError, match="there are no sentences"):
        read([])
    with pytest.raises(UserError, match="row 1 has no column 'words'"):
        read([ROW, {"text": "the newts smile"}])
