from __future__ import annotations

import pytest
import torch
from torch import nn

from hf_grok.errors import UserError
from hf_grok.probes.tasks import TenseBehaviour
from tests.probes.tasks.material import RiggedModel, greedy_words, tiny_gpt2, tokenizer_of, train

UPOS = {"my": "DET", "our": "DET", "near": "ADP", "who": "PRON", ".": "PUNCT"}
UPOS |= dict.fromkeys(("newt", "newts", "yak", "yaks"), "NOUN")
PRESENT = {"swam": ("swims", "swim"), "amused": ("amuses", "amuse")}


def inflected(words: list[str], main: int | None) -> list[str]:
    """The present; verbs agree with the nearest noun, the one at `main` with the first noun."""
    nouns = [word for word in words if UPOS.get(word) == "NOUN"]
    output, recent = [], nouns[0]
    for place, word in enumerate(words):
        recent = word if UPOS.get(word) == "NOUN" else recent
        subject = nouns[0] if place == main else recent
        output.append(PRESENT[word][subject.endswith("s")] if word in PRESENT else word)
    return output


def row(sentence: str, main_index: int, modifier: str, task: str = "PRESENT") -> dict[str, object]:
    words = sentence.split()
    target = " ".join(inflected(words, main_index)) if task == "PRESENT" else sentence
    return {
        "text": f"{sentence} {task} {target}",
        "source": f"{sentence} {task}",
        "target": target,
        "task": task,
        "words": words,
        "upos": [UPOS.get(word, "VERB") for word in words],
        "main_index": main_index,
        "subject_modifier": modifier,
    }


ROWS = [
    row("my newt swam .", 2, "none"),
    row("our yaks amused my newt .", 2, "none"),
    row("my newt amused our yaks .", 2, "none", task="PAST"),
    row("my newt near our yaks swam .", 5, "pp"),
    row("my newts near our yaks swam .", 5, "pp"),
    row("our yak who amused my newts swam .", 6, "rc_subject_transitive"),
]
TOKENIZER = tokenizer_of(str(r["text"]) for r in ROWS)


def answering(answers: dict[str, list[str]]) -> RiggedModel:
    """Answers each source sentence word for word, whatever it has answered so far."""

    def rule(words: list[str]) -> str:
        if "PRESENT" not in words:
            return "."
        cut = words.index("PRESENT")
        answer = answers[" ".join(words[:cut])]
        place = len(words) - cut - 1
        return answer[place] if place < len(answer) else "."

    return RiggedModel(TOKENIZER, rule)


def model_of(main_agrees_with_subject: bool) -> RiggedModel:
    return answering(
        {
            " ".join(r["words"]): inflected(
                r["words"], r["main_index"] if main_agrees_with_subject else None
            )
            for r in ROWS
        }
    )


def test_the_hierarchical_model_gets_everything() -> None:
    behaviour = TenseBehaviour(ROWS, TOKENIZER)
    assert len(behaviour) == 5
    assert dict(behaviour.tally(model_of(True))) == {
        "accuracy": (5, 5),
        "accuracy_none": (2, 2),
        "accuracy_pp": (2, 2),
        "accuracy_rc_subject_transitive": (1, 1),
        "main_verb_accuracy": (5, 5),
        "exact_match": (5, 5),
        "agree_recent_share": (0, 2),
    }


def test_the_linear_model_agrees_with_the_recent_noun() -> None:
    tally = TenseBehaviour(ROWS, TOKENIZER).tally(model_of(False))
    assert tally["accuracy"] == (3, 5)
    assert tally["accuracy_pp"] == (1, 2)
    assert tally["accuracy_rc_subject_transitive"] == (0, 1)
    assert tally["agree_recent_share"] == (2, 2)
    assert tally["main_verb_accuracy"] == (3, 5)


