"""The builder of languages of sentences with a task word: splits, columns, files."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import datasets

from hf_grok.datasets_scripts.builder.base import GrammarBuilder, PlainFeatures
from hf_grok.datasets_scripts.builder.splits import (
    SPLITS,
    SplitConfig,
    check_room,
    check_whole_number,
    distinct,
    drawn_after,
)
from hf_grok.datasets_scripts.grammar.english import SUBJECT_MODIFIERS
from hf_grok.datasets_scripts.grammar.task_language import (
    AMBIGUOUS,
    HIERARCHICAL,
    RELEASED,
    Example,
    Language,
    annotate,
)
from hf_grok.datasets_scripts.readers.bad_lines import BadLines
from hf_grok.datasets_scripts.readers.tsv import Reader
from hf_grok.errors import UserError, unknown_name
from hf_grok.model_cards.papers import MCCOY_2020


@dataclass
class SentenceConfig(SplitConfig):
    """Sizes, seed, and what the training data say about the rule.

    Args:
        rule: "ambiguous" (training data fit both rules), "main", or the name of the linear rule.
            Under the last two no line is kept out of train, validation and test for
            disambiguating the rule, and every answer in every split follows it.
        disambiguating_examples: so many of the training lines of an ambiguous configuration
            disambiguate the rule, at random places among `train_size`.
        disambiguating_rule: the rule that those lines follow.
        distribution: "released" (of the files that the published models were trained on) or
            "grammar" (the weights of the grammar file, which those files do not follow).
        skip_bad_lines: of files that are read (`data_files`): leave out lines that the grammar does
            not have, instead of ending at the first. How many is logged and stands in the
            description of the data set (`info.description`).
    """

    rule: str = AMBIGUOUS
    distribution: str = RELEASED
    disambiguating_examples: int = 0
    disambiguating_rule: str = HIERARCHICAL
    skip_bad_lines: bool = False


def features(language: Language) -> PlainFeatures:
    """The columns of a sentence data set."""
    string, whole = datasets.Value("string"), datasets.Value("int32")
    return PlainFeatures(
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


class SentenceBuilder(GrammarBuilder):
    """A builder of a `Language`: a subclass names the language and its configs.

    Released files need not be shuffled: for a part of a split take
    `.shuffle(seed=...).select(range(count))`, never its first rows.
    """

    BUILDER_CONFIG_CLASS = SentenceConfig
    GENERATION_FIELDS = (
        *GrammarBuilder.GENERATION_FIELDS,
        "disambiguating_examples",
        "disambiguating_rule",
        "distribution",
    )
    languages: ClassVar[Mapping[str, Language]]
    description: ClassVar[str]

    @cached_property
    def _known(self) -> dict[str, frozenset[str]]:
        return {}

    @property
    def language(self) -> Language:
        """The language under the configuration's distribution.

        Raises:
            UserError: the configuration names no distribution of this language.
        """
        name = self.config.distribution
        if name not in self.languages:
            raise unknown_name("distribution", str(name), self.languages)
        return self.languages[name]

    def _info(self) -> datasets.DatasetInfo:
        read = self.config.data_files is not None
        return datasets.DatasetInfo(
            description=self.description,
            citation=MCCOY_2020.bibtex,
            license="" if read else "Apache-2.0",
            features=features(self.language),
        )

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
        every, disambiguating = self._sentences()
        if self.language.distribution.by_sentence:
            return every
        return 2 * every - (disambiguating if self.config.rule == AMBIGUOUS else 0)

    def _sentences(self) -> tuple[int, int]:
        """Number of distinct sentences, and of those that disambiguate the rule."""
        return self.language.grammar.count(), self.language.grammar.count(
            self.language.disambiguates
        )

    def check_sizes(self) -> None:
        """See `GrammarBuilder.check_sizes`."""
        config = self.config
        _check_rules(config, self.language.rules)
        generalization, extra = config.generalization_size, config.disambiguating_examples
        usual = config.train_size + config.validation_size + config.test_size - extra
        check_room("generalization", generalization, self.distinct_examples("generalization"))
        if config.rule == AMBIGUOUS:
            disambiguating = self._sentences()[1]
            check_room("disambiguating and generalization", extra + generalization, disambiguating)
        if config.rule != AMBIGUOUS or self.language.distribution.by_sentence:
            usual += generalization + (extra if config.rule == AMBIGUOUS else 0)
        check_room("train, validation and test", usual, self.distinct_examples("train"))

    def examples(self, split: str) -> Iterator[Example]:
        """See `GrammarBuilder.examples`."""
        order = self.language.distribution.order
        return drawn_after(order[: order.index(split)], self._drawn, split, self._known)

    def _drawn(self, split: str, taken: set[str]) -> Iterator[Example]:
        draw, size = self._draw_of(split), self.config.size(split)
        return distinct(draw, size, taken, self.language.identity, split)

    def _draw_of(self, split: str) -> Callable[[int], Example | None]:
        language, config, generator = self.language, self.config, self.stream(split)
        if split == "generalization":
            rule = HIERARCHICAL if config.rule == AMBIGUOUS else config.rule
            return lambda _: language.draw_generalization(generator, rule)
        disambiguating = self._disambiguating_places(split)

        def draw(index: int) -> Example | None:
            if index in disambiguating:
                return language.draw_disambiguating(generator, config.disambiguating_rule)
            return language.draw(generator, config.rule)

        return draw

    def _disambiguating_places(self, split: str) -> frozenset[int]:
        if split != "train" or not self.config.disambiguating_examples:
            return frozenset()
        generator = self.stream("disambiguating places")
        places = sorted(range(self.config.train_size), key=lambda _: generator.random())
        return frozenset(places[: self.config.disambiguating_examples])

    def row(self, example: Example) -> dict[str, Any]:
        """See `GrammarBuilder.row`."""
        return annotate(self.language, example)

    def read_rows(self, split: str, file: str) -> Iterator[dict[str, Any]]:
        """See `GrammarBuilder.read_rows`: lines `source<TAB>target`, parsed with the grammar."""
        rule = HIERARCHICAL if self.config.rule == AMBIGUOUS else self.config.rule
        bad = BadLines(self.config.skip_bad_lines)
        for example in Reader(self.language, rule).examples(file, bad):
            yield self.row(example)
        if bad.count:
            told = f"{split}: {bad.told()}"
            logging.getLogger(__name__).warning(told)
            self.info.description += f"\n\n{told}"


def _check_rules(config: SentenceConfig, rules: tuple[str, str]) -> None:
    if config.skip_bad_lines:
        raise UserError(
            "skip_bad_lines says how files are read, and nothing is read here: give data_files, or "
            "leave it out"
        )
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
            f"disambiguating_examples={extra:,} with rule {config.rule!r}: training lines "
            f"disambiguate that rule already; use it with the {AMBIGUOUS!r} rule"
        )
