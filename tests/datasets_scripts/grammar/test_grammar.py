"""The engine against enumeration, and the parser against the generator."""

from __future__ import annotations

import itertools
import math
import random
import re
from collections import Counter, defaultdict

import pytest

from hf_grok.datasets_scripts import QuestionFormation, TenseInflection
from hf_grok.datasets_scripts.grammar.derivation import Rule
from hf_grok.datasets_scripts.grammar.grammar import Grammar, Words, instantiate
from hf_grok.datasets_scripts.grammar.parser import Parser
from hf_grok.datasets_scripts.grammar.task_language import Language
from hf_grok.errors import UserError

LANGUAGES = [
    language
    for kind in (QuestionFormation, TenseInflection)
    for language in kind.languages.values()
]
TINY_LEXICON = {
    "N[sg]": Words("NOUN", ("cat", "dog", "hen")),
    "N[pl]": Words("NOUN", ("cats", "dogs")),
    "V[sg]": Words("VERB", ("eats",)),
    "V[pl]": Words("VERB", ("eat",)),
}
TINY_RULES = [
    Rule("S", ("N[n]", "V[n]"), 2, head=1, relation="nsubj"),
    Rule("S", ("Other[n]", "Tail"), 1),
    Rule("Other[n]", ("N[n]",)),
    Rule("Tail", ("V[n]",), 3),
    Rule("Tail", ("N[sg]", "V[sg]"), 4, head=1, relation="nsubj"),
]


def tiny() -> Grammar:
    return Grammar(instantiate(TINY_RULES, {"n": ("sg", "pl")}), TINY_LEXICON, "S")


def test_a_variable_gives_a_rule_for_each_of_its_values() -> None:
    rule = Rule("A[n]", ("B[n]", "C[m]"), 0.5)
    made = instantiate([rule], {"n": ("sg", "pl"), "m": ("x", "y"), "unused": ("z",)})
    assert {(bound.parent, bound.children) for bound in made} == {
        (f"A[{n}]", (f"B[{n}]", f"C[{m}]")) for n, m in itertools.product(("sg", "pl"), "xy")
    }
    assert [bound.weight for bound in made] == [0.5] * 4


def test_probabilities_of_derivations_are_products_of_relative_weights() -> None:
    # S has weights 2, 2, 1, 1; Tail has 3, 3, 4.
    expected = {
        ("N[sg]", "V[sg]"): 2 / 6 + 1 / 6 * 3 / 10,
        ("N[pl]", "V[pl]"): 2 / 6 + 1 / 6 * 3 / 10,
        ("N[sg]", "V[pl]"): 1 / 6 * 3 / 10,
        ("N[pl]", "V[sg]"): 1 / 6 * 3 / 10,
        ("N[sg]", "N[sg]", "V[sg]"): 1 / 6 * 4 / 10,
        ("N[pl]", "N[sg]", "V[sg]"): 1 / 6 * 4 / 10,
    }
    seen: defaultdict[tuple[str, ...], float] = defaultdict(float)
    for skeleton, probability in tiny().skeletons():
        seen[skeleton.categories] += probability
    assert dict(seen) == pytest.approx(expected)


def test_sampling_follows_the_probabilities() -> None:
    grammar, generator, draws = tiny(), random.Random(3), 20_000
    counts = Counter(grammar.sample(generator) for _ in range(draws))
    for skeleton, probability in grammar.skeletons():
        deviation = math.sqrt(probability * (1 - probability) / draws)
        assert abs(counts[skeleton] / draws - probability) < 5 * deviation


def test_words_are_uniform_within_their_category() -> None:
    grammar, generator, draws = tiny(), random.Random(4), 9_000
    skeleton = next(s for s, _ in grammar.skeletons() if s.categories == ("N[sg]", "V[sg]"))
    counts = Counter(grammar.fill(skeleton, generator)[0] for _ in range(draws))
    assert counts.keys() == {"cat", "dog", "hen"}
    deviation = math.sqrt(1 / 3 * 2 / 3 / draws)
    assert all(abs(count / draws - 1 / 3) < 5 * deviation for count in counts.values())


def test_count_equals_enumeration() -> None:
    grammar = tiny()
    listed = [
        words
        for skeleton, _ in grammar.skeletons()
        for words in itertools.product(*(TINY_LEXICON[c].forms for c in skeleton.categories))
    ]
    assert grammar.count() == len(listed)
    longer = [words for words in listed if len(words) == 3]
    assert grammar.count(lambda skeleton: len(skeleton.categories) == 3) == len(longer)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([Rule("S", ("N[sg]", "Missing"))], "neither rules nor forms: \\['Missing'\\]"),
        ([Rule("S", ("N[sg]",)), Rule("N[sg]", ("N[pl]",))], "both rules and forms"),
        ([Rule("S", ("N[sg]",), 0.0)], "must be positive"),
        ([Rule("S", ("N[sg]", "N[sg]", "N[sg]"))], "one or two children"),
        ([Rule("S", ("N[sg]",), head=1)], "one or two children"),
    ],
)
def test_a_grammar_that_cannot_be_is_refused(rules: list[Rule], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Grammar(rules, TINY_LEXICON, "S")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_skeleton_is_found_again_by_the_parser(language: Language) -> None:
    """So the grammar is unambiguous too, and its counts are numbers of distinct sentences."""
    parser, generator = Parser(language.grammar), random.Random(5)
    total = 0.0
    for skeleton, probability in language.grammar.skeletons():
        total += probability
        assert parser.parse(language.grammar.fill(skeleton, generator)) is skeleton
    assert total == pytest.approx(1)


def test_two_derivations_are_refused_not_chosen_between() -> None:
    with pytest.raises(UserError, match="2 derivations of 'dog eats'"):
        Parser(tiny()).parse(["dog", "eats"])


def test_left_recursion_is_refused() -> None:
    rules = [Rule("S", ("A", "N[sg]")), Rule("A", ("S", "N[sg]")), Rule("A", ("N[sg]",))]
    with pytest.raises(UserError, match=r"'[SA]' can begin with itself"):
        Parser(Grammar(rules, TINY_LEXICON, "S"))


@pytest.mark.parametrize(
    ("sentence", "stop"),
    [
        ("the newts does eat .", "word 3, 'does'; expected MainAux[pl] (do, don't)"),
        ("the newt that do eat does eat .", "word 4, 'do'; expected Aux[sg] (does, doesn't)"),
        ("the newt that the yaks does admire does eat .", "word 6, 'does'; expected Aux[pl]"),
        ("the newt near the yaks do eat .", "word 6, 'do'; expected MainAux[sg]"),
        ("the newt does amuse the yak who don't eat .", 'word 8, "don\'t"; expected Aux[sg]'),
    ],
)
def test_agreement_is_checked(sentence: str, stop: str) -> None:
    with pytest.raises(UserError, match=re.escape(f"parsing stopped at {stop}")):
        Parser(QuestionFormation.languages["released"].grammar).parse(sentence.split())
