"""Tense inflection: does the verb agree with its subject, or with the noun nearest to it?

Source: McCoy, Frank, Linzen 2020, *Does Syntax Need to Grow on Trees?*.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import ClassVar

import datasets

from hf_grok.datasets_scripts.builder.task_sentences import SentenceBuilder, SentenceConfig
from hf_grok.datasets_scripts.grammar.derivation import Rule, Skeleton, bare, feature
from hf_grok.datasets_scripts.grammar.english import LEXICON, NUMBERS, Weights, subject_number
from hf_grok.datasets_scripts.grammar.grammar import Words
from hf_grok.datasets_scripts.grammar.task_language import (
    GRAMMAR_FILE,
    HIERARCHICAL,
    RELEASED,
    RELEASED_ORDER,
    Distribution,
    Language,
)

# past -> present, plural; the singular adds s
INTRANSITIVE = {
    "giggled": "giggle",
    "smiled": "smile",
    "slept": "sleep",
    "swam": "swim",
    "waited": "wait",
    "moved": "move",
    "changed": "change",
    "read": "read",
    "ate": "eat",
}
TRANSITIVE = {
    "entertained": "entertain",
    "amused": "amuse",
    "high_fived": "high_five",
    "applauded": "applaud",
    "confused": "confuse",
    "admired": "admire",
    "accepted": "accept",
    "remembered": "remember",
    "comforted": "comfort",
}
PRESENT = {
    "pl": {**INTRANSITIVE, **TRANSITIVE},
    "sg": {past: f"{stem}s" for past, stem in (INTRANSITIVE | TRANSITIVE).items()},
}
MAIN_VERBS = ("MainV_intr", "MainV_tr")

# The past has one form for both numbers: the number of a verb comes from the derivation alone.
TENSE_LEXICON = {
    **LEXICON,
    **{
        f"{category}[{number}]": Words("VERB", tuple(verbs))
        for number in NUMBERS
        for category, verbs in (
            ("V_intr", INTRANSITIVE),
            ("MainV_intr", INTRANSITIVE),
            ("V_tr", TRANSITIVE),
            ("MainV_tr", TRANSITIVE),
        )
    },
}

# Fitted to the released validation and test files; not stated in any paper.
_RELEASED_WEIGHTS = Weights(predicate=(1, 3))
DISTRIBUTIONS = {
    RELEASED: Distribution(
        weights=_RELEASED_WEIGHTS,
        generalization=_RELEASED_WEIGHTS,
        order=RELEASED_ORDER,
        by_sentence=True,
    ),
    GRAMMAR_FILE: Distribution(),
}


class TenseLanguage(Language):
    """`PAST` copies the sentence, `PRESENT` puts every verb into the present."""

    tasks = ("PAST", "PRESENT")
    linear_rule = "recent"
    answer_words = tuple(sorted({form for forms in PRESENT.values() for form in forms.values()}))
    lexicon = TENSE_LEXICON

    def verb_phrases(self, weights: Weights) -> tuple[Rule, ...]:
        """See `Language.verb_phrases`."""
        intransitive, transitive = weights.predicate
        return (
            Rule("VP[n]", ("MainV_intr[n]",), intransitive),
            Rule("VP[n]", ("MainV_tr[n]", "AnyNP"), transitive, relation="obj"),
            Rule("RelIntr[n]", ("V_intr[n]",)),
            Rule("RelTr[n]", ("V_tr[n]", "AnyBase"), relation="obj"),
            Rule("RelGap[n]", ("Base[n]", "V_tr[n]"), head=1, relation="nsubj"),
        )

    def main_index(self, skeleton: Skeleton) -> int:
        """0-based position of the main verb."""
        return _main_verb(skeleton)

    def disambiguates(self, skeleton: Skeleton) -> bool:
        """The noun nearest to the left of the main verb has the other number."""
        return recent_number(skeleton) != subject_number(skeleton)

    def transform(self, words: Sequence[str], skeleton: Skeleton, rule: str) -> list[str]:
        """The sentence in the present; the rule decides the number of the main verb only.

        Embedded verbs agree with their subject, which is the noun nearest to them as well.
        """
        answer = list(words)
        for position, category in enumerate(skeleton.categories):
            if "V_" in category:
                answer[position] = PRESENT[feature(category)][words[position]]
        if rule != HIERARCHICAL:
            main = self.main_index(skeleton)
            answer[main] = PRESENT[recent_number(skeleton)][words[main]]
        return answer

    def generalization_count(self) -> int:
        """Every sentence whose nearest noun has the other number."""
        return self.generalization_grammar.count(self.disambiguates)


@cache
def _main_verb(skeleton: Skeleton) -> int:
    names = [bare(category) for category in skeleton.categories]
    return next(position for position, name in enumerate(names) if name in MAIN_VERBS)


@cache
def recent_number(skeleton: Skeleton) -> str:
    """The number of the noun nearest to the left of the main verb, "sg" or "pl"."""
    before = skeleton.categories[: _main_verb(skeleton)]
    return next(feature(category) for category in reversed(before) if bare(category) == "N")


class TenseInflection(SentenceBuilder):
    """Lines `SENTENCE . PAST|PRESENT<TAB>ANSWER` with gold trees, heads and relations.

    Train, validation and test: `PAST` or `PRESENT` with probability 1/2, then a `PRESENT` is
    rejected if the noun nearest to the left of the main verb has not the number of the subject.
    Generalization: `PRESENT`, that noun always of the other number. No line comes twice, within a
    split or in two.

    `default` draws from the distribution of the released files, on which the published models were
    trained: three predicates in four are transitive (in the grammar file, two in four), a sentence
    occurs with one task only, and lines are drawn in the order train, validation, test, none
    twice, see `QuestionFormation`. `grammar` keeps the weights of the grammar file and draws the
    evaluation splits first.

    Configs:
        default: the released distribution; training data fit both rules.
        grammar: the grammar file's distribution; training data fit both rules.
        main: no `PRESENT` is rejected in train, validation and test, and every main verb agrees
            with its subject.
        recent: the same, and every main verb of a `PRESENT` agrees with the nearest noun, those
            of the generalization split included.

    `disambiguating_examples=K` makes K of the training lines of `default` PRESENT lines whose
    nearest noun has the other number, following `disambiguating_rule` ("main" or "recent").

    Source: the grammar, the splits and their conditions are those of McCoy, Frank, Linzen 2020;
    `main`, `recent` and the mix are this project's definitions. The released weights were fitted to
    the released validation and test files (chi-square 25 on 28 degrees of freedom over PAST lines;
    the grammar file's weights: 1,200).
    """

    VERSION = datasets.Version("2.0.0")
    BUILDER_CONFIGS: ClassVar = [
        SentenceConfig(name="default", version=VERSION),
        SentenceConfig(name="grammar", version=VERSION, distribution=GRAMMAR_FILE),
        SentenceConfig(name="main", version=VERSION, rule="main"),
        SentenceConfig(name="recent", version=VERSION, rule="recent"),
    ]
    languages: ClassVar = {
        name: TenseLanguage(distribution) for name, distribution in DISTRIBUTIONS.items()
    }
    description = (
        "Tense inflection: English sentences in the past and a task word, PAST (repeat the "
        "sentence) or PRESENT (put its verbs into the present), with gold binary trees and "
        "Universal Dependencies. Training lines fit two rules, agreement with the subject or with "
        "the nearest noun; the generalization split tells them apart."
    )
