from __future__ import annotations

import pytest

from hf_grok.probes.tasks.inflection import NumberPair, number_pair, recent_noun_differs

VOCABULARY = "newt newts walrus walruses fly flies swim swims pass passes yak"
WORDS = frozenset(VOCABULARY.split())


@pytest.mark.parametrize(
    ("word", "other", "has_suffix"),
    [
        ("newt", "newts", False),
        ("newts", "newt", True),
        ("walrus", "walruses", False),
        ("walruses", "walrus", True),
        ("flies", "fly", True),
        ("fly", "flies", False),
        ("pass", "passes", False),
        ("passes", "pass", True),
    ],
)
def test_pairs(word: str, other: str, has_suffix: bool) -> None:
    assert number_pair(word, WORDS) == NumberPair(other, has_suffix)


def test_a_word_without_its_other_form_has_no_number() -> None:
    assert number_pair("yak", WORDS) is None
    assert number_pair("yaks", WORDS - {"yak"}) is None


@pytest.mark.parametrize(
    ("sentence", "verb", "expected"),
    [
        ("newt near walruses", "swims", True),
        ("newts near walrus", "swim", True),
        ("newt near walrus", "swims", False),
        ("newts near walruses", "swim", False),
        ("walruses near newt", "passes", False),
        ("newt near yak", "swims", None),
        ("near near", "swims", None),
        ("newt near walruses", "sleeps", None),
    ],
)
def test_the_recent_noun(sentence: str, verb: str, expected: bool | None) -> None:
    words = [*sentence.split(), verb, "newts", "."]
    upos = ["ADP" if word == "near" else "NOUN" for word in words]
    place = len(sentence.split())
    assert recent_noun_differs(words, upos, place, verb, WORDS) is expected
