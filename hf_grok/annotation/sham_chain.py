"""The chain of random proposals that draws a sham tree, move by move."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from hf_grok.annotation.heads import NONE
from hf_grok.annotation.sham_search import other_tree

# Proposals for each word in a round, and in all of a short sentence's; see `sham.sham_tree`.
SWEEPS = 20
AT_LEAST = 300
# Rounds, while the chain comes back to the gold tree.
ROUNDS = 3


def drawn_tree(heads: Sequence[int], seed: int) -> tuple[list[int], list[int]] | None:
    """The heads of a sham tree, and of each word the word whose gold arc it has now; or None.

    Args:
        heads: from 0; a root is its own head, so that its offset is 0; -1 for what takes no part.
        seed: of the draw.
    """
    chain = Chain(heads)
    draw = random.Random(seed).random  # the one method whose numbers Python promises to keep
    for _ in range(ROUNDS):
        moved = chain.go(max(SWEEPS * len(chain.words), AT_LEAST), draw)
        if chain.tree != list(heads):
            return chain.tree, chain.arcs_of
        if not moved:
            break
    return other_tree(heads)


class Chain:
    """Heads as `drawn_tree` takes them, and the offset and origin of each word's arc."""

    def __init__(self, heads: Sequence[int]) -> None:
        self.tree = list(heads)
        self.words = [word for word, head in enumerate(heads) if head != NONE]
        self.offsets = [head - word for word, head in enumerate(heads)]
        self.arcs_of = list(range(len(self.tree)))

    def go(self, proposals: int, draw: Callable[[], float]) -> bool:
        """Make so many proposals; whether any of them stood.

        A corpus of ten million words makes two hundred million of them: the pair, which is half of
        all proposals, is written out.
        """
        words, count, moved = self.words, len(self.words), False
        if count <= 2:
            return False
        for _ in range(proposals):
            several = 2
            while several < count and draw() < 0.5:
                several += 1
            first = words[int(draw() * count)]
            other = words[int(draw() * count)]
            while other == first:
                other = words[int(draw() * count)]
            if several == 2:
                stood = self._exchange(first, other)
            else:
                chosen = [first, other]
                while len(chosen) < several:
                    word = words[int(draw() * count)]
                    if word not in chosen:
                        chosen.append(word)
                stood = self._pass_on(chosen)
            if stood:
                moved = True
        return moved

    def _exchange(self, first: int, other: int) -> bool:
        """`_pass_on` of two words."""
        tree, offsets, arcs_of = self.tree, self.offsets, self.arcs_of
        to_first, to_other = offsets[other], offsets[first]
        if to_first != to_other:
            new_first, new_other = first + to_first, other + to_other
            size = len(tree)
            if not (0 <= new_first < size and 0 <= new_other < size):
                return False
            if tree[new_first] == NONE or tree[new_other] == NONE:
                return False
            old_first, old_other = tree[first], tree[other]
            tree[first], tree[other] = new_first, new_other
            if not (_reaches_a_root(tree, first) and _reaches_a_root(tree, other)):
                tree[first], tree[other] = old_first, old_other
                return False
            offsets[first], offsets[other] = to_first, to_other
        arcs_of[first], arcs_of[other] = arcs_of[other], arcs_of[first]
        return True

    def _pass_on(self, chosen: Sequence[int]) -> bool:
        """Each word takes the offset of the next, the last that of the first, if a tree remains."""
        tree, offsets, arcs_of = self.tree, self.offsets, self.arcs_of
        size, last = len(tree), chosen[0]
        new = []
        for at in range(len(chosen)):
            giver = chosen[at + 1] if at + 1 < len(chosen) else last
            head = chosen[at] + offsets[giver]
            if not 0 <= head < size or tree[head] == NONE:
                return False
            new.append(head)
        old = [tree[word] for word in chosen]
        for word, head in zip(chosen, new, strict=True):
            tree[word] = head
        for word in chosen:
            if not _reaches_a_root(tree, word):
                for changed, head in zip(chosen, old, strict=True):
                    tree[changed] = head
                return False
        arcs = [(offsets[giver], arcs_of[giver]) for giver in (*chosen[1:], last)]
        for word, (offset, origin) in zip(chosen, arcs, strict=True):
            offsets[word], arcs_of[word] = offset, origin
        return True


def _reaches_a_root(tree: Sequence[int], word: int) -> bool:
    """Whether the way up from a word ends at a root, and not in a cycle."""
    for _ in tree:
        head = tree[word]
        if head == word:
            return True
        word = head
    return False
