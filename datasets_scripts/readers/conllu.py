"""CoNLL-U, read a sentence at a time and checked line by line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from hf_grok.annotation.heads import cycle_in
from hf_grok.datasets_scripts.readers.bad_lines import BadLines
from hf_grok.errors import UserError
from hf_grok.text.files import Line, read_lines
from hf_grok.text.printable import quoted, shortened

COLUMNS = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")

_NUMBER = "[1-9][0-9]{0,8}"
_WORD = re.compile(_NUMBER)
_RANGE = re.compile(f"({_NUMBER})-({_NUMBER})")
_EMPTY_NODE = re.compile(rf"[0-9]{{1,9}}\.{_NUMBER}")
_COMMENT = re.compile(r"#\s*(\w+)\s*=\s*(.*)")
_NEW_DOCUMENT = re.compile(r"#\s*newdoc(?:\s+id\s*=\s*(.*?))?\s*")


@dataclass(frozen=True)
class Word:
    """A syntactic word: a numbered line of the file.

    Attributes:
        line: where it stands.
        form: the word.
        upos: part of speech.
        head: number of its head, from 1; 0 for the root.
        deprel: its relation to the head.
    """

    line: Line
    form: str
    upos: str
    head: int
    deprel: str


@dataclass(frozen=True)
class ParsedSentence:
    """A sentence with a dependency tree over its words.

    Attributes:
        sent_id: of the comment of that name; empty where there is none.
        text: of the comment of that name; where there is none, the forms joined as SpaceAfter=No
            says, a multiword range by its own form.
        words: at least one.
        document: id of the last comment `# newdoc id = ...`; FILE:N of the N-th document of a file
            that has `# newdoc` without an id; before the first of them the file's name.
    """

    sent_id: str
    text: str
    words: tuple[Word, ...]
    document: str


def read_conllu(
    file: str | os.PathLike[str], bad: BadLines | None = None
) -> Iterator[ParsedSentence]:
    """The sentences of a CoNLL-U file, in order, one in memory at a time.

    Words are the syntactic words: multiword ranges (1-2) and empty nodes (1.1) are no words.

    Args:
        file: its path.
        bad: counts the sentences that have a wrong line and leaves them out, if it is to skip
            them; by default the first one ends the reading.

    Raises:
        UserError: no sentence at all; with file:line, a wrong number of columns, an empty column,
            ids that do not count up, a range that does not fit its words or overlaps another, a
            head that is no number or out of range, no root or two, a cycle, text that is no UTF-8.
    """
    bad = bad or BadLines()
    found, documents = False, 0
    document = name = os.path.basename(os.fspath(file))
    lines = read_lines(file, flawed=True)
    for is_text, block in groupby(lines, key=lambda line: line.text != "" or bool(line.flaw)):
        if is_text:
            sentence_lines = list(block)
            for matched in filter(None, map(_new_document, sentence_lines)):
                documents += 1
                document = matched[1] or f"{name}:{documents}"
            try:
                sentence = _sentence(sentence_lines, document)
            except UserError as error:
                bad.meet(error)
                continue
            found = True
            yield sentence
    if not found:
        told = f" ({bad.told()})" if bad.count else ""
        raise UserError(f"{os.fspath(file)}: the file holds no sentence: expected CoNLL-U{told}")


def _sentence(block: Sequence[Line], document: str) -> ParsedSentence:
    for line in block:
        if line.flaw is not None:
            raise line.flaw
    comments = [line.text for line in block if line.text.startswith("#")]
    nodes = [line for line in block if not line.text.startswith("#")]
    if not nodes:
        raise block[0].error("comments without a sentence below them: expected its words")
    words, text = _words_and_text(nodes)
    _check_tree(words)
    said = {name: value for name, value in map(_comment, comments) if name}
    return ParsedSentence(said.get("sent_id", ""), said.get("text", text), tuple(words), document)


def _new_document(line: Line) -> re.Match[str] | None:
    return _NEW_DOCUMENT.fullmatch(line.text) if line.text.startswith("#") else None


def _comment(text: str) -> tuple[str, str]:
    matched = _COMMENT.fullmatch(text.rstrip())
    return (matched[1], matched[2]) if matched else ("", "")


def _words_and_text(nodes: Sequence[Line]) -> tuple[list[Word], str]:
    """The words, and the text that the forms and their spaces make."""
    words: list[Word] = []
    tokens: list[str] = []
    covered, last_range = 0, nodes[0]
    for line in nodes:
        columns = _columns(line)
        number = columns[0]
        if matched := _RANGE.fullmatch(number):
            _check_range(matched, line, len(words) + 1, covered, last_range)
            covered, last_range = int(matched[2]), line
            tokens.append(_with_space(columns))
        elif not _EMPTY_NODE.fullmatch(number):
            words.append(_word(line, columns, len(words) + 1))
            if len(words) > covered:
                tokens.append(_with_space(columns))
    if not words:
        raise nodes[0].error("no syntactic word: expected a line whose id is 1")
    if covered > len(words):
        raise last_range.error(f"a multiword range to {covered} in {len(words)} words")
    return words, "".join(tokens).rstrip()


def _check_range(
    matched: re.Match[str], line: Line, following: int, covered: int, last: Line
) -> None:
    """A range begins at the next word, after what an earlier range covers, and holds words."""
    number, start, end = matched[0], int(matched[1]), int(matched[2])
    if start != following or end < start:
        raise line.error(f"multiword range {number} where word {following} is next")
    if following <= covered:
        raise line.error(
            f"multiword range {number} overlaps the one of line {last.number}, which goes to word "
            f"{covered}: expected each word under one range at most"
        )


def _columns(line: Line) -> list[str]:
    columns = line.text.split("\t")
    if len(columns) != len(COLUMNS):
        raise line.error(
            f"expected {len(COLUMNS)} columns with tabs between them ({' '.join(COLUMNS)}), got "
            f"{len(columns)}: {quoted(line.text)}"
        )
    if "" in columns:
        name = COLUMNS[columns.index("")]
        raise line.error(f"column {name} is empty: expected a value, or _ for none")
    return columns


def _with_space(columns: Sequence[str]) -> str:
    return columns[1] + ("" if "SpaceAfter=No" in columns[9].split("|") else " ")


def _word(line: Line, columns: Sequence[str], expected: int) -> Word:
    number, form, _, upos, _, _, head, deprel, *_ = columns
    if not _WORD.fullmatch(number) or int(number) != expected:
        raise line.error(
            f"id {quoted(number)}: expected {expected}, since words are numbered 1, 2, 3, ... (or "
            "a range such as 1-2, or an empty node such as 1.1)"
        )
    if not re.fullmatch("[0-9]{1,9}", head):
        raise line.error(
            f"head {quoted(head)} of word {number} ({quoted(form)}): expected the number of a "
            "word, or 0 for the root"
        )
    return Word(line, form, upos, int(head), deprel)


def _check_tree(words: Sequence[Word]) -> None:
    """One root, heads in range, and every word below the root."""
    roots = []
    for number, word in enumerate(words, start=1):
        if word.head > len(words):
            raise word.line.error(
                f"head {word.head} of word {number} ({quoted(word.form)}): the sentence has "
                f"{len(words)} words"
            )
        if word.head == 0:
            roots.append(word)
    if not roots:
        raise words[0].line.error("no word has head 0: expected one root")
    if len(roots) > 1:
        raise roots[1].line.error(f"{len(roots)} words have head 0: expected one root")
    cycle = [number + 1 for number in cycle_in([word.head - 1 for word in words])]
    if cycle:
        told = shortened(" -> ".join(map(str, cycle)), 200)
        raise words[cycle[0] - 1].line.error(f"heads go in a cycle: {told}")
