"""Sham trees: random heads over the same words, with the same lengths of arcs."""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence

import numpy as np

from hf_grok.errors import UserError
from hf_grok.sas.annotation import NONE, ROOT, check_no_cycle

# Proposals for each word; see `sham_heads`.
SWEEPS = 20


def sham_heads(heads: Sequence[int], seed: int) -> list[int]:
    """A random tree over the same words whose arcs have exactly the same lengths |i - head|.

    A chain of symmetric proposals from the gold tree: two words exchange the lengths of their arcs
    (a root has length 0), each then pointing left or right at random; one and the same word drawn
    twice keeps its length and draws its side anew. A proposal stands if every head is then another
    word of the tree and no heads go in a circle. Being symmetric, the chain draws from all such
    trees alike in the long run; it makes 20 proposals for each word.

    Args:
        heads: from 1, with 0 for a root and -1 for unparsed words, which stay as they are and are
            nobody's head. Several roots may be given, and their number is kept.
        seed: of the draw.

    Returns:
        Heads in the same form; the gold tree where there is no other.

    Raises:
        UserError: a head out of range, or heads that go in a circle.
    """
    _check(heads)
    tree = [0, *heads]
    words = [word for word in range(1, len(tree)) if tree[word] != NONE]
    lengths = [abs(word - head) if head > ROOT else 0 for word, head in enumerate(tree)]
    draw = random.Random(seed).random  # the one method whose numbers Python promises to keep
    for _ in range(SWEEPS * len(words)):
        one, other = words[int(draw() * len(words))], words[int(draw() * len(words))]
        new_one = _pointing(one, lengths[other], draw(), tree)
        new_other = _pointing(other, lengths[one], draw(), tree)
        if new_one == NONE or new_other == NONE:
            continue
        old = tree[one], tree[other]
        tree[one], tree[other] = new_one, new_other
        if _has_circle(tree, one, other):
            tree[one], tree[other] = old
        else:
            lengths[one], lengths[other] = lengths[other], lengths[one]
    return tree[1:]


def _pointing(word: int, length: int, side: float, tree: Sequence[int]) -> int:
    """The head at that distance, on the side drawn; -1 where no word of the tree stands."""
    if length == 0:
        return ROOT
    head = word + length if side < 0.5 else word - length
    # A head of 0 would be the root.
    return head if 0 < head < len(tree) and tree[head] != NONE else NONE


def _has_circle(tree: Sequence[int], one: int, other: int) -> bool:
    """Whether new heads of these two words close a circle; there was none before."""
    ends = []
    for word in (one, other):
        word = tree[word]
        while word not in (ROOT, one, other):
            word = tree[word]
        ends.append(word)
    return ends[0] == one or ends[1] == other or ends == [other, one]


def _check(heads: Sequence[int]) -> None:
    for word, head in enumerate(heads, start=1):
        if not NONE <= head <= len(heads) or head == word or (head > 0 and heads[head - 1] == NONE):
            raise UserError(
                f"word {word} has head {head}: expected the number of another parsed word, 1 to "
                f"{len(heads)}, 0 for a root or -1 for unparsed"
            )
    check_no_cycle([head - 1 if head > ROOT else NONE for head in heads], "the sentence", first=1)


def sham_of_row(heads: np.ndarray, keys: np.ndarray, seed: int) -> np.ndarray:
    """`sham_heads` of each sentence of a row, in the numbering of a batch.

    A sentence is here what arcs hold together: words that a chain of arcs connects, and those that
    stand between them. Its draw depends on `seed`, its words and its heads alone, so a sentence has
    one sham tree in every epoch, batch, process and packing; two sentences of one structure but
    other words have two.

    Args:
        heads: [words], from 0; -1 for none. A word without a head is a root if it is one's head,
            else it takes no part.
        keys: [words], a number for each word's form.
        seed: 0 or more.
    """
    sham = np.full_like(heads, NONE)
    for start, end in sentence_spans(heads):
        part = heads[start:end]
        relative = np.where(part == NONE, NONE, part - start)
        one_based = relative + 1
        heads_of_none = set(relative[relative != NONE].tolist())
        listed = [
            (ROOT if at in heads_of_none else NONE) if head == 0 else head
            for at, head in enumerate(one_based.tolist())
        ]
        content = np.concatenate([keys[start:end], relative]).astype("<i8").tobytes()
        drawn = np.array(sham_heads(listed, (seed << 32) + zlib.crc32(content)))
        sham[start:end] = np.where(drawn > ROOT, drawn - 1 + start, NONE)
    return sham


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

    Lengths being kept, it is not small where arcs are short: about a half for trees that join
    neighbours, at any number of words. A sham arm therefore bears on a part of the gold arcs too.

    Args:
        heads: from 1; 0 and -1 are no arcs.
        sham: likewise.
    """
    gold, other = (
        {frozenset((word, head)) for word, head in enumerate(tree, start=1) if head > ROOT}
        for tree in (heads, sham)
    )
    return len(gold & other) / len(gold) if gold else float("nan")
