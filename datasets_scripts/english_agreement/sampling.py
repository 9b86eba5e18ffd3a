"""Derivations of a recursive grammar, drawn one by one with their heads, relations and tree.

P(derivation) = product over its rules of weight / (sum of the weights of the same parent). Such a
grammar has no end of derivations, so none is kept: what a derivation says about its words is
written down while it is drawn.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import NamedTuple

from hf_grok.datasets_scripts.grammar.derivation import PUNCTUATION, Rule

Alternatives = tuple[tuple[float, ...], tuple[Rule, ...]]


class Structure(NamedTuple):
    """A derivation without its words.

    Attributes:
        categories: the lexical category of each word, features included.
        heads: 1-based head of each word, 0 = root.
        deprels: UD relation of each word.
        spans: half-open [start, end) of every constituent of two words or more, outer ones first.
    """

    categories: list[str]
    heads: list[int]
    deprels: list[str]
    spans: list[list[int]]


class _TooLongError(Exception):
    pass


class Sampler:
    """Draws structures.

    Args:
        rules: already instantiated, at most binary.
        start: the category that every derivation begins with.
        longest: most words; a draw that outgrows it is given up.
    """

    def __init__(self, rules: Sequence[Rule], start: str, longest: int) -> None:
        self._alternatives = _by_parent(rules)
        self._start = start
        self._longest = longest

    def sample(self, generator: random.Random) -> Structure | None:
        """A structure drawn with its probability; None where it outgrew the longest."""
        structure = Structure([], [], [], [])
        try:
            self._expand(self._start, structure, generator.random)
        except _TooLongError:
            return None
        return structure

    def _expand(self, category: str, structure: Structure, draw: Callable[[], float]) -> int:
        """Write down all words of a category; the 0-based position of its head word."""
        alternatives = self._alternatives.get(category)
        if alternatives is None:
            return self._leaf(category, structure)
        thresholds, rules = alternatives
        rule = rules[bisect(thresholds, draw())] if thresholds else rules[0]
        if len(rule.children) == 1:
            return self._expand(rule.children[0], structure, draw)
        span = [len(structure.categories), 0]
        if rule.relation != PUNCTUATION:
            structure.spans.append(span)
        head = self._expand(rule.children[0], structure, draw)
        dependent = self._expand(rule.children[1], structure, draw)
        span[1] = len(structure.categories)
        if rule.head == 1:
            head, dependent = dependent, head
        structure.heads[dependent] = head + 1
        structure.deprels[dependent] = rule.relation
        return head

    def _leaf(self, category: str, structure: Structure) -> int:
        position = len(structure.categories)
        if position == self._longest:
            raise _TooLongError
        structure.categories.append(category)
        structure.heads.append(0)
        structure.deprels.append("root")
        return position


def _by_parent(rules: Sequence[Rule]) -> dict[str, Alternatives]:
    grouped: dict[str, list[Rule]] = {}
    for rule in rules:
        grouped.setdefault(rule.parent, []).append(rule)
    return {parent: (_thresholds(own), tuple(own)) for parent, own in grouped.items()}


def _thresholds(rules: Sequence[Rule]) -> tuple[float, ...]:
    """Running sums of the rules' probabilities, the last 1 left out."""
    total = sum(rule.weight for rule in rules)
    return tuple(accumulate(rule.weight / total for rule in rules))[:-1]


def bracketed(words: Sequence[str], spans: Sequence[Sequence[int]]) -> str:
    """The tree over words as brackets: `((the newt) sleeps)`. Words beyond it are left out."""
    opened, closed = [0] * len(words), [0] * (len(words) + 1)
    for start, end in spans:
        opened[start] += 1
        closed[end] += 1
    covered = spans[0][1] if spans else 0
    return " ".join(
        "(" * opened[place] + words[place] + ")" * closed[place + 1] for place in range(covered)
    )


def depth(structure: Structure, relations: Sequence[str]) -> int:
    """Most arcs with one of the relations on the way from a word up to the root."""
    deepest = 0
    for place, relation in enumerate(structure.deprels):
        if relation in relations:
            deepest = max(deepest, _relations_above(structure, place, relations))
    return deepest


def _relations_above(structure: Structure, place: int, relations: Sequence[str]) -> int:
    count, word = 0, place + 1
    while word:
        count += structure.deprels[word - 1] in relations
        word = structure.heads[word - 1]
    return count
