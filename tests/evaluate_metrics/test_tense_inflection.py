"""Sentences that are given, against the behaviour of the model that said them."""

from __future__ import annotations

from typing import Any

import pytest

from hf_grok.errors import UserError
from hf_grok.probes.tasks import TenseBehaviour
from tests.evaluate_metrics.material import PRESENT, load
from tests.probes.tasks.material import greedy_words, tiny_gpt2, train
from tests.probes.tasks.test_tense import ROWS, TOKENIZER


def test_equals_the_behaviour_of_the_model_that_answered() -> None:
    behaviour, seen = TenseBehaviour(ROWS, TOKENIZER), set()
    for steps in (0, 40, 50, 60, 100):
        model = tiny_gpt2(len(TOKENIZER))
        train(model, TOKENIZER, [str(row["text"]) for row in ROWS], steps)
        expected = behaviour.tally(model).ratios()
        # The model goes on after the sentence: what it says there is not looked at.
        sentences = [
            " ".join(greedy_words(model, TOKENIZER, str(row["source"]), len(row["words"]) + 2))
            for row in ROWS
        ]
        numbers = load("tense_inflection").compute(predictions=sentences, references=ROWS)
        assert numbers.pop("lines") == len(behaviour)
        assert numbers == expected
        seen.add(expected["accuracy"])
    assert len(seen) > 2


def scored(sentence: str, **changes: Any) -> dict[str, float]:
    """One line, after the others, which tell parts of speech and numbers."""
    others = [row for row in ROWS if row["task"] == "PAST"]
    rows = [*others, {**ROWS[5], **changes}]
    return load("tense_inflection").compute(
        predictions=["", sentence], references=rows, vocabulary=TOKENIZER.get_vocab()
    )


@pytest.mark.parametrize(
    ("sentence", "accuracy", "main_verb", "exact", "recent"),
    [
        ("our yak who amuses my newts swims .", 1, 1, 1, 0),
        ("our yak who amuses my newts swims . my newts", 1, 1, 1, 0),
        ("my yak who amused our newts swims .", 1, 1, 0, 0),  # other words of the same parts
        ("our yak who our my newts swims .", 0, 1, 0, 0),  # a part of speech is wrong
        ("our yak who amuses my newts swims", 0, 1, 0, 0),  # too short
        ("our yak who amuses my newts swim .", 0, 0, 0, 1),
        ("our yak who amuses my newts swam .", 0, 0, 0, 0),
        ("our yak who xyzzy my newts swims .", 0, 1, 0, 0),  # no word of the language
        ("our xyzzy who amuses my newts swims .", 0, 1, 0, 0),
        ("our yak who amuses my newts", 0, 0, 0, 0),
        ("", 0, 0, 0, 0),
    ],
)
def test_what_counts(sentence: str, accuracy: int, main_verb: int, exact: int, recent: int) -> None:
    numbers = scored(sentence)
    assert numbers["accuracy"] == numbers["accuracy_rc_subject_transitive"] == accuracy
    assert numbers["main_verb_accuracy"] == main_verb
    assert numbers["exact_match"] == exact
    assert numbers["agree_recent_share"] == recent
    assert numbers["lines"] == 1


def test_numbers_are_told_from_the_vocabulary() -> None:
    answer = "my newt near our yaks swim ."
    options: list[dict[str, Any]] = [{}, {"vocabulary": ["swim"]}, {"vocabulary": ["swim", "yak"]}]
    found = [
        load("tense_inflection").compute(predictions=[answer], references=[PRESENT], **option)
        for option in options
    ]
    assert ["agree_recent_share" in numbers for numbers in found] == [False, False, True]
    assert found[2].pop("agree_recent_share") == 1
    assert found[0] == found[2]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"upos": ["NOUN", 1]}, r"references\[1\]\['upos'\]\[1\] is 1: expected a string"),
        ({"upos": ["NOUN"]}, "row 1: 8 words, 1 upos and 8 words of target"),
        ({"main_index": 8}, "row 1: main_index 8 is no place"),
        ({"source": "my newt swam . PAST"}, "none of the 2 rows is a 'PRESENT' line"),
    ],
)
def test_bad_rows(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        scored("our yak", **changes)


def test_bad_predictions_and_vocabulary() -> None:
    with pytest.raises(UserError, match=r"predictions\[0\] is 3: expected a string"):
        load("tense_inflection").compute(predictions=[3], references=[PRESENT])
    with pytest.raises(UserError, match="vocabulary is 'swim': expected words, not one string"):
        load("tense_inflection").compute(predictions=[""], references=[PRESENT], vocabulary="swim")
