"""Texts cut into shards of whole lines: a function of the files alone, so work can be resumed."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hf_grok.errors import UserError, unknown_name
from hf_grok.text.files import read_lines

BLANK, FILE = "blank", "file"
DOCUMENT_ENDS = (BLANK, FILE)


@dataclass(frozen=True)
class TextLine:
    """A line that holds text: a sentence or a paragraph.

    Attributes:
        text: without the white space around it.
        document: "name of the file:number of the document in it", numbers from 1.
        line: its number in the file, from 1.
        words: what white space separates.
        shard: where its sentences go, from 0.
    """

    text: str
    document: str
    line: int
    words: int
    shard: int

    @property
    def place(self) -> str:
        """file:line."""
        return f"{self.document.rpartition(':')[0]}:{self.line}"


@dataclass
class Plan:
    """How many words each shard of some texts has.

    Attributes:
        words: of each shard, in order.
        documents: in all.
    """

    words: list[int] = field(default_factory=list)
    documents: int = 0


def texts_of(given: Sequence[str]) -> list[Path]:
    """The files that names and patterns stand for, in the order given, a pattern's by name.

    Raises:
        UserError: no such file, a pattern that fits none, or two files of one name, whose
            documents could not be told apart.
    """
    found: dict[str, Path] = {}
    for word in given:
        paths = [Path(word)] if Path(word).exists() else [Path(p) for p in sorted(glob.glob(word))]
        if not paths:
            raise UserError(f"--text: there is no file {word!r}, and as a pattern it fits none")
        for path in paths:
            if path.is_dir():
                raise UserError(
                    f"--text: {path} is a folder: name its files, or a pattern such as "
                    f"{path / '*.txt'}"
                )
            if found.setdefault(path.name, path) != path:
                raise UserError(
                    f"--text: two files are called {path.name}, {found[path.name]} and {path}: "
                    "documents are told apart by the name of their file, so give it another"
                )
    return list(found.values())


def text_lines(texts: Iterable[Path], shard_words: int, document_ends: str) -> Iterator[TextLine]:
    """The lines with text of all files in order, each with its document and shard.

    A shard ends with the line that fills it; only the last may have fewer words.

    Args:
        texts: UTF-8 files.
        shard_words: of a shard; at least 1.
        document_ends: "blank": at an empty line and at the end of a file; "file": there only.

    Raises:
        UserError: as `read_lines`; an unknown `document_ends`.
    """
    if document_ends not in DOCUMENT_ENDS:
        raise unknown_name("end of documents", document_ends, DOCUMENT_ENDS)
    shard = filled = 0
    for text in texts:
        number, inside = 0, False
        for line in read_lines(text):
            content = line.text.strip()
            if not content:
                inside = inside and document_ends == FILE
                continue
            number += not inside
            inside = True
            words = len(content.split())
            yield TextLine(content, f"{text.name}:{number}", line.number, words, shard)
            filled += words
            if filled >= shard_words:
                shard, filled = shard + 1, 0


def plan_of(lines: Iterable[TextLine]) -> Plan:
    """Words of every shard, and the documents, from one pass over the lines."""
    plan, document = Plan(), ""
    for line in lines:
        plan.documents += line.document != document
        document = line.document
        plan.words.extend([0] * (line.shard + 1 - len(plan.words)))
        plan.words[line.shard] += line.words
    return plan
