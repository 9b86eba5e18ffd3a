from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from hf_grok.errors import UserError
from hf_grok.probes.tasks import QuestionBehaviour
from tests.probes.tasks.material import RiggedModel, greedy_words, tiny_gpt2, tokenizer_of, train

AUXILIARIES = ("do", "does", "don't", "doesn't")


def row(sentence: str, main_index: int, modifier: object, task: str = "quest") -> dict[str, object]:
    words = sentence.split()
    front = [words[main_index], *words[:main_index], *words[main_index + 1 : -1], "?"]
    target = " ".join(front) if task == "quest" else sentence
    source = f"{sentence} {task}"
    return {
        "text": f"{source} {target}",
        "source": source,
        "target": target,
        "task": task,
        "words": words,
        "main_index": main_index,
        "subject_modifier": modifier,
    }


ROWS = [
    row("my newt does sleep .", 2, "none"),
    row("my newt does sleep .", 2, "none", task="decl"),
    row("our yaks do admire my newt who doesn't swim .", 2, 0),
    row("my newt who doesn't swim does sleep .", 5, "rc_subject_intransitive"),
    row("some yaks that do admire her newt don't swim .", 7, "rc_subject_transitive"),
    row("some newts who her yak does admire do giggle .", 7, "rc_object"),
    row("some newts who our yaks do admire do giggle .", 7, 4),
    row("my newt near her yaks doesn't giggle .", 5, "pp"),
]
TOKENIZER = tokenizer_of(r["text"] for r in ROWS)


def main_rule(words: list[str]) -> str:
    """The gold continuation of the one row that the words are a prefix of."""
    prefix = " ".join(words)
    for known in ROWS:
        text = str(known["text"])
        if text.startswith(prefix + " "):
            return text[len(prefix) + 1 :].split()[0]
    return "."


def first_rule(words: list[str]) -> str:
    if words[-1:] == ["quest"]:
        return next(word for word in words if word in AUXILIARIES)
    return main_rule(words)


def never_asked_rule(words: list[str]) -> str:
    """Neither auxiliary of the rows in which they differ, and none of the four best."""
    return "doesn't" if "newts" in words else "newt"


def test_the_hierarchical_model_gets_everything() -> None:
    behaviour = QuestionBehaviour(ROWS, TOKENIZER)
    tally = behaviour.tally(RiggedModel(TOKENIZER, main_rule))
    assert len(behaviour) == 7
    assert dict(tally) == {
        "accuracy": (7, 7),
        "exact_match": (7, 7),
        "accuracy_none": (2, 2),
        "accuracy_pp": (1, 1),
        "accuracy_rc_subject_intransitive": (1, 1),
        "accuracy_rc_subject_transitive": (1, 1),
        "accuracy_rc_object": (2, 2),
        "main_share": (3, 3),
        "linear_share": (0, 3),
        "neither_share": (0, 3),
    }


def test_the_linear_model_fails_where_the_rules_differ() -> None:
    tally = QuestionBehaviour(ROWS, TOKENIZER).tally(RiggedModel(TOKENIZER, first_rule))
    # The subject relatives and one of the object relatives; "do ... do" tells nothing apart.
    assert tally["accuracy"] == (4, 7)
    assert tally["accuracy_rc_object"] == (1, 2)
    assert tally["accuracy_rc_subject_intransitive"] == (0, 1)
    assert (tally["main_share"], tally["linear_share"]) == ((0, 3), (3, 3))
    assert tally["neither_share"] == (0, 3)
    assert tally["exact_match"] == (4, 7)


def test_neither_auxiliary() -> None:
    rows = [ROWS[5], ROWS[6]]
    tally = QuestionBehaviour(rows, TOKENIZER).tally(RiggedModel(TOKENIZER, never_asked_rule))
    assert tally["neither_share"] == (1, 1)
    assert tally["accuracy"] == (0, 2)


