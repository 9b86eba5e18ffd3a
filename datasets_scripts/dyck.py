"""`Dyck`: the data set of Dyck-(k, m) strings, with splits by the structure of their blocks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, ClassVar

import datasets

from hf_grok.datasets_scripts.builder.base import (
    SPLITS,
    GrammarBuilder,
    PlainFeatures,
    SplitConfig,
    check_whole_number,
    distinct,
)
from hf_grok.datasets_scripts.grammar.dyck_language import (
    SHORTEST,
    DyckLanguage,
    count_strings,
    count_strings_of_blocks,
    draw_structure,
    draw_types,
    measure,
)
from hf_grok.errors import UserError

VERSION = datasets.Version("1.0.0")


@dataclasses.dataclass
class DyckConfig(SplitConfig):
    """Dyck-(brackets, max_depth), at most `max_length` words a string.

    Attributes:
        brackets: k, the number of types of brackets.
        max_depth: m, how many brackets may be open at once.
        max_length: longest string in words; draws that outgrow it are thrown away. 0: no limit.
    """

    brackets: int = 20
    max_depth: int = 10
    # Ours, the definition has no limit: with a start and an end token, 512 positions.
    max_length: int = 510
    train_size: int = 200_000

    @property
    def language(self) -> DyckLanguage:
        """The language without its sizes and seed."""
        return DyckLanguage(self.brackets, self.max_depth, self.max_length)

    def check(self) -> None:
        """Refuse a language without brackets, limits below the shortest string, an empty train.

        Raises:
            UserError: names the field and what it was given.
        """
        super().check()
        for name in ("brackets", "max_depth", "max_length"):
            check_whole_number(name, getattr(self, name))
        for name in ("brackets", "max_depth", "train_size"):
            if getattr(self, name) == 0:
                raise UserError(
                    f"{name} must be at least 1, got 0: Dyck strings have brackets, and what the "
                    "other splits hold is disambiguated by the training strings"
                )
        if 0 < self.max_length < SHORTEST:
            raise UserError(
                f"max_length must be 0 (no limit) or at least {SHORTEST}, the shortest string; "
                f"got {self.max_length}"
            )


@dataclasses.dataclass(frozen=True)
class TrainingStrings:
    """The training strings in order, and the structures of all their top-level blocks."""

    texts: dict[str, None]
    structures: frozenset[str]


class Dyck(GrammarBuilder):
    """Strings of k types of nested brackets, at most m deep, split by structure.

    The structure of a string is the sequence of its top-level blocks without the types:
    ``(3 (1 )1 )3 (2 )2`` has the blocks ``(())`` and ``()``.

    - train: distinct draws from the automaton of `dyck_language`;
    - validation, test: every block's structure occurs in train, the string does not;
    - generalization: the structure of at least one block does not occur in train.

    No string stands in two splits or twice in one. `Dyck("k20-m10")` has the published k, m and
    number of training strings; any other language is `Dyck(brackets=2, max_depth=3)`, which then
    is named ``k2-m3``. Sizes of the other splits and `max_length` are ours.

    Lengths, measured on 200,000 draws with seed 0 before any is thrown away: k20-m10 has a mean of
    50 words, a median of 14, a 99th percentile of 372, and 0.23 % longer than its `max_length` of
    510; k6-m4 a mean of 20, a median of 14, a 99th percentile of 92, and 0.2 % longer than 126.
    The splits' own lengths differ (short strings repeat and are kept once; a structure that is
    not in train is rarely short): the card of an export gives them.

    Columns: `text`; `depth`, the most brackets open at once; `distances`, for every closing
    bracket in order, how many words before it its opening bracket stands (adjacent: 1).

    Source: Murty et al. 2023, *Grokking of Hierarchical Structure in Vanilla Transformers*.
    """

    VERSION = VERSION
    BUILDER_CONFIG_CLASS = DyckConfig
    DEFAULT_CONFIG_NAME = "k20-m10"
    BUILDER_CONFIGS: ClassVar = [
        DyckConfig(name="k20-m10", version=VERSION),
        DyckConfig(
            name="k6-m4",
            version=VERSION,
            brackets=6,
            max_depth=4,
            max_length=126,
            train_size=20_000,
            validation_size=1_000,
            test_size=2_000,
            generalization_size=2_000,
        ),
    ]

    def __init__(self, config_name: str | None = None, **options: Any) -> None:
        if options.get("data_files") is not None:
            raise UserError("Dyck strings are generated, never read: leave data_files out")
        super().__init__(config_name, **options)
        # "k20-m10" with other brackets would be a lie on the card and in the folder's name.
        if {"brackets", "max_depth"} & options.keys():
            self.config.name = f"k{self.config.brackets}-m{self.config.max_depth}"
            self.info.config_name = self.config.name

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """Every word of the language."""
        return self.language.vocabulary

    @property
    def language(self) -> DyckLanguage:
        """The language that the strings are drawn from."""
        language: DyckLanguage = self.config.language
        return language

    @cached_property
    def training(self) -> TrainingStrings:
        """Distinct draws from the automaton, and their structures."""
        structures: set[str] = set()
        texts: dict[str, None] = {}
        drawn = self._draw("train", lambda blocks: True, set())
        for text, blocks in datasets.utils.tqdm(drawn, desc="Drawing train strings"):
            texts[text] = None
            structures.update(blocks)
        return TrainingStrings(texts, frozenset(structures))

    def check_sizes(self) -> None:
        """Refuse more strings than there are.

        Raises:
            UserError: with the exact number of distinct strings.
        """
        asked = sum(self.config.size(split) for split in SPLITS)
        if self.language.max_length and asked > (exist := count_strings(self.language)):
            raise UserError(
                f"{self._described} has {exist:,} distinct strings; the splits ask for {asked:,}: "
                "make them smaller, or raise brackets, max_depth or max_length"
            )

    def _split_generators(self, dl_manager: Any) -> list[Any]:
        # Before any process is started: each gets the training strings with the builder instead
        # of drawing them again, and a size out of reach is refused before anything is written.
        structures = self.training.structures
        if self.language.max_length:
            self._check_available(structures)
        return super()._split_generators(dl_manager)

    def examples(self, split: str) -> Iterator[str]:
        """The strings of a split, in order."""
        if split == "train":
            yield from self.training.texts
        elif split == "generalization":
            seen = self.training.structures
            yield from _texts(self._draw(split, lambda blocks: not seen.issuperset(blocks), set()))
        else:
            taken = set(self.training.texts)
            if split == "test":
                taken.update(_texts(self._draw_familiar("validation", taken)))
            yield from _texts(self._draw_familiar(split, taken))

    def row(self, example: str) -> dict[str, Any]:
        """The columns of one string."""
        depth, distances = measure(example.split())
        return {"text": example, "depth": depth, "distances": distances}

    def _draw_familiar(self, split: str, taken: set[str]) -> Iterator[tuple[str, Sequence[str]]]:
        return self._draw(split, self.training.structures.issuperset, taken)

    def _draw(
        self, split: str, wanted: Callable[[Sequence[str]], bool], taken: set[str]
    ) -> Iterator[tuple[str, Sequence[str]]]:
        """Distinct strings outside `taken` with their blocks; `taken` gets them too."""
        uniform = self.stream(split).random

        def draw(found: int) -> tuple[str, Sequence[str]] | None:
            blocks = draw_structure(self.language, uniform)
            if blocks is None or not wanted(blocks):
                return None
            return draw_types(blocks, self.language.brackets, uniform), blocks

        what = f"the {split} split of {self._described}"
        return distinct(draw, self.config.size(split), taken, lambda item: item[0], what)

    def _check_available(self, structures: frozenset[str]) -> None:
        """Refuse splits larger than what the training strings leave for them."""
        of_seen = count_strings_of_blocks(self.language, structures)
        self._check_left(
            ("validation", "test"),
            of_seen - self.config.train_size,
            "unseen strings whose blocks all have structures that occur in train",
        )
        self._check_left(
            ("generalization",),
            count_strings(self.language) - of_seen,
            "strings with a block whose structure does not occur in train",
        )

    def _check_left(self, splits: Sequence[str], exist: int, kind: str) -> None:
        asked = sum(self.config.size(split) for split in splits)
        if asked > exist:
            raise UserError(
                f"{' and '.join(splits)}: {self._described} with {self.config.train_size:,} "
                f"training strings leaves {exist:,} {kind}; {asked:,} were asked for: make "
                "these splits or train smaller, or raise brackets, max_depth or max_length"
            )

    @property
    def _described(self) -> str:
        limit = f" of at most {self.language.max_length} words" if self.language.max_length else ""
        return f"Dyck-({self.language.brackets}, {self.language.max_depth}){limit}"

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo(
            description="Dyck-(k, m) strings from a probabilistic automaton, split by structure.",
            features=PlainFeatures(
                {
                    "text": datasets.Value("string"),
                    "depth": datasets.Value("int32"),
                    "distances": datasets.List(datasets.Value("int32")),
                }
            ),
        )


def _texts(drawn: Iterator[tuple[str, Sequence[str]]]) -> Iterator[str]:
    return (text for text, _ in drawn)
