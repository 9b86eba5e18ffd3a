"""Penn brackets, read a tree at a time: `(S (NP (DT the) (NN dog)) (VP (VBD barked)))`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from hf_grok.datasets_scripts.readers.bad_lines import BadLines
from hf_grok.errors import UserError
from hf_grok.text.files import Line, read_lines
from hf_grok.text.printable import quoted

DEEPEST = 500
"""Brackets within brackets: no treebank's sentence has as many."""
_TOKEN = re.compile(r"[()]|[^\s()]+")
_ESCAPES = {
    **{"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}"},
    **{r"\/": "/", r"\*": "*"},
}
_ESCAPED = re.compile("|".join(map(re.escape, _ESCAPES)))


@dataclass(frozen=True)
class PennTree:
    """A constituent, or a word under its part of speech.

    Attributes:
        line: where its bracket opens.
        label: as it is written, with functions and indices ("NP-SBJ-1"); may be empty at the root.
        children: none of a word.
        word: None of a constituent; brackets and slashes as they stand in the text.
    """

    line: Line
    label: str
    children: tuple[PennTree, ...] = ()
    word: str | None = None

    def leaves(self) -> Iterator[PennTree]:
        """The words, from the first to the last."""
        if self.word is not None:
            yield self
        for child in self.children:
            yield from child.leaves()


def read_penn(file: str | os.PathLike[str], bad: BadLines | None = None) -> Iterator[PennTree]:
    """The trees of a file of Penn brackets, in order, as they are written.

    A bracket in the first column begins a tree, as in the Penn Treebank's and GUM's files and in
    those of a tree a line; all of a tree's other lines are indented. So a bracket that is not
    closed is found in its own tree, and not at the end of the file.

    Args:
        file: its path.
        bad: counts the trees that are wrong and leaves them out, if it is to skip them; by default
            the first one ends the reading.

    Raises:
        UserError: no tree at all; with file:line, a bracket that is not closed, one too many that
            closes, words that are not in a bracket of their own, a bracket with nothing in it,
            more than 500 brackets within one another, text that is no UTF-8.

    Source: Marcus et al. 1993, "Building a large annotated corpus of English: the Penn Treebank".
    """
    bad = bad or BadLines()
    found = False
    for block in _blocks(read_lines(file, flawed=True)):
        try:
            trees = _Reading().trees(block)
        except UserError as error:
            bad.meet(error)
            continue
        found = found or bool(trees)
        yield from trees
    if not found:
        told = f" ({bad.told()})" if bad.count else ""
        raise UserError(f"{os.fspath(file)}: the file holds no tree: expected brackets{told}")


def _blocks(lines: Iterator[Line]) -> Iterator[list[Line]]:
    block: list[Line] = []
    for line in lines:
        if line.text.startswith("(") and block:
            yield block
            block = []
        block.append(line)
    if block:
        yield block


@dataclass
class _Open:
    """A bracket that is not closed yet."""

    line: Line
    words: list[str] = field(default_factory=list)
    children: list[PennTree] = field(default_factory=list)

    def closed(self) -> PennTree:
        words, inside = self.words, self.children
        if len(words) <= 1 and inside:
            return PennTree(self.line, "".join(words), tuple(inside))
        if len(words) == 2 and not inside:
            label, word = words
            return PennTree(self.line, label, word=_as_in_text(word))
        held = quoted(" ".join(words)) if words else "nothing"
        held += f" and {len(inside)} brackets" if inside else ""
        raise self.line.error(
            f"a bracket that holds {held}: expected (LABEL (...) (...)), or (TAG word) with one "
            "word under its part of speech"
        )


class _Reading:
    """Brackets of one block, innermost last."""

    def __init__(self) -> None:
        self._open: list[_Open] = []
        self._trees: list[PennTree] = []

    def trees(self, block: list[Line]) -> list[PennTree]:
        for line in block:
            if line.flaw is not None:
                raise line.flaw
            for token in _TOKEN.findall(line.text):
                self._take(line, token)
        if self._open:
            first, many = self._open[0].line, len(self._open)
            raise first.error(
                f"{'1 bracket' if many == 1 else f'{many} brackets'} of the tree that begins here "
                f"{'is' if many == 1 else 'are'} not closed by its end, line {block[-1].number}; "
                f"the innermost opens in line {self._open[-1].line.number}"
            )
        return self._trees

    def _take(self, line: Line, token: str) -> None:
        if token == "(":
            if len(self._open) == DEEPEST:
                raise line.error(f"more than {DEEPEST} brackets within one another")
            self._open.append(_Open(line))
        elif not self._open:
            told = "a bracket closes that was not opened" if token == ")" else quoted(token)
            raise line.error(f"{told}, outside of every tree: expected a tree, (S (NP ...) ...)")
        elif token != ")":
            self._open[-1].words.append(token)
            self._refuse_late_word(token)
        else:
            tree = self._open.pop().closed()
            (self._open[-1].children if self._open else self._trees).append(tree)

    def _refuse_late_word(self, token: str) -> None:
        here = self._open[-1]
        if here.children:
            raise here.line.error(
                f"{quoted(token)} stands beside brackets: expected each word in a bracket of its "
                "own, under its part of speech, as in (NN dog)"
            )


def _as_in_text(word: str) -> str:
    return _ESCAPED.sub(lambda match: _ESCAPES[match[0]], word)
