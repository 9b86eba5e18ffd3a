from __future__ import annotations

import pytest

from hf_grok.behaviour import QuestionBehaviour
from tests.behaviour.material import RiggedModel, tiny_gpt2, tokenizer_of

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
        def forward(self, input_ids, **_):  # type: ignore[no-untyped-def]
            output = super().forward(input_ids)
            output.logits[..., self.tokenizer.get_vocab()["newt"]] = 10.0
            return output

    tally = QuestionBehaviour(ROWS, TOKENIZER).tally(Distracted(TOKENIZER, main_rule))
    assert tally["accuracy"] == (7, 7)
    assert tally["exact_match"] == (0, 7)


@pytest.mark.parametrize("seed", range(3))
def test_sums_do_not_depend_on_the_split(seed: int) -> None:
    behaviour = QuestionBehaviour(ROWS * 5, TOKENIZER)
    model = tiny_gpt2(len(TOKENIZER), seed)
    parts = [behaviour.tally(model, range(len(behaviour))[rank::3]) for rank in range(3)]
    assert dict(parts[0] + parts[1] + parts[2]) == dict(behaviour.tally(model))
