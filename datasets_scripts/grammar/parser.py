"""The parser of a grammar: every derivation of a sentence, agreement checked, none guessed.

Memoised recursive descent over the very rules that generate. The result is the skeleton that
generation would have used, so annotation of read and of generated sentences is one and the same.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from hf_grok.datasets_scripts.grammar.derivation import Skeleton
from hf_grok.datasets_scripts.grammar.grammar import Grammar
from hf_grok.errors import UserError
from hf_grok.text.printable import quoted

Choices = tuple[int, ...]
_LONGEST_WORD = 200  # for which a near one is looked for: that takes time by its square
# The lexical categories that a word can belong to; all that the rules see of it.
WordClass = frozenset[str]


class Parser:
    """Sentence -> skeleton, for an unambiguous grammar without left recursion.

    Raises:
        UserError: a category of the grammar can begin with itself.
    """

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self._classes = _word_classes(grammar)
        self._parsed: dict[tuple[WordClass, ...], Skeleton] = {}
        _refuse_left_recursion(grammar)

    def parse(self, words: Sequence[str]) -> Skeleton:
        """The skeleton of a sentence.

        Raises:
            UserError: a word outside the lexicon (named), an ungrammatical sentence (says at which
                word parsing stopped and what could have stood there), or more than one derivation.
        """
        classes = tuple(self._class_of(word) for word in words)
        if classes not in self._parsed:
            self._parsed[classes] = self._parse(words, classes)
        return self._parsed[classes]

    def _class_of(self, word: str) -> WordClass:
        if word not in self._classes:
            raise _unknown_word(word, self._classes)
        return self._classes[word]

    def _parse(self, words: Sequence[str], classes: tuple[WordClass, ...]) -> Skeleton:
        chart = _Chart(self.grammar, classes)
        found = chart.derivations(self.grammar.start, 0)
        complete = [choices for end, choices in found if end == len(words)]
        if not complete:
            raise self._stopped(words, chart, max((end for end, _ in found), default=-1))
        if len(complete) > 1:
            raise UserError(
                f"{len(complete)} derivations of {quoted(' '.join(words))}: expected one"
            )
        return self.grammar.skeleton(complete[0])

    def _stopped(self, words: Sequence[str], chart: _Chart, end: int) -> UserError:
        position = max(end, chart.furthest)
        expected = "the end of the sentence"
        if chart.furthest == position:
            expected = " or ".join(self._described(name) for name in sorted(chart.expected))
        seen = (
            f"word {position + 1}, {quoted(words[position])}"
            if position < len(words)
            else "its end"
        )
        return UserError(
            f"ungrammatical sentence {quoted(' '.join(words), 160)}: parsing stopped at {seen}; "
            f"expected {expected}"
        )

    def _described(self, category: str) -> str:
        forms = self.grammar.lexicon[category].forms
        return f"{category} ({', '.join(forms[:3])}{', ...' if len(forms) > 3 else ''})"


def _unknown_word(word: str, known: Iterable[str]) -> UserError:
    near = difflib.get_close_matches(word, known, n=1) if len(word) < _LONGEST_WORD else []
    guess = f" Did you mean {near[0]!r}?" if near else ""
    return UserError(f"the word {quoted(word)} is outside the lexicon.{guess}")


def _word_classes(grammar: Grammar) -> dict[str, WordClass]:
    classes: dict[str, WordClass] = {}
    for category, words in grammar.lexicon.items():
        for form in words.forms:
            classes[form] = classes.get(form, frozenset()) | {category}
    return classes


@dataclass
class _Chart:
    """Derivations found so far over one sentence, and how far any of them got."""

    grammar: Grammar
    classes: tuple[WordClass, ...]
    furthest: int = -1
    expected: set[str] = field(default_factory=set)
    known: dict[tuple[str, int], list[tuple[int, Choices]]] = field(default_factory=dict)

    def derivations(self, category: str, start: int) -> list[tuple[int, Choices]]:
        """Every (end, rules in preorder) of the category from position `start`."""
        if (category, start) not in self.known:
            lexical = category in self.grammar.lexicon
            found = self._word(category, start) if lexical else self._rewritten(category, start)
            self.known[category, start] = list(found)
        return self.known[category, start]

    def _word(self, category: str, start: int) -> Iterator[tuple[int, Choices]]:
        if start < len(self.classes) and category in self.classes[start]:
            yield start + 1, ()
            return
        if start > self.furthest:
            self.furthest, self.expected = start, set()
        if start == self.furthest:
            self.expected.add(category)

    def _rewritten(self, category: str, start: int) -> Iterator[tuple[int, Choices]]:
        for number in self.grammar.rules_of(category):
            for end, choices in self._sequence(self.grammar.rules[number].children, start):
                yield end, (number, *choices)

    def _sequence(self, categories: Sequence[str], start: int) -> Iterator[tuple[int, Choices]]:
        if not categories:
            yield start, ()
            return
        for middle, first in self.derivations(categories[0], start):
            for end, rest in self._sequence(categories[1:], middle):
                yield end, first + rest


def _refuse_left_recursion(grammar: Grammar) -> None:
    corners: dict[str, set[str]] = {}
    for rule in grammar.rules:
        corners.setdefault(rule.parent, set()).add(rule.children[0])
    for category in corners:
        reached, waiting = set[str](), [category]
        while waiting:
            fresh = corners.get(waiting.pop(), set()) - reached
            reached |= fresh
            waiting.extend(fresh)
        if category in reached:
            raise UserError(f"category {category!r} can begin with itself: it cannot be parsed")
