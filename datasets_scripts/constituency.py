"""A constituency treebank as rows: words, gold spans, and heads where a file has them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import zip_longest

from hf_grok.datasets_scripts.readers.bad_lines import BadLines
from hf_grok.datasets_scripts.readers.conllu import ParsedSentence, read_conllu
from hf_grok.datasets_scripts.readers.file_rows import FileRows, Row
from hf_grok.datasets_scripts.readers.penn import PennTree, read_penn
from hf_grok.datasets_scripts.readers.penn_trees import (
    DIRECTIONS,
    PUNCTUATION_TAGS,
    as_text,
    binarised,
    collapsed,
    spans_of,
    with_words,
    without_empty,
)
from hf_grok.datasets_scripts.treebank import dependency_columns, kept_places
from hf_grok.errors import UserError, unknown_name
from hf_grok.text.printable import quoted

_QUOTES = ("``", "''")


class ConstituencyTreebank(FileRows):
    """The sentences of a file of Penn brackets, one row each, in the file's order.

    Columns, named as those of the builders' data sets: `sent_id`, `text`, `words`, `xpos` (the
    tags of the trees), `spans` (half-open [start, end) of every constituent of two words or more,
    outer ones first) and `tree` (the same on a line, with labels). With `dependencies` also
    `document`, `upos`, `heads` and `deprels`, and `sent_id` and `text` are those of that file;
    without it `sent_id` is empty and `text` the words with spaces between them.

    Traces and other empty elements are taken out, with the constituents that hold nothing else;
    unary chains are one constituent. Constituents may have more than two parts unless `binarise`
    says how they are split.

    Args:
        path: the file.
        dependencies: a CoNLL-U file of the same sentences in the same order.
        keep_punct: keep punctuation among the words. Without it, words whose relation is punct go,
            or, where there are no relations, those whose tag is one of punctuation; spans and heads
            number the others. A sentence of nothing else keeps all.
        binarise: "right" makes (a b c) into (a (b c)), "left" into ((a b) c).
        skip_bad_lines: leave out the trees that are wrong, instead of ending there; `bad` counts
            them. Not with `dependencies`, which are matched by their place in the file.

    Attributes:
        bad: what was left out: `bad.count`, `bad.first`, `bad.told()`.

    Raises:
        UserError: there is no such file, it holds no tree, or a tree is wrong (with file:line; see
            `hf_grok.datasets_scripts.readers.penn.read_penn`); trees and dependencies that differ
            in their number or in a word (says in which sentence); another `binarise`.

    Source: Marcus et al. 1993, "Building a large annotated corpus of English: the Penn Treebank".
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        dependencies: str | os.PathLike[str] | None = None,
        keep_punct: bool = True,
        binarise: str | None = None,
        skip_bad_lines: bool = False,
    ) -> None:
        if binarise is not None and binarise not in DIRECTIONS:
            raise unknown_name("binarise", binarise, DIRECTIONS)
        if skip_bad_lines and dependencies is not None:
            raise UserError(
                "skip_bad_lines with dependencies: a tree that is left out would give all trees "
                "after it the heads of another sentence. Correct the file, or read it alone"
            )
        bad = BadLines(skip_bad_lines)
        rows = read_constituents(
            path, bad, dependencies=dependencies, keep_punct=keep_punct, binarise=binarise
        )
        super().__init__(path, rows, bad)

    def _counts(self) -> list[str]:
        spans = sum(len(row["spans"]) for row in self)
        return [*super()._counts(), f"{spans:,} constituents of two words or more"]


