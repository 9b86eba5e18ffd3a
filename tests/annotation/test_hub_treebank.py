"""Treebanks of the Hub: tokens, head and deprel, ranges and empty nodes among the words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset

from hf_grok.annotation.heads import read_heads
from hf_grok.annotation.sentences import dependency_sentences
from hf_grok.datasets_scripts import Treebank, treebank_rows
from hf_grok.errors import UserError
from hf_grok.evaluation.data import load_data
from hf_grok.models import word_level_tokenizer
from hf_grok.recipes.corpus.sentences import read_sentences
from hf_grok.sas.batches.encoding import encode_rows
from hf_grok.sources.source import Source
from tests.datasets_scripts.readers.test_conllu import FIRST, SECOND, needs_ewt, write
from tests.real_data import EWT

LINES = [
    {
        "idx": "one-1",
        "text": "I don't!",
        "tokens": ["I", "don't", "do", "n't", "go", "!"],
        "upos": [11, 14, 16, 14, 16, 1],
        "head": ["2", "None", "0", "2", "_", "2"],
        "deprel": ["nsubj", "_", "root", "advmod", "None", "punct"],
    },
    {"idx": "2", "text": "Yes", "tokens": ["Yes"], "upos": [1], "head": ["0"], "deprel": ["root"]},
]
WORDS = [
    {
        "words": ["I", "do", "n't", "!"],
        "heads": [2, 0, 2, 2],
        "deprels": ["nsubj", "root", "advmod", "punct"],
    },
    {"words": ["Yes"], "heads": [0], "deprels": ["root"]},
]


def dependencies(rows: Any) -> list[dict[str, Any]]:
    return [{name: row[name] for name in ("words", "heads", "deprels")} for row in rows]


def test_ranges_and_empty_nodes_are_no_words(tmp_path: Path) -> None:
    """The rows are those that the reader of CoNLL-U makes of the same sentences."""
    made = treebank_rows(Dataset.from_list(LINES))
    assert dependencies(made) == WORDS == dependencies(treebank_rows(LINES))
    assert set(made.column_names) == {"idx", "text", "words", "heads", "deprels"}
    assert dependencies(Treebank(write(tmp_path, FIRST, SECOND))) == WORDS


def as_on_the_hub(file: Path) -> list[dict[str, Any]]:
    """Every line of a sentence as a token, in the slow and obvious way."""
    rows = []
    for block in file.read_text(encoding="utf-8").split("\n\n"):
        lines = [line.split("\t") for line in block.splitlines() if not line.startswith("#")]
        heads = ["None" if columns[6] == "_" else columns[6] for columns in lines]
        if lines:
            tokens, deprels = ([columns[at] for columns in lines] for at in (1, 7))
            rows.append({"tokens": tokens, "head": heads, "deprel": deprels})
    return rows


@needs_ewt
def test_a_whole_treebank() -> None:
    rows = as_on_the_hub(EWT)
    assert sum(row["head"].count("None") for row in rows) == 363  # 359 ranges, 4 empty nodes
    assert dependencies(treebank_rows(rows)) == dependencies(Treebank(EWT))


@pytest.mark.parametrize("form", ["train.parquet", "train.jsonl", "folder"])
def test_probes_and_runs_read_them_by_name(form: str, tmp_path: Path) -> None:
    rows = Dataset.from_list(LINES)
    place = tmp_path / form
    if form == "folder":
        place.mkdir()
        rows.to_parquet(place / "train.parquet")
    else:
        (rows.to_parquet if place.suffix == ".parquet" else rows.to_json)(place)
    assert dependencies(load_data(str(place), split="train").rows) == WORDS
    (chunk,) = read_sentences([Source(str(place))], heads=True)
    assert [chunk.words(at) for at in range(2)] == [row["words"] for row in WORDS]
    assert chunk.heads is not None
    assert chunk.heads.tolist() == [2, 0, 2, 2, 0]
    (chunk,) = read_sentences([Source(str(place))], heads=False)
    assert [chunk.words(at) for at in range(2)] == [row["words"] for row in WORDS]


def test_a_sentence_without_any_head_is_unparsed() -> None:
    row = {"tokens": ["a", "b"], "head": ["_", None], "deprel": ["_", "_"]}
    expected = {"words": ["a", "b"], "heads": None, "deprels": None}
    assert treebank_rows([row]) == [expected]
    assert treebank_rows([{**row, "head": None, "deprel": None}]) == [expected]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"head": ["1"]}, "row 1: 2 tokens, 1 heads and 2 relations"),
        ({"deprel": ["det"]}, "row 1: 2 tokens, 2 heads and 1 relations"),
        ({"head": ["2", "x"]}, "row 1: the head of token 2 is 'x'"),
        ({"head": "20"}, "row 1: heads are '20'"),
        (
            {"words": ["a"]},
            "row 1 has the columns .*words: expected tokens, head, deprel, and no w",
        ),
    ],
)
def test_what_is_refused(change: dict[str, Any], message: str) -> None:
    row = {"tokens": ["a", "b"], "head": ["2", "0"], "deprel": ["det", "root"]}
    with pytest.raises(UserError, match=message):
        treebank_rows([row, {**row, **change}])


def test_what_reads_words_says_who_makes_them() -> None:
    tokenizer = word_level_tokenizer(["a"])
    for ask in (dependency_sentences, lambda rows: encode_rows(rows, tokenizer)):
        with pytest.raises(UserError, match=r"datasets_scripts\.treebank_rows"):
            ask(LINES)


def test_heads_that_can_be_read_once_are_named_in_the_refusal_all_the_same() -> None:
    with pytest.raises(UserError, match=r"word 2 \('b'\) has no head \('None'\) and others"):
        read_heads(iter(["2", "None"]), "row 0", ["a", "b"])
