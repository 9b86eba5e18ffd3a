"""Tense inflection: does the verb agree with its subject, or with the noun nearest to it?

Source: McCoy, Frank, Linzen 2020, *Does Syntax Need to Grow on Trees?*.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import ClassVar

import datasets

from hf_grok.datasets_scripts.derivation import Rule, Skeleton, bare, feature
from hf_grok.datasets_scripts.english import LEXICON, NUMBERS, RULES, VARIABLES, subject_number
from hf_grok.datasets_scripts.grammar import Grammar, Words, instantiate
from hf_grok.datasets_scripts.language import HIERARCHICAL, Language
from hf_grok.datasets_scripts.sentences import SentenceBuilder, SentenceConfig

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

TENSE_RULES = (
    *RULES,
    Rule("VP[n]", ("MainV_intr[n]",)),
    Rule("VP[n]", ("MainV_tr[n]", "AnyNP"), relation="obj"),
    Rule("RelIntr[n]", ("V_intr[n]",)),
    Rule("RelTr[n]", ("V_tr[n]", "AnyBase"), relation="obj"),
    Rule("RelGap[n]", ("Base[n]", "V_tr[n]"), head=1, relation="nsubj"),
)


class TenseLanguage(Language):
    """`PAST` copies the sentence, `PRESENT` puts every verb into the present."""

    tasks = ("PAST", "PRESENT")
    linear_rule = "recent"
    answer_words = tuple(sorted({form for forms in PRESENT.values() for form in forms.values()}))

    def __init__(self) -> None:
        self.grammar = Grammar(instantiate(TENSE_RULES, VARIABLES), TENSE_LEXICON, "S")

    def main_index(self, skeleton: Skeleton) -> int:
        """0-based position of the main verb."""
        return _main_verb(skeleton)

    def settles(self, skeleton: Skeleton) -> bool:
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
        return self.grammar.count(self.settles)


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
    split or in two; the evaluation splits are drawn first, see `QuestionFormation`.

    Configs:
        default: training data fit both rules.
        main: no `PRESENT` is rejected in train, validation and test, and every main verb agrees
            with its subject.
        recent: the same, and every main verb of a `PRESENT` agrees with the nearest noun, those
            of the generalization split included.

    `disambiguating_examples=K` makes K of the training lines of `default` PRESENT lines whose
    nearest noun has the other number, following `disambiguating_rule` ("main" or "recent").

    Source: the grammar, the splits and their conditions are those of McCoy, Frank, Linzen 2020;
    `main`, `recent` and the mix are this project's definitions.
    """

    VERSION = datasets.Version("1.0.0")
    BUILDER_CONFIGS: ClassVar = [
        SentenceConfig(name="default", version=VERSION),
        SentenceConfig(name="main", version=VERSION, rule="main"),
        SentenceConfig(name="recent", version=VERSION, rule="recent"),
    ]
    language = TenseLanguage()
    description = (
        "Tense inflection: English sentences in the past and a task word, PAST (repeat the "
        "sentence) or PRESENT (put its verbs into the present), with gold binary trees and "
        "Universal Dependencies. Training lines fit two rules, agreement with the subject or with "
        "the nearest noun; the generalization split tells them apart."
    )
