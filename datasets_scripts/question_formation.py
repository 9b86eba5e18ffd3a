"""Question formation: front the main auxiliary, or the first one?

Source: McCoy, Frank, Linzen 2020, *Does Syntax Need to Grow on Trees?*.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import ClassVar

import datasets

from hf_grok.datasets_scripts.builder.task_sentences import SentenceBuilder, SentenceConfig
from hf_grok.datasets_scripts.grammar.derivation import Rule, Skeleton, feature
from hf_grok.datasets_scripts.grammar.english import (
    LEXICON,
    SUBJECT_MODIFIERS,
    Weights,
    subject_modifier,
)
from hf_grok.datasets_scripts.grammar.grammar import Words
from hf_grok.datasets_scripts.grammar.task_language import (
    GRAMMAR_FILE,
    HIERARCHICAL,
    RELEASED,
    RELEASED_ORDER,
    Distribution,
    Example,
    Language,
)

RELATIVE_CLAUSES = tuple(kind for kind in SUBJECT_MODIFIERS if kind.startswith("rc"))
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

DISTRIBUTIONS = {
    # Fitted to 21,000 released lines of train's distribution; not stated in any paper.
    RELEASED: Distribution(
        weights=Weights(
            subject=(7.5, 3, 4.16),
            subject_clause=(1, 1, 2),
            predicate=(3, 10),
            object=(3, 3, 4),
            object_clause=(2, 1, 1),
        ),
        # The grammar file's, given a relative clause in the subject and none in the object: a
        # third of the transitive half of the predicates is thrown away.
        generalization=Weights(subject=(0, 0, 1), predicate=(3, 2), object=(1, 1, 0)),
        order=RELEASED_ORDER,
    ),
    GRAMMAR_FILE: Distribution(),
}


class QuestionLanguage(Language):
    """`decl` copies the sentence, `quest` fronts an auxiliary: the main one or the first one."""

    tasks = ("decl", "quest")
    linear_rule = "first"
    answer_words = ("?",)
    lexicon = QUESTION_LEXICON

    def verb_phrases(self, weights: Weights) -> tuple[Rule, ...]:
        """See `Language.verb_phrases`."""
        intransitive, transitive = weights.predicate
        return (
            Rule("VP[n]", ("MainAux[n]", "V_intr"), intransitive, head=1, relation="aux"),
            Rule("VP[n]", ("MainAux[n]", "Predicate"), transitive, head=1, relation="aux"),
            Rule("Predicate", ("V_tr", "AnyNP"), relation="obj"),
            Rule("RelIntr[n]", ("Aux[n]", "V_intr"), head=1, relation="aux"),
            Rule("RelTr[n]", ("Aux[n]", "RelPredicate"), head=1, relation="aux"),
            Rule("RelPredicate", ("V_tr", "AnyBase"), relation="obj"),
            Rule("RelGap[n]", ("Base[n]", "GapVP[n]"), head=1, relation="nsubj"),
            Rule("GapVP[n]", ("Aux[n]", "V_tr"), head=1, relation="aux"),
        )

    def main_index(self, skeleton: Skeleton) -> int:
        """0-based position of the main auxiliary."""
        return skeleton.first("MainAux").start

    def disambiguates(self, skeleton: Skeleton) -> bool:
        """The first auxiliary is not the main one: the subject has a relative clause."""
        return subject_modifier(skeleton).startswith("rc")

    def generalizes(self, words: Sequence[str], skeleton: Skeleton) -> bool:
        """The relative clause's auxiliary and the main one are of one number and differ."""
        first, main = skeleton.first("Aux"), skeleton.first("MainAux")
        same_number = feature(first.category) == feature(main.category)
        return same_number and words[first.start] != words[main.start]

    def draw_generalization(self, generator: random.Random, rule: str) -> Example | None:
        """A line of the generalization split: each kind of relative clause with probability 1/3.

        The grammar weighs the three kinds equally, but half of the object relatives have an
        auxiliary of the other number: rejected without regard to kind, they would shrink to a
        fifth, and a rule that gets every one of them wrong would score .8 instead of 2/3. The
        released file has been filled up with object relatives until they are a third, too.
        """
        kind = RELATIVE_CLAUSES[int(generator.random() * len(RELATIVE_CLAUSES))]
        while True:
            example = super().draw_generalization(generator, rule)
            if example is not None and subject_modifier(example.skeleton) == kind:
                return example

    def transform(self, words: Sequence[str], skeleton: Skeleton, rule: str) -> list[str]:
        """The question: the chosen auxiliary in front, the period replaced by `?`."""
        chosen = self.main_index(skeleton)
        if rule != HIERARCHICAL and self.disambiguates(skeleton):
            chosen = skeleton.first("Aux").start
        return [words[chosen], *words[:chosen], *words[chosen + 1 : -1], "?"]

    def generalization_count(self) -> int:
        """Half of the sentences in which both auxiliaries are of one number: forms differ."""
        return self.generalization_grammar.count(self._same_number) // 2

    def _same_number(self, skeleton: Skeleton) -> bool:
        if not self.disambiguates(skeleton):
            return False
        return _number(skeleton, "Aux") == _number(skeleton, "MainAux")


