"""Texts through a parser into one file, or into the shards of a folder that are not there yet."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from hf_grok.annotation.scheme import sidecar, write_annotation
from hf_grok.commands.data.parsed_shards import (
    LOCK,
    Counts,
    Row,
    begin,
    shard_counts,
    shard_name,
    write_shard,
)
from hf_grok.commands.data.spacy_parser import SpacyParser
from hf_grok.commands.data.text_plan import Plan, TextLine, plan_of, text_lines
from hf_grok.errors import UserError
from hf_grok.runs.folder import taken
from hf_grok.sources.files import UNFINISHED_PARSE

SHARDS = "train-*.parquet"


@dataclass(frozen=True)
class Done:
    """What a job did.

    Attributes:
        facts: about the annotation, with numbers of sentences, words, lines and documents.
        parsed: words of text (as white space separates them) that were parsed now.
        seconds: that took.
    """

    facts: dict[str, Any]
    parsed: int
    seconds: float

    @property
    def rate(self) -> float:
        """Words of text parsed in a second."""
        return self.parsed / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Job:
    """Texts, how they are cut, and the parser.

    Attributes:
        parser: makes the rows.
        texts: in this order.
        document_ends: see `text_lines`.
        shard_words: words of a shard.
        workers: processes that parse.
        facts: on which the rows depend; kept beside them.
    """

    parser: SpacyParser
    texts: list[Path]
    document_ends: str
    shard_words: int
    workers: int
    facts: Mapping[str, Any]

    def to_file(self, out: Path) -> Done:
        """Every row in one JSON lines file, and the facts beside it; all of it or nothing.

        Raises:
            UserError: no sentence in the texts; as the parser and the reading of texts do.
        """
        out.parent.mkdir(parents=True, exist_ok=True)
        plan, counts = self._plan(), Counts()
        start, part = time.monotonic(), out.with_name(f"{out.name}.part")
        try:
            with part.open("w", encoding="utf-8") as file:
                for row in counts.counted(self._rows(self._parsed(self._lines(), plan, 0))):
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
            if not counts.sentences:
                raise _no_sentence(self.texts)
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)
        return self._done(out, plan, counts, sum(plan.words), time.monotonic() - start)

    def to_folder(self, out: Path, *, fresh: bool = False) -> Done:
        """Every row in the shards of a folder; shards that are there already stay as they are.

        Args:
            out: empty, not there, or with the beginning of the same parse.
            fresh: remove what an earlier parse wrote there.

        Raises:
            UserError: another parse was begun there, or is at work; no sentence in a shard; as the
                parser and the reading of texts do.
        """
        plan = self._plan()
        out.mkdir(parents=True, exist_ok=True)
        with taken(out / LOCK, f"{out} is being written by another parse"):
            if fresh:
                _clear(out)
            begin(out, {**self.facts, "shard_words": self.shard_words})
            start, parsed = time.monotonic(), self._write_missing(out, plan)
            seconds, counts = time.monotonic() - start, Counts()
            for path in _shards(out, plan):
                counts.add(shard_counts(path))
            done = self._done(out, plan, counts, parsed, seconds)
            (out / UNFINISHED_PARSE).unlink()
            (out / LOCK).unlink()
        return done

    def _write_missing(self, out: Path, plan: Plan) -> int:
        """Write the shards that are not there; returns their words of text."""
        missing = {n for n, path in enumerate(_shards(out, plan)) if not path.exists()}
        there = sum(words for n, words in enumerate(plan.words) if n not in missing)
        lines = (line for line in self._lines() if line.shard in missing)
        parsed = self._parsed(lines, plan, there)
        for number, of_shard in groupby(parsed, key=lambda found: found[0].shard):
            write_shard(out / shard_name(number, len(plan.words)), self._rows(of_shard))
        return sum(plan.words) - there

    def _done(self, out: Path, plan: Plan, counts: Counts, parsed: int, seconds: float) -> Done:
        facts = {**self.facts, **vars(counts), "documents": plan.documents}
        write_annotation(out, facts)
        return Done(facts, parsed, seconds)

    def _lines(self) -> Iterator[TextLine]:
        return text_lines(self.texts, self.shard_words, self.document_ends)

    def _plan(self) -> Plan:
        plan = plan_of(self._lines())
        if not plan.words:
            raise _no_sentence(self.texts)
        return plan

    def _parsed(
        self, lines: Iterable[TextLine], plan: Plan, there: int
    ) -> Iterator[tuple[TextLine, list[Row]]]:
        """Every line with its rows; shows a bar of words, and words a second."""
        texts = ((line.text, line) for line in self._short_enough(lines))
        with tqdm(
            desc="parsing", total=sum(plan.words), initial=there, unit=" words", unit_scale=True
        ) as bar:
            for line, rows in self.parser.parse(texts, self.workers):
                bar.update(line.words)
                yield line, rows

    def _short_enough(self, lines: Iterable[TextLine]) -> Iterator[TextLine]:
        for line in lines:
            if len(line.text) > self.parser.longest:
                raise UserError(
                    f"{line.place}: a line of {len(line.text):,} characters, and "
                    f"{self.parser.package} takes {self.parser.longest:,}: break it into paragraphs"
                )
            yield line

    def _rows(self, parsed: Iterable[tuple[TextLine, list[Row]]]) -> Iterator[Row]:
        for line, rows in parsed:
            for row in rows:
                yield {**row, "document": line.document, "line": line.line}


def _shards(out: Path, plan: Plan) -> list[Path]:
    return [out / shard_name(number, len(plan.words)) for number in range(len(plan.words))]


def _clear(out: Path) -> None:
    """Remove what a parse leaves: shards, and what stands beside them."""
    for path in [
        *out.glob(SHARDS),
        *out.glob(f"{SHARDS}.part"),
        out / UNFINISHED_PARSE,
        sidecar(out),
        out / "README.md",
    ]:
        path.unlink(missing_ok=True)


def _no_sentence(texts: list[Path]) -> UserError:
    named = f"{texts[0]} holds" if len(texts) == 1 else f"the {len(texts)} texts hold"
    return UserError(f"{named} no sentence: expected text, a sentence or paragraph a line")
