"""Sham trees: random heads over the same words, with the same arcs' lengths and sides."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hf_grok.annotation.heads import NONE, ROOT, check_heads, head_places
from hf_grok.annotation.sham_chain import drawn_tree
from hf_grok.errors import UserError

# Of the words of a sentence that has no other tree with the same offsets; `NONE` is no arc.
LEFT_OUT = -2


@dataclass(frozen=True)
class ShamTree:
    """Another tree over the words of a sentence.

    Attributes:
        heads: from 1, as the gold tree's.
        arcs_of: for each word the word, from 1, whose gold arc it has now: so long, to that side,
            and of that relation.
    """

    heads: list[int]
    arcs_of: list[int]


def sham_heads(heads: Sequence[int], seed: int) -> list[int] | None:
    """The heads of `sham_tree`; None where there is no such tree."""
    tree = sham_tree(heads, seed)
    return None if tree is None else tree.heads


def sham_tree(heads: Sequence[int], seed: int) -> ShamTree | None:
    """A random other tree over the same words, whose arcs have the same offsets head - i.

    So attention that is a function of the offset alone is, summed over a sentence's sham arcs, what
    it is summed over its gold arcs: to the head, to the children and both ways, and for any choice
    of relations, since a relation goes with its offset.

    A chain of symmetric proposals from the gold tree: two words, or with half the chance each time
    one more, pass their offsets on in a ring, the mark of a root among them. A proposal stands if
    every head is then another word of the tree and no heads go in a cycle. Being symmetric, the
    chain draws from all trees that it reaches alike in the long run; it makes 20 proposals for each
    word, and 300 at least. Where it ends at the gold tree, it goes on, and at last a search from
    left to right looks for another.

    Args:
        heads: from 1, with 0 for a root and -1 for unparsed words, which stay as they are and are
            nobody's head. Several roots may be given, and their number is kept.
        seed: of the draw.

    Returns:
        Never the gold tree; None where there is no other (or none was found within the steps of
        `hf_grok.annotation.sham_search`).

    Raises:
        UserError: a head out of range, or heads that go in a cycle.
    """
    _check(heads)
    drawn = drawn_tree(rooted(heads), seed)
    if drawn is None:
        return None
    tree, arcs_of = drawn
    return ShamTree(
        [NONE if head == NONE else (head + 1) * (head != at) for at, head in enumerate(tree)],
        [at + 1 for at in arcs_of],
    )


def rooted(heads: Sequence[int]) -> list[int]:
    """Heads as in CoNLL-U numbered from 0, each root its own head; -1 for words without a parse."""
    places = head_places(heads)
    return [at if heads[at] == ROOT else place for at, place in enumerate(places)]


def _check(heads: Sequence[int]) -> None:
    check_heads(heads, "the sentence")
    for word, head in enumerate(heads, start=1):
        if head > ROOT and heads[head - 1] == NONE:
            raise UserError(
                f"word {word} has head {head}, which has no parse: expected one that has"
            )


class ShamRow(NamedTuple):
    """The sham trees of a row, in the numbering of a batch.

    Attributes:
        heads: [words], from 0; -1 for none, `LEFT_OUT` throughout a sentence that has none.
        arcs_of: [words], from 0, the word whose gold arc each has now; -1 for none.
    """

    heads: np.ndarray
    arcs_of: np.ndarray


def sham_of_row(heads: np.ndarray, keys: np.ndarray, seed: int) -> ShamRow:
    """`sham_tree` of each sentence of a row.

    A sentence is here what arcs hold together: words that a chain of arcs connects, and those that
    stand between them. Its draw depends on `seed`, its words and its heads alone, so a sentence has
    one sham tree in every epoch, batch, process and packing; two sentences of one structure but
    other words have two.

    Args:
        heads: [words], from 0; -1 for none. A word without a head is a root if it is one's head,
            else it takes no part.
        keys: [words], a number for each word's form, see `word_keys`.
        seed: 0 or more.
    """
    sham, arcs_of = np.full_like(heads, NONE), np.full_like(heads, NONE)
    for start, end in sentence_spans(heads):
        part = heads[start:end]
        places = np.arange(end - start)
        relative = np.where(part == NONE, NONE, part - start)
        is_root = (part == NONE) & np.isin(places, relative)
        content = np.concatenate([keys[start:end], relative]).astype("<i8").tobytes()
        own_seed = (seed << 32) + zlib.crc32(content)
        drawn = drawn_tree(np.where(is_root, places, relative).tolist(), own_seed)
        if drawn is None:
            sham[start:end] = LEFT_OUT
            continue
        tree, origins = np.array(drawn)
        is_arc = (tree != NONE) & (tree != places)
        sham[start:end] = np.where(is_arc, tree + start, NONE)
        arcs_of[start:end] = np.where(is_arc, origins + start, NONE)
    return ShamRow(sham, arcs_of)


def word_keys(words: Sequence[str]) -> np.ndarray:
    """crc32 of each word: the keys of `sham_of_row`, the same wherever the sentence is read."""
    return np.array([zlib.crc32(word.encode()) for word in words], dtype=np.int64)


def left_out(sham: np.ndarray, heads: np.ndarray) -> tuple[int, int]:
    """How many sentences of a row have no sham tree, and how many arcs these have."""
    without = sham == LEFT_OUT
    spans = [span for span in sentence_spans(heads) if without[span[0] : span[1]].all()]
    return len(spans), int((without & (heads != NONE)).sum())


def sentence_spans(heads: np.ndarray) -> list[tuple[int, int]]:
    """Half-open spans of words that arcs hold together, of two words or more, in order."""
    arcs = np.flatnonzero(heads != NONE)
    starts, ends = np.minimum(arcs, heads[arcs]), np.maximum(arcs, heads[arcs]) + 1
    spans: list[tuple[int, int]] = []
    for start, end in sorted(zip(starts.tolist(), ends.tolist(), strict=True)):
        if spans and start < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    return spans


def shared_arcs(heads: Sequence[int], sham: Sequence[int]) -> float:
    """Share of the gold arcs that a sham tree has too, whichever end is the head; nan without arcs.

    Offsets being kept, it is not small where arcs are short: .31 over the treebank EWT, .4 to .5
    below eight words. A sham arm therefore bears on a part of the gold arcs too.

    Args:
        heads: from 1; 0 and -1 are no arcs.
        sham: likewise.
    """
    gold, other = (
        {frozenset((word, head)) for word, head in enumerate(tree, start=1) if head > ROOT}
        for tree in (heads, sham)
    )
    return len(gold & other) / len(gold) if gold else float("nan")
