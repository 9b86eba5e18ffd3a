"""Spans that are given, against the probe and against sets of spans."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from datasets import Dataset

from hf_grok.errors import UserError
from hf_grok.evaluate_metrics.parseval import scores
from hf_grok.probes.trees.probe import TreeProjection
from tests.evaluate_metrics.material import GOLD_SPANS, load, random_spans
from tests.probes.matrix import model_of
from tests.probes.trees.material import SENTENCES, one_token_tokenizer

Spans = list[list[int]]


def random_tree(draw: random.Random, start: int, end: int) -> Spans:
    if end - start == 1:
        return []
    middle = draw.randint(start + 1, end - 1)
    parts = random_tree(draw, start, middle) + random_tree(draw, middle, end)
    return [[start, end], *parts]


def test_the_probes_numbers_are_those_of_its_trees() -> None:
    draw = random.Random(0)
    sentences = [*SENTENCES, ["a"]]
    rows = [{"words": words, "spans": random_tree(draw, 0, len(words))} for words in sentences]
    probe = TreeProjection(
        rows, one_token_tokenizer(end=False), picture_sentences=range(len(SENTENCES))
    )
    state = probe.state(model_of("vanilla"))
    expected, picture = probe.compute(state), probe.picture(state)
    assert picture is not None
    trees = [sentence["projected"] for sentence in picture["sentences"]]
    numbers = load("parseval").compute(predictions=[*trees, []], references=rows)
    assert numbers["f1"] == pytest.approx(expected["tree_parseval"], abs=1e-12)
    assert numbers["f1"] == numbers["precision"] == numbers["recall"] < 1
    for name in ("right_branching", "left_branching", "random"):
        assert numbers[f"{name}_f1"] == pytest.approx(expected[f"tree_{name}"], abs=1e-12)
    assert numbers["sentences"] == expected["tree_sentences"]
    assert numbers["skipped"] == expected["tree_skipped"] == 1


def by_sets(predictions: list[Spans], references: list[Spans]) -> dict[str, float]:
    """Parseval by its definition, one sentence at a time."""
    matched = {"f1": 0, "right_branching_f1": 0, "left_branching_f1": 0}
    predicted = binary = gold = 0
    for found, right in zip(predictions, references, strict=True):
        words = max(end for _, end in right)
        trees = {
            "f1": {(i, j) for i, j in found if j - i > 1},
            "right_branching_f1": {(i, words) for i in range(words - 1)},
            "left_branching_f1": {(0, j) for j in range(2, words + 1)},
        }
        wanted = {(i, j) for i, j in right if j - i > 1}
        for name, spans in trees.items():
            matched[name] += len(spans & wanted)
        predicted, binary, gold = (
            predicted + len(trees["f1"]),
            binary + words - 1,
            gold + len(wanted),
        )
    return {
        "precision": matched["f1"] / predicted,
        "recall": matched["f1"] / gold,
        "f1": 2 * matched["f1"] / (predicted + gold),
        **{name: 2 * matched[name] / (binary + gold) for name in matched if name != "f1"},
    }


def test_any_spans_equal_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(1)
    predictions, references = [], []
    for _ in range(23):
        words = draw.randint(2, 9)
        predictions.append(random_spans(draw, words, draw.randint(0, 12)))
        references.append([[0, words], *random_spans(draw, words, draw.randint(0, 8))])
    expected = by_sets(predictions, references)
    for size in (scores.SENTENCES_AT_A_TIME, 5, 1):
        monkeypatch.setattr(scores, "SENTENCES_AT_A_TIME", size)
        numbers = load("parseval").compute(predictions=predictions, references=references)
        assert {name: numbers[name] for name in expected} == pytest.approx(expected, abs=1e-12)


def test_nothing_predicted() -> None:
    numbers = load("parseval").compute(predictions=[[[0, 1]]], references=[GOLD_SPANS])
    assert (numbers["f1"], numbers["recall"]) == (0, 0)
    assert "precision" not in numbers


def test_arrays_and_data_sets_are_taken() -> None:
    expected = load("parseval").compute(predictions=[GOLD_SPANS], references=[GOLD_SPANS])
    assert expected["f1"] == 1
    rows = Dataset.from_list([{"spans": GOLD_SPANS}])
    for predictions, references in (
        ([np.array(GOLD_SPANS)], rows),
        ([[tuple(span) for span in GOLD_SPANS]], np.array([GOLD_SPANS])),
    ):
        assert load("parseval").compute(predictions=predictions, references=references) == expected


@pytest.mark.parametrize(
    ("prediction", "gold", "message"),
    [
        ([[0, 1.5]], GOLD_SPANS, r"predictions\[0\]\[0\]\[1\] is 1.5: expected a whole number"),
        ([[0, 1, 2]], GOLD_SPANS, r"predictions\[0\]\[0\] is \[0, 1, 2\]: expected a pair"),
        ([0, 4], GOLD_SPANS, r"predictions\[0\]\[0\] is 0: expected a list"),
        ([[0, 5]], GOLD_SPANS, r"predictions, row 0: span \[0, 5\) of 4 words"),
        ([[2, 2]], GOLD_SPANS, r"predictions, row 0: span \[2, 2\) of 4 words"),
        ([[-1, 2]], GOLD_SPANS, r"predictions, row 0: span \[-1, 2\) of 4 words"),
        ([], [[0, 2], [2, 4]], r"references\[0\] reaches to 4, but has no span \[0, 4\)"),
        ([], [[0, 4], [3, 2]], r"references, row 0: span \[3, 2\) of 4 words"),
        ([], [[0, 0]], r"references, row 0: span \[0, 0\) of 0 words"),
        ([[0, 2]], [], r"predictions, row 0: span \[0, 2\) of 1 words"),
        ([], {"words": ["a"]}, "row 0 has no column 'spans'"),
    ],
)
def test_bad_spans(prediction: Any, gold: Any, message: str) -> None:
    metric = load("parseval")
    with pytest.raises(UserError, match=message):
        metric.add(prediction=prediction, reference=gold)
    assert len(metric) == 0


def test_one_word_alone_is_nothing_to_score() -> None:
    with pytest.raises(UserError, match="no sentence has two words: there is no span to find"):
        load("parseval").compute(predictions=[[]], references=[[[0, 1]]])
