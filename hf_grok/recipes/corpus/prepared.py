"""What a corpus that was made ready holds, as runs read it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from hf_grok.recipes.corpus.store import Stored
from hf_grok.sas.batches.keys import ArcCounts
from hf_grok.sources.source import Source
from hf_grok.text.json_reading import read_object

TRAIN, VALIDATION = PARTS = ("train", "validation")
TOKENIZER = "tokenizer"
SENTENCES = "validation.parquet"
VOCABULARY = "vocabulary.json"


@dataclass(frozen=True)
class Prepared:
    """What stands in the folder of a corpus.

    Attributes:
        folder: in the cache.
        sources: what the training rows come from.
    """

    folder: Path
    sources: tuple[Source, ...]

    @cached_property
    def facts(self) -> dict[str, Any]:
        """Counts of documents, sentences, words and tokens, of both parts."""
        return read_object(self.folder / "facts.json")

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The corpus's, as saved: a plain tokenizer.json."""
        return AutoTokenizer.from_pretrained(self.folder / TOKENIZER)

    @cached_property
    def vocabulary(self) -> list[str]:
        """The words, by the number that column forms has."""
        found: list[str] = json.loads((self.folder / VOCABULARY).read_text(encoding="utf-8"))
        return found

    def part(self, name: str) -> Stored:
        """The rows of "train" or "validation"."""
        return Stored.at(self.folder / name)

    def counts(self, name: str) -> ArcCounts:
        """What became of the sentences of a part."""
        return ArcCounts(**self.facts[name]["arcs"])

    def held_out(self) -> list[dict[str, Any]]:
        """The sentences of the validation part, as rows; only words where tokens stand for them."""
        rows: list[dict[str, Any]] = pq.read_table(self.folder / SENTENCES).to_pylist()
        if not self.is_published:
            return rows
        texts = (self.text(row["words"]).split() for row in rows)
        return [{"words": words} for words in texts if words]

    @property
    def is_published(self) -> bool:
        """Whether tokens stand for its words, since it came as input_ids."""
        return bool(self.facts.get("published", False))

    def text(self, words: list[str]) -> str:
        """Words of the corpus as running text."""
        if self.is_published:
            return str(self.tokenizer.convert_tokens_to_string(words))
        return " ".join(words)

    @property
    def fingerprint(self) -> str:
        """Of all that the rows depend on."""
        return self.folder.name
