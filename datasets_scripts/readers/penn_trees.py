"""From a tree as it is annotated to the tree that is scored: pure functions, in this order."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import replace

from hf_grok.datasets_scripts.readers.penn import PennTree
from hf_grok.errors import unknown_name

EMPTY = "-NONE-"
ROOTS = ("", "ROOT", "TOP", "S1")
"""Labels of the bracket around a tree, which is no constituent."""
PUNCTUATION_TAGS = frozenset((",", ":", ".", "``", "''", "-LRB-", "-RRB-", "HYPH", "NFP"))
"""Tags of punctuation: the Penn Treebank's, and OntoNotes' for hyphens and other signs."""
LEFT, RIGHT = DIRECTIONS = ("left", "right")
_JOINED = "+"


def without_empty(tree: PennTree) -> PennTree | None:
    """The tree without traces and other empty elements (-NONE-); None if nothing else is in it."""
    return _kept(tree, lambda leaf: leaf.label != EMPTY)


def with_words(tree: PennTree, places: Container[int]) -> PennTree | None:
    """The tree of the words at these places, from 0; constituents without a word fall away."""
    place = {id(leaf): number for number, leaf in enumerate(tree.leaves())}
    return _kept(tree, lambda leaf: place[id(leaf)] in places)


def _kept(tree: PennTree, keep: Callable[[PennTree], bool]) -> PennTree | None:
    if tree.word is not None:
        return tree if keep(tree) else None
    children = tuple(found for child in tree.children if (found := _kept(child, keep)) is not None)
    return replace(tree, children=children) if children else None


def collapsed(tree: PennTree) -> PennTree:
    """The tree without unary chains: X over nothing but Y is "X+Y", a root over Y is Y.

    Parts of speech stay: (NP (NN dog)) is (NP (NN dog)).
    """
    while len(tree.children) == 1 and tree.children[0].word is None:
        child = tree.children[0]
        above = () if tree.label in ROOTS else (tree.label,)
        tree = replace(child, label=_JOINED.join((*above, child.label)))
    return replace(tree, children=tuple(map(collapsed, tree.children)))


def binarised(tree: PennTree, direction: str) -> PennTree:
    """The tree with two children a node at most.

    "right" makes (X a b c d) into (X a (X| b (X| c d))), "left" into (X (X| (X| a b) c) d).

    Raises:
        UserError: another direction.
    """
    if direction not in DIRECTIONS:
        raise unknown_name("direction of binarise", direction, DIRECTIONS)
    children = [binarised(child, direction) for child in tree.children]
    while len(children) > 2:
        pair = slice(-2, None) if direction == RIGHT else slice(None, 2)
        inner = PennTree(children[pair][0].line, f"{tree.label}|", tuple(children[pair]))
        children[pair] = [inner]
    return replace(tree, children=tuple(children))


def spans_of(tree: PennTree) -> list[list[int]]:
    """Half-open [start, end) of every constituent of two words or more, outer ones first.

    Each once, if the tree is `collapsed`.
    """
    found: list[list[int]] = []

    def walk(node: PennTree, start: int) -> int:
        if node.word is not None:
            return start + 1
        span = [start, start]
        found.append(span)
        for child in node.children:
            span[1] = walk(child, span[1])
        return span[1]

    walk(tree, 0)
    return [span for span in found if span[1] - span[0] > 1]


def as_text(tree: PennTree) -> str:
    """The tree on a line, brackets among the words written as in the Penn Treebank."""
    if tree.word is not None:
        return f"({tree.label} {tree.word.replace('(', '-LRB-').replace(')', '-RRB-')})"
    return f"({' '.join([*filter(None, [tree.label]), *map(as_text, tree.children)])})"