def read_constituents(
    path: str | os.PathLike[str],
    bad: BadLines | None = None,
    *,
    dependencies: str | os.PathLike[str] | None = None,
    keep_punct: bool = True,
    binarise: str | None = None,
) -> list[Row]:
    """The rows of a file of Penn brackets, as `ConstituencyTreebank` has them.

    Args:
        path: the file.
        bad: counts the trees that are wrong and leaves them out, if it is to skip them; by default
            the first one ends the reading.
        dependencies: as in `ConstituencyTreebank`.
        keep_punct: as in `ConstituencyTreebank`.
        binarise: as in `ConstituencyTreebank`.

    Raises:
        UserError: as `ConstituencyTreebank`.
    """
    trees = read_penn(path, bad)
    pairs = zip_longest(trees, ()) if dependencies is None else _paired(trees, dependencies)
    return [
        _row(tree, sentence, keep_punct=keep_punct, binarise=binarise) for tree, sentence in pairs
    ]


def _row(
    annotated: PennTree, sentence: ParsedSentence | None, *, keep_punct: bool, binarise: str | None
) -> Row:
    tree = without_empty(annotated)
    if tree is None:
        raise annotated.line.error("a tree of empty elements alone: expected a word in it")
    if sentence is not None:
        _check_same_words(tree, sentence)
    places = range(len(list(tree.leaves()))) if keep_punct else _words_proper(tree, sentence)
    kept = with_words(tree, places) or tree
    kept = collapsed(kept)
    kept = kept if binarise is None else binarised(kept, binarise)
    leaves = list(kept.leaves())
    shared = {"xpos": [leaf.label for leaf in leaves], "spans": spans_of(kept)}
    if sentence is not None:
        columns = dependency_columns(sentence, keep_punct=keep_punct)
        return {**columns, **shared, "tree": as_text(kept)}
    words = [str(leaf.word) for leaf in leaves]
    text = " ".join(str(leaf.word) for leaf in tree.leaves())
    return {"sent_id": "", "text": text, "words": words, **shared, "tree": as_text(kept)}


def _words_proper(tree: PennTree, sentence: ParsedSentence | None) -> set[int]:
    """Places of the words that are no punctuation; all, where there are no others."""
    if sentence is not None:
        return set(kept_places(sentence.words))
    tags = [leaf.label for leaf in tree.leaves()]
    proper = {place for place, tag in enumerate(tags) if tag not in PUNCTUATION_TAGS}
    return proper or set(range(len(tags)))


def _paired(
    trees: Iterator[PennTree], dependencies: str | os.PathLike[str]
) -> Iterator[tuple[PennTree, ParsedSentence]]:
    """Each tree with the sentence in its place."""
    both = zip_longest(trees, read_conllu(dependencies))
    for number, (tree, sentence) in enumerate(both, start=1):
        if tree is None:
            raise UserError(
                f"{sentence.words[0].line.place}: sentence {number} ({quoted(sentence.text)}) has "
                f"no tree: the trees end after {number - 1:,}. Expected the same sentences in the "
                "same order"
            )
        if sentence is None:
            raise tree.line.error(
                f"tree {number} has no sentence in {os.fspath(dependencies)}, which ends after "
                f"{number - 1:,}. Expected the same sentences in the same order"
            )
        yield tree, sentence


def _check_same_words(tree: PennTree, sentence: ParsedSentence) -> None:
    leaves, words = list(tree.leaves()), sentence.words
    for place, (leaf, word) in enumerate(zip(leaves, words, strict=False), start=1):
        if not _same(str(leaf.word), word.form):
            raise leaf.line.error(
                f"word {place} of the tree is {quoted(str(leaf.word))}, and "
                f"{quoted(word.form)} in {_told(sentence, place)}. Expected the same words: is it "
                "the same sentence?"
            )
    if len(leaves) != len(words):
        raise tree.line.error(
            f"the tree has {len(leaves)} words, and {_told(sentence, 1)} has {len(words)}. "
            "Expected the same words"
        )


def _same(leaf: str, form: str) -> bool:
    """Whether a word is the same; the Penn Treebank writes quotation marks as `` and ''."""
    return leaf == form or (leaf in _QUOTES and form in ('"', "“", "”", *_QUOTES))


def _told(sentence: ParsedSentence, place: int) -> str:
    name = f"sentence {quoted(sentence.sent_id)}" if sentence.sent_id else "the sentence"
    return f"{name} at {sentence.words[place - 1].line.place}"
