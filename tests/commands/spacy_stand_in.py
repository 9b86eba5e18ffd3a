"""In the place of spaCy: a module with the part of its documented interface that is used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any


class Token:
    """A token as spaCy gives it: a root is its own head."""

    def __init__(self, i: int, text: str, dep: str) -> None:
        self.i, self.text, self.dep_ = i, text, dep
        self.is_space = text.isspace()
        self.head = self


class Span(list[Token]):
    @property
    def text(self) -> str:
        return " ".join(token.text for token in self)


class Doc:
    def __init__(self, sents: list[Span], *, parsed: bool = True) -> None:
        self.sents, self._parsed = sents, parsed

    def has_annotation(self, name: str) -> bool:
        assert name == "DEP"
        return self._parsed


class Pipeline:
    """Sentences end at a full stop; the second word is the root, the others hang on it.

    A token of white space (written as _) hangs on the word before it. `*` hangs on the white space
    before it, and `^` on the first token of the text. At the word `!` it breaks off, as a machine
    does.
    """

    meta = {"lang": "en", "name": "core_web_sm", "version": "3.8.0"}  # noqa: RUF012
    parsed = True
    max_length = 1000

    def __init__(self, path: Path) -> None:
        self.path = path

    def pipe(
        self, texts: Iterable[tuple[str, Any]], *, as_tuples: bool, n_process: int
    ) -> Iterator[Any]:
        assert as_tuples
        assert n_process == 1
        for text, context in texts:
            yield self._doc(text), context

    def _doc(self, text: str) -> Doc:
        if "!" in text.split():
            raise KeyboardInterrupt
        tokens = [
            Token(i, "\n" if word == "_" else word, "dep") for i, word in enumerate(text.split())
        ]
        sents, start = [], 0
        for token in tokens:
            if token.text == "." or token is tokens[-1]:
                sents.append(self._sentence(Span(tokens[start : token.i + 1]), tokens))
                start = token.i + 1
        return Doc(sents, parsed=self.parsed)

    def _sentence(self, sentence: Span, tokens: list[Token]) -> Span:
        root = sentence[min(1, len(sentence) - 1)]
        for token in sentence:
            token.head = root
            if token.text in ("\n", "*") and token.i > sentence[0].i:
                token.head = tokens[token.i - 1]
            if token.text == "^":
                token.head = tokens[0]
        root.head, root.dep_ = root, "ROOT"
        return sentence


def stand_in(folder: Path) -> ModuleType:
    """The module; the files of its one pipeline are in the folder, and may be changed."""
    module: Any = ModuleType("spacy")
    module.__version__ = "3.8.2"
    module.Language = Pipeline  # which `datasets` looks for wherever there is a module spacy
    module.asked = []
    (folder / "model").write_text("weights")

    def load(name: str, *, exclude: list[str]) -> Pipeline:
        module.asked.append((name, exclude))
        if name != "en_core_web_sm":
            raise OSError(f"[E050] Can't find model {name!r}.")
        return Pipeline(folder)

    module.load = load
    return module
