"""The chain of sham trees as it is defined: every proposal is made, then judged as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hf_grok.annotation.heads import NONE


def slow_chain(
    heads: Sequence[int], proposals: int, draw: Callable[[], float]
) -> tuple[bool, list[int], list[int]]:
    """Whether a proposal stood, the heads afterwards, and whose gold arc each word has then."""
    tree, arcs_of, moved = list(heads), list(range(len(heads))), False
    words = [word for word, head in enumerate(heads) if head != NONE]
    for _ in range(proposals if len(words) > 2 else 0):
        several, chosen = 2, list[int]()
        while several < len(words) and draw() < 0.5:
            several += 1
        while len(chosen) < several:
            word = words[int(draw() * len(words))]
            if word not in chosen:
                chosen.append(word)
        proposed, origins = list(tree), list(arcs_of)
        for word, giver in zip(chosen, [*chosen[1:], chosen[0]], strict=True):
            proposed[word] = word + tree[giver] - giver
            origins[word] = arcs_of[giver]
        if stands(proposed, words):
            tree, arcs_of, moved = proposed, origins, True
    return moved, tree, arcs_of


def stands(tree: Sequence[int], words: Sequence[int]) -> bool:
    """Whether every head is a word of the tree, and every way up ends at a root."""
    if any(tree[word] not in words for word in words):
        return False
    for word in words:
        seen = set[int]()
        while tree[word] != word:
            if word in seen:
                return False
            seen.add(word)
            word = tree[word]
    return True
