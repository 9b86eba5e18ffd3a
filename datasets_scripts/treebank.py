"""A dependency treebank as rows: words, parts of speech, heads and relations."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from hf_grok.annotation.hub_treebank import treebank_rows as treebank_rows
from hf_grok.annotation.scheme import read_scheme
from hf_grok.datasets_scripts.readers.bad_lines import BadLines
from hf_grok.datasets_scripts.readers.conllu import ParsedSentence, Word, read_conllu
from hf_grok.datasets_scripts.readers.file_rows import FileRows, Row

PUNCTUATION = "punct"


class Treebank(FileRows):
    """The sentences of a CoNLL-U file, one row each, in the file's order.

    Columns, named as those of the builders' data sets: `sent_id`, `document`, `text` (as it is
    written in the file), `words`, `upos`, `heads` (1-based, 0 for the root) and `deprels`. Words
    are the syntactic words; multiword ranges and empty nodes are left out. Rows are plain dicts of
    strings, whole numbers and lists, so `datasets.Dataset.from_list(list(treebank))` is the data
    set of them.

    Args:
        path: the file.
        keep_punct: keep the words whose relation is punct. Without them the others are numbered
            anew, and what hung on one hangs on its nearest ancestor that stays; `text` is as
            before. To leave punctuation out of a score but let the model see it, keep it here.
        skip_bad_lines: leave out the sentences that have a wrong line, instead of ending there;
            `bad` counts them.

    Attributes:
        bad: what was left out: `bad.count`, `bad.first`, `bad.told()`.

    Raises:
        UserError: there is no such file, it holds no sentence, or a line is wrong (with
            file:line); see `hf_grok.datasets_scripts.readers.conllu.read_conllu`.

    Source: https://universaldependencies.org/format.html
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        keep_punct: bool = True,
        skip_bad_lines: bool = False,
    ) -> None:
        bad = BadLines(skip_bad_lines)
        super().__init__(path, read_treebank(path, bad, keep_punct=keep_punct), bad)

    @property
    def scheme(self) -> str | None:
        """Annotation scheme of the heads, as annotation.json beside the file says; None without."""
        return read_scheme(Path(self.path))


def read_treebank(
    path: str | os.PathLike[str], bad: BadLines | None = None, *, keep_punct: bool = True
) -> list[Row]:
    """The rows of a CoNLL-U file, as `Treebank` has them.

    Args:
        path: the file.
        bad: counts the sentences that have a wrong line and leaves them out, if it is to skip
            them; by default the first one ends the reading.
        keep_punct: as in `Treebank`.

    Raises:
        UserError: as `hf_grok.datasets_scripts.readers.conllu.read_conllu`.
    """
    return [
        dependency_columns(sentence, keep_punct=keep_punct) for sentence in read_conllu(path, bad)
    ]


def dependency_columns(sentence: ParsedSentence, *, keep_punct: bool = True) -> Row:
    """The row of one sentence, as `Treebank` has it."""
    words = sentence.words if keep_punct else without_punctuation(sentence.words)
    return {
        "sent_id": sentence.sent_id,
        "document": sentence.document,
        "text": sentence.text,
        "words": [word.form for word in words],
        "upos": [word.upos for word in words],
        "heads": [word.head for word in words],
        "deprels": [word.deprel for word in words],
    }


def kept_places(words: Sequence[Word]) -> list[int]:
    """Places, from 0, of the words whose relation is not punct (or a subtype), and of the root."""
    return [place for place, word in enumerate(words) if not _is_punctuation(word)]


def without_punctuation(words: Sequence[Word]) -> tuple[Word, ...]:
    """The words whose relation is not punct (or a subtype), with heads numbered anew.

    The root stays whatever it is, so no sentence is left empty.
    """
    kept = [place + 1 for place in kept_places(words)]
    renumbered = {old: new for new, old in enumerate([0, *kept])}
    return tuple(
        Word(word.line, word.form, word.upos, renumbered[_kept_head(word, words)], word.deprel)
        for word in (words[number - 1] for number in kept)
    )


def _kept_head(word: Word, words: Sequence[Word]) -> int:
    head = word.head
    while head and _is_punctuation(words[head - 1]):
        head = words[head - 1].head
    return head


def _is_punctuation(word: Word) -> bool:
    return word.head != 0 and word.deprel.split(":")[0] == PUNCTUATION
