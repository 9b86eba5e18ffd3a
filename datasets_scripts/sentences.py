"""Languages of sentences with a task word, and the builder that makes data sets of them.

A line is `SENTENCE . task<TAB>ANSWER`. One of the two tasks transforms the sentence, and two rules
compete for it: the hierarchical one ("main") and a linear one. On most sentences both give the
same answer; a sentence *settles* the rule where they do not.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import datasets
from hf_grok.datasets_scripts.builder import (
    DRAWING_ORDER,
    SPLITS,
    GrammarBuilder,
    SplitConfig,
    check_room,
    check_whole_number,
    distinct,
)
from hf_grok.datasets_scripts.derivation import Skeleton
from hf_grok.datasets_scripts.english import SUBJECT_MODIFIERS, subject_modifier
from hf_grok.datasets_scripts.grammar import Grammar

from hf_grok.errors import UserError, unknown_name

HIERARCHICAL = "main"
AMBIGUOUS = "ambiguous"


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
        grammar: of the source sentences.
        tasks: the copying task, then the transforming one.
        linear_rule: name of the rule that goes by word order.
        answer_words: words of answers that no source sentence has.
    """

    grammar: Grammar
    tasks: tuple[str, str]
    linear_rule: str
    answer_words: tuple[str, ...]

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """Every word that a line can hold, task words and final punctuation included; sorted."""
        return tuple(sorted({*self.grammar.vocabulary, *self.tasks, *self.answer_words}))

    @abstractmethod
    def main_index(self, skeleton: Skeleton) -> int:
        """0-based position of the main auxiliary or the main verb."""

    @abstractmethod
    def settles(self, skeleton: Skeleton) -> bool:
        """Whether the two rules give different answers on every sentence of this skeleton."""

    @abstractmethod
    def transform(self, words: Sequence[str], skeleton: Skeleton, rule: str) -> list[str]:
        """The answer to the transforming task under a rule."""

    @abstractmethod
    def generalization_count(self) -> int:
        """Number of distinct sentences that the generalization split may hold."""

    def generalizes(self, words: Sequence[str], skeleton: Skeleton) -> bool:
        """Whether a sentence that settles the rule belongs in the generalization split."""
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
        transforming task that would settle the rule is rejected.
        """
        task = self.tasks[generator.random() < 0.5]
        skeleton = self.grammar.sample(generator)
        if rule == AMBIGUOUS:
            if task == self.tasks[1] and self.settles(skeleton):
                return None
            rule = HIERARCHICAL
        return Example(task, tuple(self.grammar.fill(skeleton, generator)), skeleton, rule)

    def draw_settling(self, generator: random.Random, rule: str) -> Example | None:
        """One line of the transforming task that settles the rule; None where rejected."""
        skeleton = self.grammar.sample(generator)
        if not self.settles(skeleton):
            return None
        words = tuple(self.grammar.fill(skeleton, generator))
        return Example(self.tasks[1], words, skeleton, rule)

    def draw_generalization(self, generator: random.Random, rule: str) -> Example | None:
        """One line of the generalization split; None where rejected."""
        example = self.draw_settling(generator, rule)
        if example is None or not self.generalizes(example.words, example.skeleton):
            return None
        return example


@dataclass
class SentenceConfig(SplitConfig):
    """Sizes, seed, and what the training data say about the rule.

    Args:
        rule: "ambiguous" (training data fit both rules), "main", or the name of the linear rule.
            Under the last two no line is kept out of train, validation and test for settling the
            rule, and every answer in every split follows it.
        disambiguating_examples: so many of the training lines of an ambiguous configuration settle
            the rule, at random places among `train_size`.
        disambiguating_rule: the rule that those lines follow.
    """

    rule: str = AMBIGUOUS
    disambiguating_examples: int = 0
    disambiguating_rule: str = HIERARCHICAL


def features(language: Language) -> datasets.Features:
    """The columns of a sentence data set."""
    string, whole = datasets.Value("string"), datasets.Value("int32")
    return datasets.Features(
        {
            "text": string,
            "source": string,
            "target": string,
            "task": datasets.ClassLabel(names=list(language.tasks)),
            "words": datasets.List(string),
            "upos": datasets.List(string),
            "deprels": datasets.List(string),
            "heads": datasets.List(whole),
            "spans": datasets.List(datasets.List(whole)),
            "tree": string,
            "main_index": whole,
            "subject_modifier": datasets.ClassLabel(names=list(SUBJECT_MODIFIERS)),
        }
    )


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
    """The columns of one example, all from its derivation."""
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


class SentenceBuilder(GrammarBuilder):
    """A builder of a `Language`: a subclass names the language and its configs."""

    BUILDER_CONFIG_CLASS = SentenceConfig
    language: Language

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """Every word that a line can hold, task words and final punctuation included; sorted."""
        return self.language.vocabulary

    def distinct_examples(self, split: str) -> int:
        """Exact number of distinct lines that the language has for a split.

        Train, validation and test share one stock of lines.

        Raises:
            UserError: unknown split.
        """
        if split not in SPLITS:
            raise unknown_name("split", split, SPLITS)
        if split == "generalization":
            return self.language.generalization_count()
        every, settling = self._sentences()
        return 2 * every - (settling if self.config.rule == AMBIGUOUS else 0)

    def _sentences(self) -> tuple[int, int]:
        """Number of distinct sentences, and of those that settle the rule."""
        return self.language.grammar.count(), self.language.grammar.count(self.language.settles)

    def check_sizes(self) -> None:
        """See `GrammarBuilder.check_sizes`."""
        config = self.config
        _check_rules(config, self.language.rules)
        generalization, extra = config.generalization_size, config.disambiguating_examples
        usual = config.train_size + config.validation_size + config.test_size - extra
        check_room("generalization", generalization, self.distinct_examples("generalization"))
        if config.rule == AMBIGUOUS:
            settling = self._sentences()[1]
            check_room("disambiguating and generalization", extra + generalization, settling)
        else:
            usual += generalization
        check_room("train, validation and test", usual, self.distinct_examples("train"))

    def examples(self, split: str) -> Iterator[Example]:
        """See `GrammarBuilder.examples`."""
        taken: set[str] = set()
        for earlier in DRAWING_ORDER[: DRAWING_ORDER.index(split)]:
            for _ in self._drawn(earlier, taken):
                pass
        return self._drawn(split, taken)

    def _drawn(self, split: str, taken: set[str]) -> Iterator[Example]:
        draw, size = self._draw_of(split), self.config.size(split)
        return distinct(draw, size, taken, lambda example: example.source, split)

    def _draw_of(self, split: str) -> Callable[[int], Example | None]:
        language, config, generator = self.language, self.config, self.stream(split)
        if split == "generalization":
            rule = HIERARCHICAL if config.rule == AMBIGUOUS else config.rule
            return lambda _: language.draw_generalization(generator, rule)
        settling = self._settling_places(split)

        def draw(index: int) -> Example | None:
            if index in settling:
                return language.draw_settling(generator, config.disambiguating_rule)
            return language.draw(generator, config.rule)

        return draw

    def _settling_places(self, split: str) -> frozenset[int]:
        if split != "train" or not self.config.disambiguating_examples:
            return frozenset()
        places = range(self.config.train_size)
        generator = self.stream("disambiguating places")
        return frozenset(generator.sample(places, self.config.disambiguating_examples))

    def row(self, example: Example) -> dict[str, Any]:
        """See `GrammarBuilder.row`."""
        return annotate(self.language, example)


def _check_rules(config: SentenceConfig, rules: tuple[str, str]) -> None:
    if config.rule not in (AMBIGUOUS, *rules):
        raise unknown_name("rule", str(config.rule), (AMBIGUOUS, *rules))
    if config.disambiguating_rule not in rules:
        raise unknown_name("disambiguating_rule", str(config.disambiguating_rule), rules)
    extra = config.disambiguating_examples
    check_whole_number("disambiguating_examples", extra)
    if extra > config.train_size:
        raise UserError(
            f"disambiguating_examples={extra:,} of the training lines, but train_size is "
            f"{config.train_size:,}: they are counted in it"
        )
    if extra and config.rule != AMBIGUOUS:
        raise UserError(
            f"disambiguating_examples={extra:,} with rule {config.rule!r}: training lines settle "
            f"that rule already; use it with the {AMBIGUOUS!r} rule"
        )
