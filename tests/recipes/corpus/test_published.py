"""A corpus of input_ids, heads and relns: the rows of a run against the encoder's, arc by arc."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import PreTrainedTokenizerBase

from hf_grok.errors import UserError
from hf_grok.evaluation.data import load_data
from hf_grok.models.subword_tokenizer import train_tokenizer
from hf_grok.recipes.arguments import DataArguments, ProbeArguments
from hf_grok.recipes.corpus.load import load_corpus, told_of_corpus
from hf_grok.recipes.corpus.prepare import prepare
from hf_grok.recipes.corpus.prepared import TRAIN, Prepared
from hf_grok.sas import encode_rows
from tests.recipes.corpus.books import sentences, write_lines

ROWS = sentences(60, seed=2, longest=7)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> PreTrainedTokenizerBase:
    made = train_tokenizer(
        (row["words"] for row in ROWS), "wordpiece", size=270, lowercase=False, masked=True
    )
    folder = tmp_path_factory.mktemp("tokenizer")
    made.save_pretrained(folder)
    made.name_or_path = str(folder)
    return made


def published(tokenizer: PreTrainedTokenizerBase, row: dict[str, Any], at: int) -> dict[str, Any]:
    """Every token has the first token of its word's head, a root itself; a document each."""
    encoded = tokenizer(row["words"], is_split_into_words=True)
    places = encoded.word_ids()
    first = [places.index(word) for word in range(len(row["words"]))]
    heads, relns = [], []
    for token, word in enumerate(places):
        head = 0 if word is None else row["heads"][word]
        heads.append(-1 if word is None else token if head == 0 else first[head - 1])
        relns.append("" if word is None else row["deprels"][word])
    ids = encoded["input_ids"]
    return {"input_ids": ids, "heads": heads, "relns": relns, "document": str(at)}


@pytest.fixture(scope="module")
def data(tokenizer: PreTrainedTokenizerBase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [published(tokenizer, row, at) for at, row in enumerate(ROWS)]
    return write_lines(tmp_path_factory.mktemp("published") / "rows.jsonl", rows)


def arguments(data: Path, tokenizer: str, **changed: Any) -> DataArguments:
    named = {"row_tokens": 32, "validation_share": 0.3, "evaluation_examples": 5, **changed}
    return DataArguments(data=[f"{data},first_head=0,scheme=ud"], tokenizer=tokenizer, **named)


def arcs_of_run(corpus: Prepared) -> list[tuple[list[int], set[tuple[int, int, int]]]]:
    """Ids of each row, and its arcs as (token, head's token, relation)."""
    stored, found = corpus.part(TRAIN), []
    columns = {name: stored.column(name) for name in ("ids", "word_of", "heads", "relations")}
    by_token = np.append(0, np.cumsum(stored.tokens))
    by_word = np.append(0, np.cumsum(stored.words))
    for row in range(len(stored)):
        ids, word_of = (columns[n][by_token[row] : by_token[row + 1]] for n in ("ids", "word_of"))
        heads, names = (columns[n][by_word[row] : by_word[row + 1]] for n in ("heads", "relations"))
        place = {int(word): token for token, word in enumerate(word_of) if word >= 0}
        found.append(
            (
                ids.tolist(),
                {
                    (place[word], place[int(head)], int(name))
                    for word, (head, name) in enumerate(zip(heads, names, strict=True))
                    if head >= 0
                },
            )
        )
    return found


def test_rows_and_arcs_are_those_of_the_encoder(
    data: Path, tokenizer: PreTrainedTokenizerBase
) -> None:
    corpus = prepare(arguments(data, tokenizer.name_or_path), masked=True)
    held_out = set(corpus.facts["held_out"])
    kept = [published(tokenizer, row, at) for at, row in enumerate(ROWS) if str(at) not in held_out]
    expected = []
    for row in encode_rows(kept, tokenizer, progress=False, first_head=0):
        arcs = {
            (token, int(head), int(name))
            for token, (head, name) in enumerate(
                zip(row["arc_heads"], row["arc_relations"], strict=True)
            )
            if head >= 0
        }
        expected.append((row["input_ids"].tolist(), arcs))
    assert 0 < len(held_out) < len(ROWS)
    assert any("##" in token for token in corpus.vocabulary)
    assert arcs_of_run(corpus) == expected
    assert sum(len(arcs) for _, arcs in expected) == corpus.counts(TRAIN).arcs


def test_what_a_run_reads(data: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    asked = arguments(data, tokenizer.name_or_path)
    found = load_corpus(asked, ProbeArguments(probes="sparsity"), masked=True, with_arcs=True)
    assert found.train.words is None  # tokens are no words: no schedule goes by them
    assert "tokens that stand for words to train on" in told_of_corpus(found)[0]
    assert found.annotation["training"] == "ud"
    corpus = prepare(asked, masked=True)
    words = [
        "".join(row["words"]) for at, row in enumerate(ROWS) if str(at) in corpus.facts["held_out"]
    ]
    assert ["".join(row["words"]) for row in corpus.held_out()] == words


def test_a_tokenizer_that_is_not_stated_or_not_theirs(
    data: Path, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"has input_ids, and nothing says whose: name the token"):
        prepare(arguments(data, "wordpiece"), masked=True)
    with pytest.raises(UserError, match="which tokenizer they are of: probes read words"):
        load_data(str(data))
    other = train_tokenizer([["z", "q"]], "wordpiece", size=261, lowercase=False, masked=True)
    other.save_pretrained(tmp_path / "other")
    with pytest.raises(UserError, match=r"rows.jsonl, row \d+: input_ids from .* name the one"):
        prepare(arguments(data, str(tmp_path / "other")), masked=True)
    words = write_lines(tmp_path / "words.jsonl", ROWS)
    both = arguments(data, tokenizer.name_or_path, validation_data=[str(words) + ",scheme=ud"])
    with pytest.raises(UserError, match=r"has input_ids and .*words.jsonl has words: expected all"):
        prepare(both, masked=True)
