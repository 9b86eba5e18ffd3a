"""The builder of `Agreement`: sentences for masked and causal models, with gold heads and trees."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator
from operator import eq
from typing import Any, ClassVar, NamedTuple

import datasets

from hf_grok.datasets_scripts.builder.base import GrammarBuilder, PlainFeatures
from hf_grok.datasets_scripts.builder.splits import (
    DRAWING_ORDER,
    SplitConfig,
    distinct,
    drawn_after,
)
from hf_grok.datasets_scripts.english_agreement.choice import choose_words
from hf_grok.datasets_scripts.english_agreement.lexicon import LEXICON, VOCABULARY
from hf_grok.datasets_scripts.english_agreement.rules import (
    CLAUSAL_RELATIONS,
    DEEP_RULES,
    NUMBERS,
    RULES,
    START,
)
from hf_grok.datasets_scripts.english_agreement.sampling import Sampler, Structure, bracketed, depth
from hf_grok.datasets_scripts.grammar.derivation import feature
from hf_grok.errors import UserError

VERSION = datasets.Version("1.0.0")
SHORTEST, LONGEST = 5, 40
DEEPEST_TRAINED = 2
_UPOS = {category: words.upos for category, words in LEXICON.items()}


class Example(NamedTuple):
    """One sentence: its words joined by spaces, and the structure that they fill."""

    text: str
    structure: Structure
    depth: int


@dataclasses.dataclass
class AgreementConfig(SplitConfig):
    """Sizes of the four splits (0 leaves a split out) and the seed of the draws."""

    train_size: int = 200_000


class Agreement(GrammarBuilder):
    """English-like sentences with agreement, gaps and licensing, and all that is known of them.

    P(sentence) = P(structure under the weighted rules) x P(words | structure), given 5 to 40 words,
    none of which follows itself.

    - train, validation, test: at most two clauses deep (a relative or complement clause inside a
      relative or complement clause);
    - generalization: three or more deep, from the same rules with clauses four times as likely.

    No sentence stands in two splits or twice in one. Words have class preferences along every arc
    and Zipf-like frequencies; see `docs/agreement.md` for the grammar and what was measured.

    Columns: text, words, upos, deprels, heads, spans and tree as in every data set of sentences;
    `depth`, the most clauses around a word; `subject_number`, that of the first main clause.

    Source: ours; the relations are those of Universal Dependencies.
    """

    VERSION = VERSION
    BUILDER_CONFIG_CLASS = AgreementConfig
    BUILDER_CONFIGS: ClassVar = [AgreementConfig(name="default", version=VERSION)]

    def __init__(self, config_name: str | None = None, **options: Any) -> None:
        if options.get("data_files") is not None:
            raise UserError("Agreement's sentences are generated: leave data_files out")
        super().__init__(config_name, **options)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """Every word of the language, the final period included; sorted."""
        return VOCABULARY

    def check_sizes(self) -> None:
        """Sentences of up to 40 words outnumber any size that could be asked for."""

    def examples(self, split: str) -> Iterator[Example]:
        """See `GrammarBuilder.examples`."""
        # The first of the order is generalization: no other split holds sentences as deep.
        return drawn_after(DRAWING_ORDER[1 : DRAWING_ORDER.index(split)], self._drawn, split)

    def _drawn(self, split: str, taken: set[str]) -> Iterator[Example]:
        draw, size = self._draw_of(split), self.config.size(split)
        return distinct(draw, size, taken, lambda example: example.text, split)

    def _draw_of(self, split: str) -> Callable[[int], Example | None]:
        generator, deep = self.stream(split), split == "generalization"
        sampler = Sampler(DEEP_RULES if deep else RULES, START, LONGEST)
        return lambda _: draw_example(sampler, generator, deep)

    def row(self, example: Example) -> dict[str, Any]:
        """See `GrammarBuilder.row`."""
        structure = example.structure
        words = example.text.split(" ")
        return {
            "text": example.text,
            "words": words,
            "upos": [_UPOS[category] for category in structure.categories],
            "deprels": structure.deprels,
            "heads": structure.heads,
            "spans": structure.spans,
            "tree": bracketed(words, structure.spans),
            "depth": example.depth,
            "subject_number": NUMBERS.index(subject_number(structure)),
        }

    def _info(self) -> datasets.DatasetInfo:
        string, whole = datasets.Value("string"), datasets.Value("int32")
        return datasets.DatasetInfo(
            description="English-like sentences with gold dependencies and constituents.",
            license="Apache-2.0",
            features=PlainFeatures(
                {
                    "text": string,
                    "words": datasets.List(string),
                    "upos": datasets.List(string),
                    "deprels": datasets.List(string),
                    "heads": datasets.List(whole),
                    "spans": datasets.List(datasets.List(whole)),
                    "tree": string,
                    "depth": whole,
                    "subject_number": datasets.ClassLabel(names=list(NUMBERS)),
                }
            ),
        )


def draw_example(sampler: Sampler, generator: random.Random, deep: bool) -> Example | None:
    """One sentence; None where its length, its depth or a word after itself is not wanted.

    Args:
        sampler: of structures of at most `LONGEST` words.
        generator: of random numbers.
        deep: whether the sentence must be deeper than `DEEPEST_TRAINED`, or must not.
    """
    structure = sampler.sample(generator)
    if structure is None or len(structure.heads) < SHORTEST:
        return None
    clauses = depth(structure, CLAUSAL_RELATIONS)
    if (clauses > DEEPEST_TRAINED) != deep:
        return None
    words = choose_words(structure, generator)
    if any(map(eq, words, words[1:])):  # "the happy happy newt"
        return None
    return Example(" ".join(words), structure, clauses)


def subject_number(structure: Structure) -> str:
    """What the root verb of a structure agrees with: "sg" or "pl"."""
    root = structure.categories[structure.heads.index(0)]
    return feature(root).partition("]")[0]
