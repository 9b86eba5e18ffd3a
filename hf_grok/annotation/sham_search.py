"""Whether a sentence has another tree with the same offsets: a search from left to right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from hf_grok.annotation.heads import NONE

# Heads that are tried in all. Sentences of up to eight words of EWT take 3,000 at most, and longer
# ones have other trees, which the chain of `hf_grok.annotation.sham` finds.
TRIES = 20_000


def other_tree(heads: Sequence[int], tries: int = TRIES) -> tuple[list[int], list[int]] | None:
    """The first tree over the same words that has the same offsets and is not the given one.

    Args:
        heads: from 0; a root is its own head; -1 for words that take no part.
        tries: how many heads are tried before it is given up.

    Returns:
        Its heads, and for each word the word whose arc it has; None where there is none.
    """
    for tree in same_offsets(heads, tries):
        if tree != list(heads):
            return tree, _arcs_of(heads, tree)
    return None


def same_offsets(heads: Sequence[int], tries: int = TRIES) -> Iterator[list[int]]:
    """Every tree over the same words whose arcs have the same offsets, the given one included."""
    words = [word for word, head in enumerate(heads) if head != NONE]
    left = Counter(heads[word] - word for word in words)
    tree = list(heads)
    # For each word that has a head by now, the offsets that are still to be tried.
    ahead: list[Iterator[int]] = [iter(list(left))]
    used: list[int] = []
    while ahead:
        at = len(ahead) - 1
        if len(used) > at:
            left[used.pop()] += 1
        if at == len(words):
            yield list(tree)
            ahead.pop()
            continue
        offset = next(ahead[-1], None)
        if offset is None:
            ahead.pop()
            continue
        tries -= 1
        if tries < 0:
            return
        head = words[at] + offset
        if left[offset] and (not offset or _may_hang(tree, words, at, head)):
            tree[words[at]] = head
            left[offset] -= 1
            used.append(offset)
            ahead.append(iter([each for each in left if left[each]]))


def _may_hang(tree: Sequence[int], words: Sequence[int], at: int, head: int) -> bool:
    """Whether a head is a word of the tree and closes no cycle with the words before."""
    if not 0 <= head < len(tree) or tree[head] == NONE:
        return False
    last = words[at]
    while head < last and tree[head] != head:  # the words up to here have their heads
        head = tree[head]
    return head != last


def _arcs_of(heads: Sequence[int], tree: Sequence[int]) -> list[int]:
    """Arcs of one offset handed out from left to right; words without a part keep theirs."""
    givers: dict[int, list[int]] = {}
    for word, head in enumerate(heads):
        if head != NONE:
            givers.setdefault(head - word, []).append(word)
    return [word if head == NONE else givers[head - word].pop(0) for word, head in enumerate(tree)]
