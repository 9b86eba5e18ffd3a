"""spaCy's parses as rows of words, heads and deprels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hf_grok._optional import import_optional
from hf_grok.annotation.scheme import CLEARNLP
from hf_grok.errors import UserError

# Trained on OntoNotes converted by ClearNLP's rules (https://spacy.io/models/en, "Label scheme").
CLEARNLP_PACKAGES = "en_core_web_"


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
            self._pipeline: Any = spacy.load(name, exclude=["ner"])
        except OSError as error:
            raise UserError(
                f"spaCy has no pipeline {name!r}: install it (python -m spacy download {name}), or "
                f"give the folder that it stands in; {error}"
            ) from error
        meta = self._pipeline.meta
        self.name = name
        self.package = f"{meta['lang']}_{meta['name']} {meta['version']}"
        self.version = str(spacy.__version__)

    @property
    def scheme(self) -> str | None:
        """The annotation scheme where it is known by the package's name, else None."""
        return CLEARNLP if self.package.startswith(CLEARNLP_PACKAGES) else None

    def parse(self, texts: Iterable[tuple[str, int]]) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        """For every (text, number): its number, and a row of each of its sentences.

        Raises:
            UserError: the pipeline has no parser, or puts a head outside its sentence.
        """
        for document, number in self._pipeline.pipe(texts, as_tuples=True):
            if not document.has_annotation("DEP"):
                raise UserError(
                    f"{self.name} does not parse dependencies: choose a pipeline with a parser, "
                    "such as en_core_web_sm"
                )
            rows = [sentence_row(sentence, self.name) for sentence in document.sents]
            yield number, [row for row in rows if row["words"]]


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
