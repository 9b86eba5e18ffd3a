"""Languages of sentences with a task word, and what one line of them says.

A line is `SENTENCE . task<TAB>ANSWER`. One of the two tasks transforms the sentence, and two rules
compete for it: the hierarchical one ("main") and a linear one. On most sentences both give the
same answer; a sentence *disambiguates* the rule where they do not.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, NamedTuple

from hf_grok.datasets_scripts.builder.splits import DRAWING_ORDER
from hf_grok.datasets_scripts.grammar.derivation import Rule, Skeleton
from hf_grok.datasets_scripts.grammar.english import (
    SUBJECT_MODIFIERS,
    VARIABLES,
    Weights,
    rules,
    subject_modifier,
)
from hf_grok.datasets_scripts.grammar.grammar import Grammar, Words, instantiate

HIERARCHICAL = "main"
AMBIGUOUS = "ambiguous"


RELEASED = "released"
GRAMMAR_FILE = "grammar"
BY_GRAMMAR_FILE = Weights()


@dataclass(frozen=True)
class Distribution:
    """From which lines are drawn, and in which order of splits none is drawn twice.

    The order counts: short sentences are few, so whatever is drawn after 100,000 distinct lines
    has next to none of them.

    Attributes:
        weights: of the sentences of train, validation and test.
        generalization: of the sentences of the generalization split, before its condition.
        order: every split once, in the order of drawing.
        by_sentence: whether a sentence occurs once, with one task; otherwise a line does.
    """

    weights: Weights = BY_GRAMMAR_FILE
    generalization: Weights = BY_GRAMMAR_FILE
    order: tuple[str, ...] = DRAWING_ORDER
    by_sentence: bool = False


# The order of the released files: each split has what train left. Generalization lines answer to
# a condition of their own, so their place hardly counts: first, they depend on no other split.
RELEASED_ORDER = ("generalization", "train", "validation", "test")


class Example(NamedTuple):
    """One line before annotation: the task, the sentence and the rule that its answer follows."""

    task: str
    words: tuple[str, ...]
    skeleton: Skeleton
    rule: str

    @property
    def source(self) -> str:
        """`SENTENCE . task`."""
        return f"{' '.join(self.words)} {self.task}"


class Language(ABC):
    """A grammar, its two tasks, and the two rules that compete for the second.

    Attributes:
        tasks: the copying task, then the transforming one.
        linear_rule: name of the rule that goes by word order.
        answer_words: words of answers that no source sentence has.
        lexicon: lexical category -> its words.
        distribution: from which lines are drawn.
        grammar: of the source sentences of train, validation and test.
        generalization_grammar: of those of the generalization split.
    """

    tasks: tuple[str, str]
    linear_rule: str
    answer_words: tuple[str, ...]
    lexicon: ClassVar[Mapping[str, Words]]

    def __init__(self, distribution: Distribution) -> None:
        self.distribution = distribution
        self.grammar = self._grammar(distribution.weights)
        self.generalization_grammar = self._grammar(distribution.generalization)

    def _grammar(self, weights: Weights) -> Grammar:
        every = (*rules(weights), *self.verb_phrases(weights))
        return Grammar(instantiate(every, VARIABLES), self.lexicon, "S")

    @abstractmethod
    def verb_phrases(self, weights: Weights) -> tuple[Rule, ...]:
        """The rules of the language's own: its verb phrases, `RelIntr`, `RelTr` and `RelGap`."""

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """Every word that a line can hold, task words and final punctuation included; sorted."""
        return tuple(sorted({*self.grammar.vocabulary, *self.tasks, *self.answer_words}))

    @abstractmethod
    def main_index(self, skeleton: Skeleton) -> int:
        """0-based position of the main auxiliary or the main verb."""

    @abstractmethod
    def disambiguates(self, skeleton: Skeleton) -> bool:
        """Whether the two rules give different answers on every sentence of this skeleton."""

    @abstractmethod
    def transform(self, words: Sequence[str], skeleton: Skeleton, rule: str) -> list[str]:
        """The answer to the transforming task under a rule."""

    @abstractmethod
    def generalization_count(self) -> int:
        """Number of distinct sentences that the generalization split may hold."""

    def generalizes(self, words: Sequence[str], skeleton: Skeleton) -> bool:
        """Whether a sentence that disambiguates the rule belongs in the generalization split."""
        return True

    def answer(self, example: Example) -> str:
        """What stands after the task word."""
        if example.task == self.tasks[0]:
            return " ".join(example.words)
        return " ".join(self.transform(example.words, example.skeleton, example.rule))

    @property
    def rules(self) -> tuple[str, str]:
        """Names of the hierarchical and the linear rule."""
        return (HIERARCHICAL, self.linear_rule)

    def draw(self, generator: random.Random, rule: str) -> Example | None:
        """One draw from the training distribution; None where the line is rejected.

        A task with probability 1/2, then a sentence. Under the rule "ambiguous" a line of the
        transforming task that would disambiguate the rule is rejected.
        """
        task = self.tasks[int(generator.random() < 0.5)]
        skeleton = self.grammar.sample(generator)
        if rule == AMBIGUOUS:
            if task == self.tasks[1] and self.disambiguates(skeleton):
                return None
            rule = HIERARCHICAL
        return Example(task, tuple(self.grammar.fill(skeleton, generator)), skeleton, rule)

    def identity(self, example: Example) -> str:
        """What comes once only: the sentence, or the sentence with its task word."""
        return " ".join(example.words) if self.distribution.by_sentence else example.source

    def draw_disambiguating(
        self, generator: random.Random, rule: str, grammar: Grammar | None = None
    ) -> Example | None:
        """One line of the transforming task that disambiguates the rule; None where rejected."""
        skeleton = (grammar or self.grammar).sample(generator)
        if not self.disambiguates(skeleton):
            return None
        words = tuple(self.grammar.fill(skeleton, generator))
        return Example(self.tasks[1], words, skeleton, rule)

    def draw_generalization(self, generator: random.Random, rule: str) -> Example | None:
        """One line of the generalization split; None where rejected."""
        example = self.draw_disambiguating(generator, rule, self.generalization_grammar)
        if example is None or not self.generalizes(example.words, example.skeleton):
            return None
        return example


@cache
def _annotation(language: Language, skeleton: Skeleton) -> dict[str, Any]:
    return {
        "upos": language.grammar.upos(skeleton),
        "deprels": skeleton.deprels,
        "heads": skeleton.heads,
        "spans": skeleton.spans,
        "main_index": language.main_index(skeleton),
        "subject_modifier": SUBJECT_MODIFIERS.index(subject_modifier(skeleton)),
    }


def annotate(language: Language, example: Example) -> dict[str, Any]:
    """The columns of one example, all from its derivation; class labels as numbers."""
    source, target = example.source, language.answer(example)
    return {
        "text": f"{source} {target}",
        "source": source,
        "target": target,
        "task": language.tasks.index(example.task),
        "words": list(example.words),
        "tree": example.skeleton.template.format(*example.words),
        **_annotation(language, example.skeleton),
    }
