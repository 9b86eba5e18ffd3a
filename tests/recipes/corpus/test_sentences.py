"""Sentences as flat arrays: what is refused, and that the quick check is the slow one."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hf_grok.annotation.heads import NONE, check_heads, relation_id
from hf_grok.errors import UserError
from hf_grok.recipes.corpus.sentences import read_sentences, trees_alone
from hf_grok.sources.source import Source
from tests.recipes.corpus.books import sentences, write_conllu, write_lines, write_parquet


def test_heads_in_one_go_are_refused_where_each_by_itself_is() -> None:
    draw = random.Random(0)
    refused = 0
    for _ in range(3000):
        lengths = [draw.randint(1, 5) for _ in range(draw.randint(1, 3))]
        heads = [
            [draw.randint(-1, length + (draw.random() < 0.05)) for _ in range(length)]
            for length in lengths
        ]
        starts = np.append(0, np.cumsum(lengths))
        try:
            for one in heads:
                check_heads(one, "here")
            expected = True
        except UserError:
            expected = False
            refused += 1
        flat = np.array([head for one in heads for head in one])
        assert trees_alone(starts, flat) == expected
    assert 500 < refused < 2900


@pytest.mark.parametrize("form", ["parquet", "jsonl", "conllu"])
def test_every_form_gives_the_same_sentences(form: str, tmp_path: Path) -> None:
    rows = sentences(12)
    if form == "parquet":
        path = write_parquet(tmp_path / "books", rows)
    elif form == "jsonl":
        path = write_lines(tmp_path / "books.jsonl", rows)
    else:
        path = write_conllu(tmp_path / "books.conllu", rows)
    read = list(read_sentences([Source(str(path))], heads=True))
    at = 0
    for chunk in read:
        assert chunk.heads is not None
        assert chunk.relations is not None
        for sentence in range(len(chunk)):
            own = slice(chunk.starts[sentence], chunk.starts[sentence + 1])
            assert chunk.words(sentence) == rows[at]["words"]
            assert chunk.heads[own].tolist() == rows[at]["heads"]
            assert chunk.relations[own].tolist() == [
                relation_id(name) if head else NONE
                for name, head in zip(rows[at]["deprels"], rows[at]["heads"], strict=True)
            ]
            assert chunk.documents[sentence] == rows[at]["document"]
            at += 1
    assert at == len(rows)


def test_heads_as_text_and_none_are_read_as_everywhere(tmp_path: Path) -> None:
    rows = [
        {"words": ["a", "b"], "heads": ["2", "0"], "deprels": ["det", "root"]},
        {"words": ["c", "d"], "heads": None, "deprels": None},
    ]
    path = write_lines(tmp_path / "rows.jsonl", rows)
    (chunk,) = read_sentences([Source(str(path))], heads=True)
    assert chunk.heads is not None
    assert chunk.relations is not None
    assert chunk.heads.tolist() == [2, 0, -1, -1]
    assert chunk.relations.tolist() == [relation_id("det"), -1, -1, -1]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": "a b"}, r"rows.jsonl has no column words \(it has none\)"),
        ({"words": "a b"}, "column words is no list of words"),
        ({"words": []}, "column words is no list of words|row 1 has no words"),
        (
            {"words": ["a", "b"], "heads": [2, 1], "deprels": ["x", "y"]},
            r"row 1: heads go in a cycle",
        ),
        (
            {"words": ["a", "b"], "heads": [2, 3], "deprels": ["x", "y"]},
            r"row 1: word 2 \('b'\) has head 3",
        ),
        ({"words": ["a", "b"], "heads": [2], "deprels": ["x"]}, r"row 1: 2 words and 1 heads"),
        ({"words": ["a", "b"], "heads": [2, 0], "deprels": ["x"]}, r"row 1: 2 words and 1 deprels"),
    ],
)
def test_what_is_no_sentence(row: dict[str, Any], message: str, tmp_path: Path) -> None:
    good = {"words": ["a"], "heads": [0], "deprels": ["root"]}
    if "text" in row:
        rows = [row]
    elif row.get("words") == "a b":
        rows = [row, row]
    else:
        rows = [{name: good[name] for name in row}, row]
    path = write_lines(tmp_path / "rows.jsonl", rows)
    with pytest.raises(UserError, match=message):
        list(read_sentences([Source(str(path))], heads=True))


def test_an_empty_shard_is_named(tmp_path: Path) -> None:
    write_parquet(tmp_path / "books", sentences(1))  # the first of two shards has no row
    with pytest.raises(UserError, match=r"train-00000-of-00002.parquet holds no row: leave it out"):
        list(read_sentences([Source(str(tmp_path / "books"))], heads=True))