def test_the_choice_is_among_auxiliaries_but_exact_match_is_not() -> None:
    class Distracted(RiggedModel):
        def forward(self, input_ids: Tensor, **_: Any) -> SimpleNamespace:
            output = super().forward(input_ids)
            output.logits[..., self.tokenizer.get_vocab()["newt"]] = 10.0
            return output

    tally = QuestionBehaviour(ROWS, TOKENIZER).tally(Distracted(TOKENIZER, main_rule))
    assert tally["accuracy"] == (7, 7)
    assert tally["exact_match"] == (0, 7)


def one_by_one(model: nn.Module) -> dict[str, tuple[int, int]]:
    """The formulas, line by line, on strings."""
    counts: dict[str, list[int]] = {}
    for r in ROWS:
        if r["task"] == "decl":
            continue
        source, gold, words = str(r["source"]), str(r["target"]).split(), list(r["words"])
        logits = model(torch.tensor([TOKENIZER(source)["input_ids"]])).logits[0, -1]
        chosen = max(AUXILIARIES, key=lambda word: logits[TOKENIZER.get_vocab()[word]].item())
        main, first = words[r["main_index"]], next(word for word in words if word in AUXILIARIES)
        cases = {
            "accuracy": chosen == main,
            "exact_match": greedy_words(model, TOKENIZER, source, len(gold)) == gold,
        }
        if main != first:
            cases["main_share"] = chosen == main
            cases["linear_share"] = chosen == first
            cases["neither_share"] = chosen not in (main, first)
        for name, value in cases.items():
            count = counts.setdefault(name, [0, 0])
            count[0] += value
            count[1] += 1
    return {name: (right, cases) for name, (right, cases) in counts.items()}


def test_equals_one_line_at_a_time() -> None:
    behaviour = QuestionBehaviour(ROWS, TOKENIZER)
    seen = set()
    for steps in (0, 40, 60, 80, 120):
        model = tiny_gpt2(len(TOKENIZER))
        train(model, TOKENIZER, [str(r["text"]) for r in ROWS], steps)
        tally = behaviour.tally(model)
        with torch.no_grad():
            expected = one_by_one(model)
        assert {name: tally[name] for name in expected} == expected
        seen.add((tally["accuracy"][0], tally["exact_match"][0]))
    assert len(seen) > 2


def test_sums_do_not_depend_on_the_split() -> None:
    behaviour = QuestionBehaviour(ROWS * 5, TOKENIZER)
    model = tiny_gpt2(len(TOKENIZER))
    whole = dict(behaviour.tally(model))
    for world in (2, 3, 50):
        parts = [
            behaviour.tally(model, range(rank, len(behaviour), world)) for rank in range(world)
        ]
        assert dict(sum(parts[1:], parts[0])) == whole


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"main_index": 1}, "row 1: main_index 1 is not an auxiliary of 'my newt does sleep .'"),
        ({"main_index": 9}, "row 1: main_index 9 is not an auxiliary"),
        ({"target": "my newt does sleep ?"}, r"row 1: the target starts with \['my'\]"),
        ({"target": ""}, r"row 1: the target starts with \[\]"),
        ({"target": "does my wug sleep ?"}, "row 1: the tokenizer does not know the word 'wug'"),
        ({"subject_modifier": "rc"}, "row 1, column 'subject_modifier': 'rc' is no label"),
    ],
)
def test_rows_that_do_not_fit(change: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        QuestionBehaviour([ROWS[1], {**ROWS[0], **change}], TOKENIZER)


def test_no_question_and_no_auxiliary() -> None:
    with pytest.raises(UserError, match="none of the 1 rows is a 'quest' line"):
        QuestionBehaviour([ROWS[1]], TOKENIZER)
    with pytest.raises(UserError, match="does not know the auxiliaries do, don't, doesn't"):
        QuestionBehaviour([ROWS[0]], tokenizer_of([str(ROWS[0]["text"])]))
