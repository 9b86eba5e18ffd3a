from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from hf_grok.errors import UserError
from hf_grok.models import word_level_tokenizer
from hf_grok.probes import AttentionUAS, TokenClassLoss
from hf_grok.probes.heads import read_heads
from hf_grok.probes.sentences import dependency_sentences
from hf_grok.sas.annotation import HEADS
from hf_grok.sas.encoding import encode_rows
from tests.probes.matrix import model_of

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
    assert read_heads(given, WORDS, "row 0") == GOLD
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
    assert read_heads(given, WORDS, "row 0") is None
    row = {"words": WORDS, "heads": given, "deprels": None, "upos": TAGS["upos"]}
    rows = [*ROWS, row]
    assert encode_rows(rows, TOKENIZER, progress=False).counts.unparsed == 1
    model = model_of("gpt2", len(TOKENIZER))
    for kind in (AttentionUAS, TokenClassLoss):
        assert kind(rows, TOKENIZER).measure(model)
    assert len(AttentionUAS(rows, TOKENIZER)) == len(ROWS)
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
