"""Closing brackets that are given, against the behaviour of the model that ranked them."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from datasets import Dataset

from hf_grok.errors import UserError
from hf_grok.probes.tasks import DyckBehaviour
from tests.evaluate_metrics.material import load
from tests.probes.tasks.material import tiny_gpt2, tokenizer_of
from tests.probes.tasks.test_dyck import random_string


def test_equals_the_behaviour_of_the_model_that_answered() -> None:
    draw = random.Random(1)
    strings = [random_string(draw, draw.randint(1, 20)) for _ in range(25)]
    tokenizer = tokenizer_of(strings, append_end=True)
    vocabulary = tokenizer.get_vocab()
    closing = [word for word in vocabulary if word.startswith(")")]
    model = tiny_gpt2(len(tokenizer))
    expected = DyckBehaviour([{"text": string} for string in strings], tokenizer).tally(model)
    predictions = []
    for string in strings:
        words = string.split()
        with torch.no_grad():
            logits = model(torch.tensor([[1, *(vocabulary[word] for word in words)]])).logits[0]
        predictions.append(
            [
                max(closing, key=lambda bracket, p=place: logits[p, vocabulary[bracket]].item())
                for place, word in enumerate(words)
                if word.startswith(")")
            ]
        )
    numbers = load("dyck_closing_bracket").compute(predictions=predictions, references=strings)
    assert numbers.pop("brackets") == expected["accuracy_all"][1]
    assert numbers == expected.ratios()
    assert 0 < numbers["accuracy"] < 1


def test_rows_are_strings_too() -> None:
    strings = ["(0 (1 )1 )0", "(0 )0"]
    predictions = [[")1", ")1"], [")0"]]
    expected = load("dyck_closing_bracket").compute(predictions=predictions, references=strings)
    assert expected == {
        "accuracy_all": 2 / 3,
        "accuracy_distance_1": 1,
        "accuracy_distance_2_3": 0,
        "brackets": 3,
    }
    rows = [{"text": string, "depth": 2} for string in strings]
    for references in (rows, Dataset.from_list(rows)):
        found = load("dyck_closing_bracket").compute(predictions=predictions, references=references)
        assert found == expected


@pytest.mark.parametrize(
    ("prediction", "gold", "message"),
    [
        ([")0"], "(0 (0 )0 )0", r"predictions\[0\] has 1 brackets and references\[0\] 2 closing"),
        (["(0"], "(0 )0", r"predictions\[0\]\[0\] is '\(0': expected a closing bracket"),
        ([0], "(0 )0", r"predictions\[0\]\[0\] is 0: expected a string"),
        (")0", "(0 )0", r"predictions\[0\] is '\)0': expected a list"),
        ([")0"], "(0 )1", r"references\[0\] is not well nested: word 1 is '\)1'"),
        ([], "", r"references\[0\] is empty"),
        ([], ["(0", ")0"], r"references\[0\] is \['\(0', '\)0'\]: expected a string"),
        ([], {"string": "(0 )0"}, "row 0 has no column 'text'"),
    ],
)
def test_bad_brackets(prediction: Any, gold: Any, message: str) -> None:
    metric = load("dyck_closing_bracket")
    with pytest.raises(UserError, match=message):
        metric.add(prediction=prediction, reference=gold)
    assert len(metric) == 0
