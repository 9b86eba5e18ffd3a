"""Questions that are given, against the behaviour of the model that asked them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from datasets import ClassLabel, Dataset, Features, List, Value

from hf_grok.datasets_scripts.grammar.english import SUBJECT_MODIFIERS
from hf_grok.errors import UserError
from hf_grok.probes.tasks import QuestionBehaviour
from hf_grok.probes.tasks.question_formation import AUXILIARIES
from tests.evaluate_metrics.material import QUESTION, load
from tests.probes.tasks.material import greedy_words, tiny_gpt2, train
from tests.probes.tasks.test_question import ROWS, TOKENIZER

MODEL_STEPS = (0, 40, 60, 80, 120)


def best_auxiliary(model: torch.nn.Module, source: str) -> str:
    with torch.no_grad():
        logits = model(torch.tensor([TOKENIZER(source)["input_ids"]])).logits[0, -1]
    return max(AUXILIARIES, key=lambda word: logits[TOKENIZER.get_vocab()[word]].item())


def test_equals_the_behaviour_of_the_model_that_answered() -> None:
    behaviour, seen = QuestionBehaviour(ROWS, TOKENIZER), set()
    for steps in MODEL_STEPS:
        model = tiny_gpt2(len(TOKENIZER))
        train(model, TOKENIZER, [str(row["text"]) for row in ROWS], steps)
        expected = behaviour.tally(model).ratios()
        firsts = [best_auxiliary(model, str(row["source"])) for row in ROWS]
        numbers = load("question_formation").compute(
            predictions=firsts, references=ROWS, first_words=True
        )
        assert numbers.pop("lines") == len(behaviour)
        assert numbers == {name: n for name, n in expected.items() if name != "exact_match"}
        # The model goes on after the question: what it says there is not looked at.
        questions = [
            " ".join(greedy_words(model, TOKENIZER, str(row["source"]), len(row["words"]) + 2))
            for row in ROWS
        ]
        whole = load("question_formation").compute(predictions=questions, references=ROWS)
        assert whole["exact_match"] == expected["exact_match"]
        seen.add((expected["accuracy"], expected["exact_match"]))
    assert len(seen) > 2


def scored(question: str, **changes: Any) -> dict[str, float]:
    return load("question_formation").compute(
        predictions=[question], references=[{**QUESTION, **changes}]
    )


@pytest.mark.parametrize(
    ("question", "right", "shares", "exact"),
    [
        (QUESTION["target"], 1, (1, 0, 0), 1),
        (f"{QUESTION['target']} my newt", 1, (1, 0, 0), 1),
        ("does my newt", 1, (1, 0, 0), 0),
        ("doesn't my newt who swim does sleep ?", 0, (0, 1, 0), 0),
        ("do my newt who doesn't swim sleep ?", 0, (0, 0, 1), 0),
        ("my newt who doesn't swim does sleep ?", 0, (0, 0, 1), 0),
        ("Does my newt", 0, (0, 0, 1), 0),
        ("", 0, (0, 0, 1), 0),
    ],
)
def test_what_counts(question: str, right: int, shares: tuple[int, int, int], exact: int) -> None:
    numbers = scored(question)
    assert numbers["accuracy"] == numbers["accuracy_rc_subject_intransitive"] == right
    assert tuple(numbers[f"{kind}_share"] for kind in ("main", "linear", "neither")) == shares
    assert numbers["exact_match"] == exact


@pytest.mark.parametrize("question", ["newt", "", "Do"])
def test_what_is_no_auxiliary_is_none_of_the_four(question: str) -> None:
    row = next(row for row in ROWS if str(row["target"]).startswith("don't"))
    numbers = load("question_formation").compute(predictions=[question], references=[row])
    assert numbers["neither_share"] == 1  # and not the first one, do


def test_a_data_set_with_class_labels() -> None:
    columns = {"source": Value("string"), "target": Value("string"), "main_index": Value("int32")}
    features = Features(
        {
            **columns,
            "words": List(Value("string")),
            "subject_modifier": ClassLabel(names=list(SUBJECT_MODIFIERS)),
        }
    )
    data = Dataset.from_list([QUESTION], features=features)
    numbers = load("question_formation").compute(predictions=["does"], references=data)
    assert numbers["accuracy_rc_subject_intransitive"] == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": None}, r"references\[0\]\['target'\] is None: expected a string"),
        ({"main_index": 5.0}, r"references\[0\]\['main_index'\] is 5.0: expected a whole number"),
        ({"words": "my newt"}, r"references\[0\]\['words'\] is 'my newt': expected a list"),
        ({"subject_modifier": "rc"}, "row 0, column 'subject_modifier': 'rc' is no label"),
        ({"main_index": 0}, "row 0: main_index 0 is not an auxiliary"),
        ({"target": "my newt ?"}, r"row 0: the target starts with \['my'\]"),
        ({"source": "my newt does sleep . decl"}, "none of the 1 rows is a 'quest' line"),
    ],
)
def test_bad_rows(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        scored("does", **changes)


def test_bad_predictions() -> None:
    with pytest.raises(UserError, match=r"predictions\[0\] is \['does'\]: expected a string"):
        load("question_formation").compute(predictions=[["does"]], references=[QUESTION])
    with pytest.raises(UserError, match=r"predictions\[1\] has 2 words, and first_words=True"):
        load("question_formation").compute(
            predictions=["does", "does my"], references=[QUESTION] * 2, first_words=True
        )
    row = {name: value for name, value in QUESTION.items() if name != "words"}
    with pytest.raises(UserError, match="row 0 has no column 'words'"):
        load("question_formation").compute(predictions=["does"], references=[row])
