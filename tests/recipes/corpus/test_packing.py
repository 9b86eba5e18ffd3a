"""Rows that a corpus is packed into, against the slow way: a row of `pack_rows` at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import PreTrainedTokenizerBase

from hf_grok.models.subword_tokenizer import BYTE_LEVEL_BPE, WORDPIECE, train_tokenizer
from hf_grok.recipes.corpus import tables as reading
from hf_grok.recipes.corpus.packing import Packer
from hf_grok.recipes.corpus.sentences import read_sentences
from hf_grok.recipes.corpus.store import Stored, add_sham, write_rows
from hf_grok.recipes.corpus.word_tokens import WordTokens
from hf_grok.sas.batches.encoding import ArcEncoder
from hf_grok.sas.batches.keys import ArcCounts
from hf_grok.sas.batches.packing import joined
from hf_grok.sources.source import Source
from tests.recipes.corpus.books import sentences, write_parquet

LENGTH = 24


def tokenizer_of(rows: Sequence[dict[str, Any]], kind: str, *, masked: bool = True) -> Any:
    return train_tokenizer((row["words"] for row in rows), kind, size=300, masked=masked)


def packed(
    folder: Path, rows: Sequence[dict[str, Any]], tokenizer: PreTrainedTokenizerBase
) -> tuple[Stored, Packer, list[str]]:
    write_parquet(folder / "books", rows)
    tokens = WordTokens(tokenizer, [row["words"] for row in rows[:20]])
    packer = Packer(tokens, LENGTH)
    source = Source(str(folder / "books"))
    stored = write_rows(folder / "rows", packer.pack(read_sentences([source], heads=True)))
    return stored, packer, tokens.words


def one_by_one(
    rows: Sequence[dict[str, Any]], tokenizer: PreTrainedTokenizerBase, **options: Any
) -> tuple[list[dict[str, np.ndarray]], ArcCounts]:
    """Greedily, by encoding the row that would result each time."""
    encoder, counts = ArcEncoder(tokenizer, max_length=LENGTH, **options), ArcCounts()
    uncut = ArcEncoder(tokenizer)
    groups: list[list[dict[str, Any]]] = []
    for row in rows:
        same = groups and groups[-1][-1]["document"] == row["document"]
        longer = [*groups[-1], row] if same else []
        if same and len(uncut.encode([joined(longer)], [0])[0][0].ids) <= LENGTH:
            groups[-1] = longer
        else:
            groups.append([row])
    made, found = encoder.encode([joined(group) for group in groups], range(len(groups)))
    counts.add(found)
    counts.sentences = len(rows)
    return [row.columns() for row in made], counts


def rows_of(stored: Stored, names: Sequence[str]) -> list[dict[str, np.ndarray]]:
    by_token = np.append(0, np.cumsum(stored.tokens))
    by_word = np.append(0, np.cumsum(stored.words))
    bounds = {name: by_token if name in ("ids", "word_of") else by_word for name in names}
    return [
        {name: stored.column(name)[bound[at] : bound[at + 1]] for name, bound in bounds.items()}
        for at in range(len(stored))
    ]


OWN = {
    "ids": "input_ids",
    "word_of": "arc_word_of",
    "heads": "arc_heads",
    "relations": "arc_relations",
}


@pytest.mark.parametrize("kind", [WORDPIECE, BYTE_LEVEL_BPE])
@pytest.mark.parametrize("rows_at_once", [7, 10_000])
def test_rows_are_those_of_the_slow_way(
    kind: str, rows_at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "ROWS", rows_at_once)
    rows = [*sentences(60), *sentences(3, seed=1, documents=1, longest=40)]
    rows[5]["heads"], rows[5]["deprels"] = (
        [-1] * len(rows[5]["words"]),
        [""] * len(rows[5]["words"]),
    )
    tokenizer = tokenizer_of(rows, kind)
    stored, packer, _ = packed(tmp_path, rows, tokenizer)
    expected, counts = one_by_one(rows, tokenizer)
    found = rows_of(stored, list(OWN))
    assert len(found) == len(expected)
    for mine, theirs in zip(found, expected, strict=True):
        for name, own in OWN.items():
            assert mine[name].tolist() == theirs[own].tolist()
    assert packer.counts.cut == counts.cut > 0
    assert packer.counts.arcs == counts.arcs
    assert packer.counts.roots == counts.roots
    assert packer.counts.sentences == 63
    assert packer.words_cut == sum(len(row["words"]) for row in rows) - stored.words.sum() > 0
    assert stored.tokens.max() <= LENGTH


def test_sham_trees_are_those_of_the_slow_way(tmp_path: Path) -> None:
    rows = sentences(30, longest=7)
    tokenizer = tokenizer_of(rows, WORDPIECE)
    stored, _, words = packed(tmp_path, rows, tokenizer)
    add_sham(stored, words, 0)
    expected, _ = one_by_one(rows, tokenizer, sham=True)
    names = ["sham_heads", "sham_relations"]
    for mine, theirs in zip(rows_of(stored, names), expected, strict=True):
        assert mine["sham_heads"].tolist() == theirs["arc_sham_heads"].tolist()
        assert mine["sham_relations"].tolist() == theirs["arc_sham_relations"].tolist()


def test_a_sentence_with_a_word_of_no_token_is_left_out(tmp_path: Path) -> None:
    rows = sentences(20)
    rows[3] = {**rows[3], "words": ["\u200b"], "heads": [0], "deprels": ["root"]}
    tokenizer = tokenizer_of(rows, WORDPIECE)
    without = rows[:3] + rows[4:]
    tokens = WordTokens(tokenizer, [row["words"] for row in without])
    write_parquet(tmp_path / "books", rows)
    packer = Packer(tokens, LENGTH)
    stored = write_rows(
        tmp_path / "rows",
        packer.pack(read_sentences([Source(str(tmp_path / "books"))], heads=True)),
    )
    expected, _ = one_by_one(without, tokenizer)
    assert packer.left_out == 1
    assert [row["ids"].tolist() for row in rows_of(stored, ["ids"])] == [
        row["input_ids"].tolist() for row in expected
    ]
