"""Question formation: front the main auxiliary, or the first one? (McCoy, Frank, Linzen 2020.)"""

from __future__ import annotations

from collections.abc import Sequence

import datasets
from hf_grok.datasets_scripts.derivation import Rule, Skeleton, feature
from hf_grok.datasets_scripts.english import LEXICON, RULES, VARIABLES, subject_modifier
from hf_grok.datasets_scripts.grammar import Grammar, Words, instantiate
from hf_grok.datasets_scripts.sentences import (
    HIERARCHICAL,
    Language,
    SentenceBuilder,
    SentenceConfig,
    features,
)

AUXILIARIES = {"sg": ("does", "doesn't"), "pl": ("do", "don't")}
INTRANSITIVE = ("giggle", "smile", "sleep", "swim", "wait", "move", "change", "read", "eat")
TRANSITIVE = (
    "entertain",
    "amuse",
    "high_five",
    "applaud",
    "confuse",
    "admire",
    "accept",
    "remember",
    "comfort",
)

QUESTION_LEXICON = {
    **LEXICON,
    **{f"Aux[{number}]": Words("AUX", forms) for number, forms in AUXILIARIES.items()},
    **{f"MainAux[{number}]": Words("AUX", forms) for number, forms in AUXILIARIES.items()},
    "V_intr": Words("VERB", INTRANSITIVE),
    "V_tr": Words("VERB", TRANSITIVE),
}

QUESTION_RULES = (
    *RULES,
    Rule("VP[n]", ("MainAux[n]", "V_intr"), head=1, relation="aux"),
    Rule("VP[n]", ("MainAux[n]", "Predicate"), head=1, relation="aux"),
    Rule("Predicate", ("V_tr", "AnyNP"), relation="obj"),
    Rule("RelIntr[n]", ("Aux[n]", "V_intr"), head=1, relation="aux"),
    Rule("RelTr[n]", ("Aux[n]", "RelPredicate"), head=1, relation="aux"),
    Rule("RelPredicate", ("V_tr", "AnyBase"), relation="obj"),
    Rule("RelGap[n]", ("Base[n]", "GapVP[n]"), head=1, relation="nsubj"),
    Rule("GapVP[n]", ("Aux[n]", "V_tr"), head=1, relation="aux"),
)


class QuestionLanguage(Language):
    """`decl` copies the sentence, `quest` fronts an auxiliary: the main one or the first one."""

    tasks = ("decl", "quest")
    linear_rule = "first"
    answer_words = ("?",)

    def __init__(self) -> None:
        self.grammar = Grammar(instantiate(QUESTION_RULES, VARIABLES), QUESTION_LEXICON, "S")

    def main_index(self, skeleton: Skeleton) -> int:
        """0-based position of the main auxiliary."""
        return skeleton.first("MainAux").start

    def settles(self, skeleton: Skeleton) -> bool:
        """The first auxiliary is not the main one: the subject has a relative clause."""
        return subject_modifier(skeleton).startswith("rc")

    def generalizes(self, words: Sequence[str], skeleton: Skeleton) -> bool:
        """The relative clause's auxiliary and the main one are of one number and differ."""
        first, main = skeleton.first("Aux"), skeleton.first("MainAux")
        same_number = feature(first.category) == feature(main.category)
        return same_number and words[first.start] != words[main.start]

    def transform(self, words: Sequence[str], skeleton: Skeleton, rule: str) -> list[str]:
        """The question: the chosen auxiliary in front, the period replaced by `?`."""
        chosen = self.main_index(skeleton)
        if rule != HIERARCHICAL and self.settles(skeleton):
            chosen = skeleton.first("Aux").start
        return [words[chosen], *words[:chosen], *words[chosen + 1 : -1], "?"]

    def generalization_count(self) -> int:
        """Half of the sentences in which both auxiliaries are of one number: forms differ."""
        return self.grammar.count(self._same_number) // 2

    def _same_number(self, skeleton: Skeleton) -> bool:
        if not self.settles(skeleton):
            return False
        return _number(skeleton, "Aux") == _number(skeleton, "MainAux")


def _number(skeleton: Skeleton, category: str) -> str:
    return feature(skeleton.first(category).category)


class QuestionFormation(SentenceBuilder):
    """Lines `SENTENCE . decl|quest<TAB>ANSWER` with gold trees and dependencies."""

    VERSION = datasets.Version("1.0.0")
    BUILDER_CONFIGS = [SentenceConfig(name="default")]
    language = QuestionLanguage()

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo(features=features(self.language))
