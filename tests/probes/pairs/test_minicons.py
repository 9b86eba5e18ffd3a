"""Scores of minimal pairs agree with minicons, which others report with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from torch import Tensor

from hf_grok.datasets_scripts import read_minimal_pairs
from hf_grok.probes.pairs.probe import MinimalPairAccuracy
from tests.probes.matrix import BIDIRECTIONAL, model_of
from tests.probes.pairs.material import (
    ROWS,
    causal_tokenizer,
    close,
    masked_tokenizer,
)
from tests.real_data import BLIMP


@pytest.fixture
def minicons_scorer() -> Iterator[Any]:
    """The module; importing it silences the library's log, which is undone."""
    from transformers.utils import logging as library_logging

    verbosity = library_logging.get_verbosity()
    yield pytest.importorskip("minicons.scorer", reason="minicons is not installed")
    library_logging.set_verbosity(verbosity)


def blimp_rows() -> list[dict[str, Any]]:
    """A few lines of every file that is there."""
    rows = read_minimal_pairs(BLIMP) if BLIMP.is_dir() else []
    return [row for row in rows if int(row["pairID"]) < 12]


MATERIAL = [
    pytest.param(ROWS, id="made up"),
    pytest.param(
        blimp_rows(),
        id="BLiMP",
        marks=pytest.mark.skipif(not BLIMP.is_dir(), reason="shared/data has no BLiMP"),
    ),
]


def summed(values: Tensor) -> float:
    return float(values.double().sum())


@pytest.mark.parametrize("rows", MATERIAL)
@pytest.mark.parametrize("add_start", [False, True])
@pytest.mark.parametrize("name", ["gpt2", "llama"])
def test_causal_scores_agree_with_minicons(
    name: str, add_start: bool, rows: list[dict[str, Any]], minicons_scorer: Any
) -> None:
    rows = [r for r in rows if " " in r["sentence_good"]]  # minicons scores a single token 0
    good, bad = ([r[key] for r in rows] for key in ("sentence_good", "sentence_bad"))
    tokenizer = causal_tokenizer([*good, *bad], 600)
    model = model_of(name, len(tokenizer))
    theirs = minicons_scorer.IncrementalLMScorer(model, "cpu", tokenizer=tokenizer)
    state = MinimalPairAccuracy(rows, tokenizer, add_start=add_start).state(model)
    for sentences, ours in ((good, state["good"]), (bad, state["bad"])):
        scores = theirs.sequence_score(sentences, reduction=summed, bos_token=add_start)
        assert close(ours.tolist(), scores)


@pytest.mark.parametrize("rows", MATERIAL)
@pytest.mark.parametrize("name", BIDIRECTIONAL)
def test_masked_scores_agree_with_minicons(
    name: str, rows: list[dict[str, Any]], minicons_scorer: Any
) -> None:
    good, bad = ([r[key] for r in rows] for key in ("sentence_good", "sentence_bad"))
    tokenizer = masked_tokenizer([*good, *bad], 400)
    model = model_of(name, len(tokenizer))
    theirs = minicons_scorer.MaskedLMScorer(model, "cpu", tokenizer=tokenizer)
    state = MinimalPairAccuracy(rows, tokenizer).state(model)
    for sentences, ours in ((good, state["good"]), (bad, state["bad"])):
        # minicons 0.3.39 encodes text with a method that transformers 5 no longer has.
        encoded = tokenizer(sentences, padding=True)
        assert close(ours.tolist(), theirs.sequence_score(encoded, reduction=summed))
