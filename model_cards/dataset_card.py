"""The card of an exported data set: what it is, what is in it, how to make it again."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from huggingface_hub import DatasetCardData

from hf_grok.errors import unknown_name
from hf_grok.model_cards.languages import LanguageFacts
from hf_grok.model_cards.markdown import environment, tidy
from hf_grok.model_cards.preserved import BEGINS, ENDS
from hf_grok.model_cards.scrub import scrubbed

MARKER = "hf-grok"
"""The tag by which a folder is known to hold an export of this package."""

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


@dataclasses.dataclass(frozen=True)
class SplitFacts:
    """One split as measured.

    Attributes:
        name: of the split.
        examples: rows.
        mean_words: mean length of a text, in words.
        longest: most words in a text.
        example: the first text.
        shares: class column -> label -> fraction of the rows, in [0, 1].
    """

    name: str
    examples: int
    mean_words: float
    longest: int
    example: str
    shares: Mapping[str, Mapping[str, float]]


@dataclasses.dataclass(frozen=True)
class DatasetCard:
    """Everything the template needs.

    Attributes:
        language: the language in words.
        config: name of the configuration.
        columns: column -> its type, in words.
        splits: as measured, in order.
        arguments: the fields of the configuration that bear on the data.
        changed: names of the fields that are not the named configuration's own.
        command: the shell command that makes the same data.
        sources: split -> names of the files it was read from; empty for generated data.
        generator: name and versions of what made it.
        metadata: `configs` and `dataset_info`, as `datasets` reads them.
        origin: what made the data, for the metadata: package, generator, versions, arguments with
            the seed; whoever has them makes the same bytes again.
        repo_id: the repository that holds it; None: a folder.
    """

    language: LanguageFacts
    config: str
    columns: Mapping[str, str]
    splits: Sequence[SplitFacts]
    arguments: Mapping[str, Any]
    changed: Sequence[str]
    command: str
    sources: Mapping[str, Sequence[str]]
    generator: str
    metadata: Mapping[str, Any]
    origin: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    repo_id: str | None = None

    def meaning_of_column(self, name: str) -> str:
        """What a column means.

        Raises:
            UserError: the language's facts do not name it.
        """
        return _look_up("column", name, self.language.columns)

    def meaning_of_split(self, name: str) -> str:
        """What a split holds.

        Raises:
            UserError: the language's facts do not name it.
        """
        if name in self.sources:
            return "read from " + ", ".join(self.sources[name])
        return _look_up("split", name, self.language.splits)

    def label_rows(self) -> list[tuple[str, str, list[str]]]:
        """(class column, label, share in each split in per cent) of every label."""
        return [
            (column, label, [f"{100 * split.shares[column][label]:.1f}" for split in self.splits])
            for column, shares in self.splits[0].shares.items()
            for label in shares
        ]

    def front_matter(self) -> str:
        """The YAML that the Hub and `load_dataset` read."""
        more: dict[str, Any] = dict(self.metadata)
        if self.origin:
            more["generator"] = dict(self.origin)
        data = DatasetCardData(
            pretty_name=self.language.title,
            language=self.language.language or None,
            license="unknown" if self.sources else self.language.licence,
            annotations_creators="machine-generated",
            language_creators="found" if self.sources else "machine-generated",
            size_categories=size_category(sum(split.examples for split in self.splits)),
            task_categories=list(self.language.tasks),
            tags=[MARKER, "synthetic", "syntax", "training-dynamics", *self.language.tags],
            **more,
        )
        return data.to_yaml(line_break="\n").rstrip("\n")

    def render(self) -> str:
        """The whole README, front matter included; the same for the same card."""
        template = environment().get_template("dataset_card.md.jinja")
        return tidy(template.render(card=scrubbed(self), begins=BEGINS, ends=ENDS))


def size_category(examples: int) -> str:
    """The Hub's name for a number of examples."""
    return next((name for limit, name in _SIZES if examples < limit), "1M<n<10M")


def _look_up(kind: str, name: str, known: Mapping[str, str]) -> str:
    if name not in known:
        raise unknown_name(
            f"{kind} of a card", name, known, "Say what it holds in the card of the Language."
        )
    return known[name]
