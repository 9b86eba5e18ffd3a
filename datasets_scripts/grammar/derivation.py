"""What one derivation says about its words: gold tree, dependency heads, relations.

A `Skeleton` is a derivation without its lexical choices. Everything the probes need from a gold
analysis is a function of the skeleton, so it is worked out once for all sentences that share it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

PUNCTUATION = "punct"


@dataclass(frozen=True)
class Rule:
    """parent -> children, with the relation that the rule puts between their head words.

    Args:
        parent: the category that is rewritten, agreement features in brackets: "NP[n]".
        children: one category (no constituent of its own) or two (one binary constituent).
        weight: relative to the other rules of the same parent; positive.
        head: 0 or 1, the child whose head word is the head word of the whole.
        relation: UD relation of the other child's head word to that word. A binary rule with
            relation "punct" makes no constituent: gold trees leave punctuation out.
        name: what the rule is called by those who ask which one was used.
    """

    parent: str
    children: tuple[str, ...]
    weight: float = 1.0
    head: int = 0
    relation: str = ""
    name: str = ""


@dataclass(frozen=True)
class Node:
    """One category of a derivation over words [start, end); a leaf has no rule."""

    category: str
    start: int
    end: int
    rule: Rule | None = None
    children: tuple[Node, ...] = ()

    def walk(self) -> Iterator[Node]:
        """This node and all below it, in preorder."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def head_word(self) -> int:
        """0-based position of the head word."""
        return self.start if self.rule is None else self.children[self.rule.head].head_word

    @property
    def is_constituent(self) -> bool:
        """Whether the node counts in the gold tree: two children, none of them punctuation."""
        return self.rule is not None and len(self.children) == 2 and not self.holds_punctuation

    @property
    def holds_punctuation(self) -> bool:
        """Whether one of the children is punctuation."""
        return self.rule is not None and self.rule.relation == PUNCTUATION


def spans(root: Node) -> list[list[int]]:
    """Half-open [start, end) of every constituent of two words or more, outer ones first."""
    return [[node.start, node.end] for node in root.walk() if node.is_constituent]


def arcs(root: Node) -> tuple[list[int], list[str]]:
    """1-based head of each word (0 = root) and its UD relation, as in CoNLL-U."""
    heads, relations = [0] * root.end, ["root"] * root.end
    for node in root.walk():
        if node.rule is not None and len(node.children) == 2:
            dependent = node.children[1 - node.rule.head].head_word
            heads[dependent] = node.head_word + 1
            relations[dependent] = node.rule.relation
    return heads, relations


def bracket_template(node: Node) -> str:
    """The gold tree with `{}` for each word that it covers: `(({} {}) ({} {}))`."""
    if node.rule is None:
        return "{}"
    parts = [bracket_template(child) for child in node.children]
    if node.holds_punctuation:
        return parts[node.rule.head]
    return parts[0] if len(parts) == 1 else f"({' '.join(parts)})"


class Skeleton:
    """A derivation without its lexical choices, and the annotation that follows from it.

    Attributes:
        root: the derivation as nodes.
        categories: the lexical category of each word, agreement features included.
        heads: 1-based head of each word, 0 = root.
        deprels: UD relation of each word.
        spans: the gold binary tree over the words without punctuation.
        template: the same tree as a format string with one `{}` a word.
    """

    def __init__(self, root: Node) -> None:
        self.root = root
        self.categories = tuple(node.category for node in root.walk() if node.rule is None)
        self.spans = spans(root)
        self.heads, self.deprels = arcs(root)
        self.template = bracket_template(root)

    def first(self, category: str) -> Node:
        """The first node in preorder whose category, features aside, is `category`.

        Raises:
            KeyError: the derivation has no such node.
        """
        for node in self.root.walk():
            if bare(node.category) == category:
                return node
        raise KeyError(category)


def bare(category: str) -> str:
    """The category without its features: "NP[sg]" -> "NP"."""
    return category.partition("[")[0]


def feature(category: str) -> str:
    """The features of a category: "NP[sg]" -> "sg"; empty when it has none."""
    return category.partition("[")[2].rstrip("]")