def _number(skeleton: Skeleton, category: str) -> str:
    return feature(skeleton.first(category).category)


class QuestionFormation(SentenceBuilder):
    """Lines `SENTENCE . decl|quest<TAB>ANSWER` with gold trees, heads and relations.

    Train, validation and test: `decl` or `quest` with probability 1/2, then a `quest` whose
    subject has a relative clause is rejected. Generalization: `quest`, the subject always with a
    relative clause whose auxiliary has the number of the main one and differs from it. No line
    comes twice, within a split or in two. The three kinds of relative clause are a third of the
    generalization split each.

    `default` draws from the distribution of the released files, on which the published models were
    trained. Its weights are not those of the released grammar file (`DISTRIBUTIONS` has both):
    subjects are bare more often, their relative clauses are object relatives half of the time,
    and 77 % of the predicates are transitive. Lines are drawn in the order train, validation,
    test, none twice: sentences of the form Det N Aux V_intr are 2,808, so they are 11 % of the
    first 20,000 lines and 1 % of the test split. The distribution of validation and test
    therefore depends on `train_size`. In the generalization split no object has a relative
    clause, so a line has exactly two auxiliaries.

    `grammar` keeps the weights of the grammar file for every split and draws the evaluation
    splits first, so that their shares do not depend on train's size.

    Configs:
        default: the released distribution; training data fit both rules.
        grammar: the grammar file's distribution; training data fit both rules.
        main: quest lines whose subject has a relative clause are kept in train, validation and
            test, and every question fronts the main auxiliary.
        first: the same, and every question fronts the first auxiliary, those of the
            generalization split included.

    `disambiguating_examples=K` makes K of the training lines of `default` questions whose subject
    has a relative clause, following `disambiguating_rule` ("main" or "first").

    Source: the grammar, the splits and their conditions are those of McCoy, Frank, Linzen 2020.
    `main` and `first` name what that paper and Ahuja et al. 2024 call unambiguous training data;
    how many such lines those papers mix in, and under which conditions, was not verified, so the
    definitions above are this project's. The released weights were fitted to 21,000 released lines
    of train's distribution (chi-square 33 on 39 degrees of freedom over construction by task; the
    grammar file's weights: 19,526); `benchmarks/released_distribution.py --files DIR` compares.
    """

    VERSION = datasets.Version("2.0.0")
    BUILDER_CONFIGS: ClassVar = [
        SentenceConfig(name="default", version=VERSION),
        SentenceConfig(name="grammar", version=VERSION, distribution=GRAMMAR_FILE),
        SentenceConfig(name="main", version=VERSION, rule="main"),
        SentenceConfig(name="first", version=VERSION, rule="first"),
    ]
    languages: ClassVar = {
        name: QuestionLanguage(distribution) for name, distribution in DISTRIBUTIONS.items()
    }
    description = (
        "Question formation: English sentences and a task word, decl (repeat the sentence) or "
        "quest (front its main auxiliary), with gold binary trees and Universal Dependencies. "
        "Training questions fit two rules, fronting the main or the first auxiliary; the "
        "generalization split tells them apart."
    )
