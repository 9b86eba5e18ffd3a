"""The builder of `MinimalPairs`: pairs of sentences of the agreement grammar, in BLiMP's fields."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import datasets

from hf_grok.datasets_scripts.builder.base import GrammarBuilder, PlainFeatures
from hf_grok.datasets_scripts.builder.splits import check_whole_number, distinct
from hf_grok.datasets_scripts.english_agreement.lexicon import VOCABULARY
from hf_grok.datasets_scripts.english_agreement.paradigms import PARADIGMS
from hf_grok.datasets_scripts.readers.minimal_pairs import FIELDS
from hf_grok.errors import UserError, unknown_name

VERSION = datasets.Version("1.0.0")
SPLIT = "test"
ALL = "all"


@dataclasses.dataclass
class MinimalPairsConfig(datasets.BuilderConfig):
    """How many pairs of which paradigms, and the seed of the draws.

    Args:
        pairs_per_paradigm: rows of each paradigm.
        paradigms: UIDs, separated by commas, or "all".
        seed: of the draws; a paradigm's pairs do not depend on which others are asked for.
    """

    version: datasets.Version | str | None = VERSION
    pairs_per_paradigm: int = 1_000
    paradigms: str = ALL
    seed: int = 0

    @property
    def uids(self) -> tuple[str, ...]:
        """The paradigms that are asked for, in the order of `PARADIGMS`."""
        if self.paradigms == ALL:
            return tuple(PARADIGMS)
        asked = [uid.strip() for uid in self.paradigms.split(",")]
        for uid in asked:
            if uid not in PARADIGMS:
                raise unknown_name("paradigm", uid, (*PARADIGMS, ALL))
        return tuple(uid for uid in PARADIGMS if uid in asked)

    def size(self, split: str) -> int:
        """Number of rows of a split: all of them are in "test"."""
        return self.pairs_per_paradigm * len(self.uids) if split == SPLIT else 0

    def check(self) -> None:
        """Refuse sizes and seeds that are no whole numbers, no pair at all, unknown paradigms.

        Raises:
            UserError: names the field and what it was given.
        """
        check_whole_number("pairs_per_paradigm", self.pairs_per_paradigm)
        check_whole_number("seed", self.seed)
        if not self.pairs_per_paradigm:
            raise UserError("pairs_per_paradigm must be at least 1, got 0")
        if not isinstance(self.paradigms, str):
            raise UserError(
                f"paradigms must be UIDs separated by commas; got {self.paradigms!r}: "
                f"expected {ALL!r} or some of {', '.join(PARADIGMS)}"
            )
        _ = self.uids


class MinimalPairs(GrammarBuilder):
    """Pairs of a sentence of the agreement grammar and one that the grammar cannot generate.

    One split, "test", one row a pair, with BLiMP's fields as strings. The sentences of a pair have
    the same number of words and differ in one word, in two where a negation moves; whatever noun
    could be mistaken for the subject has the other number. No pair comes twice in a paradigm. All
    words are words of `Agreement`.

    Source: ours, after Warstadt et al. 2020 (BLiMP, arXiv 1912.00582).
    """

    VERSION = VERSION
    BUILDER_CONFIG_CLASS: Any = MinimalPairsConfig
    BUILDER_CONFIGS: ClassVar = [MinimalPairsConfig(name="default")]
    GENERATION_FIELDS = ("pairs_per_paradigm", "paradigms", "seed")

    def __init__(self, config_name: str | None = None, **options: Any) -> None:
        if options.get("data_files") is not None:
            raise UserError(
                "MinimalPairs are generated: leave data_files out, and read files of pairs with "
                "read_minimal_pairs"
            )
        super().__init__(config_name, **options)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """Every word of the language, the final period included; sorted."""
        return VOCABULARY

    def check_sizes(self) -> None:
        """What a paradigm cannot fill shows while it is drawn: see `distinct`."""

    def examples(self, split: str) -> Iterator[dict[str, str]]:
        """See `GrammarBuilder.examples`."""
        for uid in self.config.uids:
            yield from self._pairs(uid)

    def _pairs(self, uid: str) -> Iterator[dict[str, str]]:
        paradigm, generator = PARADIGMS[uid], self.stream(uid)
        drawn = distinct(
            lambda _: paradigm.draw(generator),
            self.config.pairs_per_paradigm,
            set(),
            lambda pair: pair,
            uid,
        )
        for number, (good, bad) in enumerate(drawn):
            values = (good, bad, paradigm.field, paradigm.term, uid, str(number))
            yield dict(zip(FIELDS, values, strict=True))

    def row(self, example: dict[str, str]) -> dict[str, str]:
        """See `GrammarBuilder.row`."""
        return example

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo(
            description="Minimal pairs over the agreement grammar, in BLiMP's fields.",
            license="Apache-2.0",
            features=PlainFeatures({name: datasets.Value("string") for name in FIELDS}),
        )


def write_minimal_pairs(
    rows: Iterable[Mapping[str, Any]], folder: str | os.PathLike[str]
) -> list[Path]:
    """Write pairs as BLiMP is distributed: one JSON object a line, one file `UID.jsonl` a paradigm.

    Args:
        rows: with BLiMP's six fields, as `MinimalPairs` gives them.
        folder: made if it is missing; files of the same names are replaced.

    Returns:
        The files, in the order in which their paradigms come; `read_minimal_pairs` reads them.
    """
    lines: dict[str, list[str]] = {}
    for row in rows:
        lines.setdefault(row["UID"], []).append(json.dumps(dict(row), ensure_ascii=False))
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    files = [target / f"{uid}.jsonl" for uid in lines]
    for file, own in zip(files, lines.values(), strict=True):
        file.write_text("".join(f"{line}\n" for line in own), encoding="utf-8", newline="\n")
    return files
