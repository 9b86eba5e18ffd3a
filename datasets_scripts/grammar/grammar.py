"""A probabilistic context-free grammar with agreement features and a lexicon.

P(derivation) = product over its rules of weight / (sum of the weights of the same parent), times
1 / (number of forms) for each word. Sampling takes a seeded `random.Random`, whose stream is the
same on every machine and in every process.
"""

from __future__ import annotations

import itertools
import random
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

from hf_grok.datasets_scripts.grammar.derivation import Node, Rule, Skeleton
from hf_grok.errors import UserError


@dataclass(frozen=True)
class Words:
    """The forms of one lexical category, all equally likely, and their UD part of speech."""

    upos: str
    forms: tuple[str, ...]


def instantiate(rules: Iterable[Rule], variables: Mapping[str, Sequence[str]]) -> list[Rule]:
    """Each rule once for every value of the feature variables that occur in it.

    With `variables={"n": ("sg", "pl")}`, `NP[n] -> Base[n] RC[n]` becomes two rules in which the
    number is shared. A weight counts for each of the instances.
    """
    made = []
    for rule in rules:
        used = [
            name for name in variables if f"[{name}]" in " ".join((rule.parent, *rule.children))
        ]
        for values in itertools.product(*(variables[name] for name in used)):
            made.append(_bind(rule, dict(zip(used, values, strict=True))))
    return made


def _bind(rule: Rule, values: Mapping[str, str]) -> Rule:
    def bound(category: str) -> str:
        for name, value in values.items():
            category = category.replace(f"[{name}]", f"[{value}]")
        return category

    children = tuple(bound(child) for child in rule.children)
    return replace(rule, parent=bound(rule.parent), children=children)


@dataclass(frozen=True)
class _Alternatives:
    """The rules of one parent with the running sum of their probabilities, the last 1 left out."""

    rules: tuple[int, ...]
    thresholds: tuple[float, ...]
    probabilities: tuple[float, ...]


class Grammar:
    """Weighted rules over `start`, and a lexicon of the categories that no rule rewrites.

    Args:
        rules: already instantiated (see `instantiate`); at most binary.
        lexicon: lexical category -> its forms.
        start: the category that every derivation begins with.

    Raises:
        UserError: a category without rules or forms, or with both; a weight that is not positive;
            a rule that is neither unary nor binary.
    """

    def __init__(self, rules: Sequence[Rule], lexicon: Mapping[str, Words], start: str) -> None:
        self.rules = tuple(rules)
        self.lexicon = dict(lexicon)
        self.start = start
        self._alternatives = _group(self.rules)
        self._skeletons: dict[tuple[int, ...], Skeleton] = {}
        _check(self.rules, self.lexicon, start)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """Every form of the lexicon once, sorted."""
        return tuple(sorted({form for words in self.lexicon.values() for form in words.forms}))

    def rules_of(self, category: str) -> tuple[int, ...]:
        """Numbers of the rules that rewrite a category."""
        return self._alternatives[category].rules

    def sample(self, generator: random.Random) -> Skeleton:
        """A skeleton drawn with its probability under the grammar."""
        choices: list[int] = []
        stack = [self.start]
        while stack:
            alternatives = self._alternatives.get(stack.pop())
            if alternatives is not None:
                thresholds = alternatives.thresholds
                pick = bisect(thresholds, generator.random()) if thresholds else 0
                choices.append(alternatives.rules[pick])
                stack.extend(self.rules[choices[-1]].children[::-1])
        return self.skeleton(tuple(choices))

    def fill(self, skeleton: Skeleton, generator: random.Random) -> list[str]:
        """Words for a skeleton, each uniform among the forms of its category."""
        draw = generator.random
        lexicon = self.lexicon
        forms = [lexicon[category].forms for category in skeleton.categories]
        return [choice[int(draw() * len(choice))] for choice in forms]

    def upos(self, skeleton: Skeleton) -> list[str]:
        """UD part of speech of each word."""
        return [self.lexicon[category].upos for category in skeleton.categories]

    def skeleton(self, choices: tuple[int, ...]) -> Skeleton:
        """The skeleton of a derivation: rule numbers in preorder. Equal choices, same object."""
        if choices not in self._skeletons:
            self._skeletons[choices] = Skeleton(self._grow(self.start, iter(choices), 0))
        return self._skeletons[choices]

    def _grow(self, category: str, choices: Iterator[int], start: int) -> Node:
        if category in self.lexicon:
            return Node(category, start, start + 1)
        rule = self.rules[next(choices)]
        children: list[Node] = []
        for child in rule.children:
            children.append(self._grow(child, choices, children[-1].end if children else start))
        return Node(category, start, children[-1].end, rule, tuple(children))

    def skeletons(self) -> Iterator[tuple[Skeleton, float]]:
        """Every skeleton of the grammar with its probability; endless for a recursive grammar."""
        for choices, probability in self._derivations((self.start,)):
            yield self.skeleton(choices), probability

    def _derivations(self, categories: tuple[str, ...]) -> Iterator[tuple[tuple[int, ...], float]]:
        if not categories:
            yield (), 1.0
            return
        first, rest = categories[0], categories[1:]
        alternatives = self._alternatives.get(first)
        if alternatives is None:
            yield from self._derivations(rest)
            return
        for rule, share in zip(alternatives.rules, alternatives.probabilities, strict=True):
            for choices, probability in self._derivations(self.rules[rule].children + rest):
                yield (rule, *choices), share * probability

    def sentences(self, skeleton: Skeleton) -> int:
        """How many ways there are to choose the words of a skeleton."""
        return prod(len(self.lexicon[category].forms) for category in skeleton.categories)

    def count(self, condition: Callable[[Skeleton], bool] = lambda skeleton: True) -> int:
        """Number of derivations whose skeleton meets the condition, their words told apart.

        In an unambiguous grammar that is the number of distinct sentences.
        """
        return sum(
            self.sentences(skeleton) for skeleton, _ in self.skeletons() if condition(skeleton)
        )


def _group(rules: Sequence[Rule]) -> dict[str, _Alternatives]:
    numbers: dict[str, list[int]] = {}
    for number, rule in enumerate(rules):
        numbers.setdefault(rule.parent, []).append(number)
    return {parent: _alternatives(rules, own) for parent, own in numbers.items()}


def _alternatives(rules: Sequence[Rule], numbers: Sequence[int]) -> _Alternatives:
    weights = [rules[number].weight for number in numbers]
    if min(weights) <= 0:
        raise UserError(f"weights of {rules[numbers[0]].parent!r} must be positive, got {weights}")
    shares = tuple(weight / sum(weights) for weight in weights)
    return _Alternatives(tuple(numbers), tuple(itertools.accumulate(shares))[:-1], shares)


def _check(rules: Sequence[Rule], lexicon: Mapping[str, Words], start: str) -> None:
    rewritten = {rule.parent for rule in rules}
    if rewritten & lexicon.keys():
        raise UserError(
            f"categories with both rules and forms: {sorted(rewritten & lexicon.keys())}"
        )
    for rule in rules:
        if len(rule.children) not in (1, 2) or rule.head not in range(len(rule.children)):
            raise UserError(f"a rule has one or two children, one of them its head: {rule}")
    used = {start} | {child for rule in rules for child in rule.children}
    if used - rewritten - lexicon.keys():
        missing = sorted(used - rewritten - lexicon.keys())
        raise UserError(f"categories with neither rules nor forms: {missing}")