@pytest.mark.parametrize(
    ("answer", "accuracy", "main_verb", "exact", "recent"),
    [
        ("our yak who amuses my newts swims .", 1, 1, 1, 0),
        ("our yak who amuse our newt swims .", 1, 1, 0, 0),  # other words of the same parts
        ("our yak who near my newts swims .", 0, 1, 0, 0),  # a part of speech is wrong before
        ("our yak who amuses my newts swims my", 0, 1, 0, 0),  # and behind the main verb
        ("our yak who amuses my newts swim .", 0, 0, 0, 1),
        ("our yak near amuses my newts swim .", 0, 0, 0, 1),
        ("our yak who amuses my newts swam .", 0, 0, 0, 0),
        ("our yak swims . my newts who .", 0, 0, 0, 0),
        ("PRESENT PRESENT who amuses my newts swims .", 0, 1, 0, 0),  # words of no part of speech
    ],
)
def test_what_counts(answer: str, accuracy: int, main_verb: int, exact: int, recent: int) -> None:
    sentence = " ".join(ROWS[5]["words"])
    behaviour = TenseBehaviour(ROWS, TOKENIZER)
    tally = behaviour.tally(answering({sentence: answer.split()}), [4])
    assert tally["accuracy"] == (accuracy, 1)
    assert tally["main_verb_accuracy"] == (main_verb, 1)
    assert tally["exact_match"] == (exact, 1)
    assert tally["agree_recent_share"] == (recent, 1)


def one_by_one(model: nn.Module) -> dict[str, int]:
    """The formulas, from the output of `generate`, on strings."""
    counts = dict.fromkeys(("accuracy", "main_verb_accuracy", "exact_match"), 0)
    tags = UPOS | {form: "VERB" for forms in PRESENT.values() for form in forms}
    tags |= dict.fromkeys(PRESENT, "VERB")
    for r in ROWS:
        if r["task"] == "PAST":
            continue
        gold = str(r["target"]).split()
        words = greedy_words(model, TOKENIZER, str(r["source"]), len(gold))
        verb_is_right = words[r["main_index"]] == gold[r["main_index"]]
        tags_are_right = [tags.get(w) for w in words] == [tags[w] for w in gold]
        counts["accuracy"] += verb_is_right and tags_are_right
        counts["main_verb_accuracy"] += verb_is_right
        counts["exact_match"] += words == gold
    return counts


def test_equals_generate_line_by_line() -> None:
    behaviour = TenseBehaviour(ROWS, TOKENIZER)
    seen = set()
    for steps in (0, 40, 50, 60, 100):
        model = tiny_gpt2(len(TOKENIZER))
        train(model, TOKENIZER, [str(r["text"]) for r in ROWS], steps)
        tally = behaviour.tally(model)
        expected = one_by_one(model)
        assert {name: tally[name][0] for name in expected} == expected
        seen.add(tally["accuracy"][0])
        parts = [behaviour.tally(model, [index]) for index in range(5)]
        assert dict(sum(parts[1:], parts[0])) == dict(tally)
    assert len(seen) > 2


def test_words_beyond_the_tokenizer_are_wrong() -> None:
    model = tiny_gpt2(len(TOKENIZER) + 500)
    with torch.no_grad():
        model.transformer.wte.weight[len(TOKENIZER) :] *= 3
    tally = TenseBehaviour(ROWS, TOKENIZER).tally(model)
    assert (tally["accuracy"], tally["main_verb_accuracy"]) == ((0, 5), (0, 5))


def test_numbers_that_the_vocabulary_does_not_tell_are_left_out() -> None:
    rows = [row("my newt near our yaks swam .", 5, "pp")]
    tokenizer = tokenizer_of(str(r["text"]) for r in rows)
    model = tiny_gpt2(len(tokenizer))
    assert TenseBehaviour(rows, tokenizer).tally(model)["agree_recent_share"] == (0, 0)


def test_errors() -> None:
    with pytest.raises(UserError, match="none of the 1 rows is a 'PRESENT' line"):
        TenseBehaviour([ROWS[2]], TOKENIZER)
    with pytest.raises(UserError, match="row 1: 4 words, 4 upos and 3 words of target"):
        TenseBehaviour([ROWS[0], {**ROWS[0], "target": "my newt swims"}], TOKENIZER)
    with pytest.raises(UserError, match="row 0: main_index 4 is no place"):
        TenseBehaviour([{**ROWS[0], "main_index": 4}], TOKENIZER)
