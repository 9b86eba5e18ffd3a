"""Which word stands at each place of a structure: selection, frequency, agreement in gender.

Every word of an open category has one of eight classes, and every arc between two of them carries
a preference: with probability .9 the dependent is of one of the two classes c + a and c + b
(modulo 8), where c is the head's class and (a, b) goes by the relation; otherwise of one of the
other six. So a verb selects two classes of subjects and two of objects, an adjective two of nouns,
and so on; a root's class is uniform. Within a class, or within a closed category, the r-th word has
a weight of 1 / r (Zipf).
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Mapping, Sequence
from itertools import accumulate

from hf_grok.datasets_scripts.english_agreement.lexicon import CLOSED, OPEN, PERSONS, REFLEXIVES
from hf_grok.datasets_scripts.english_agreement.sampling import Structure

CLASSES = 8
PREFERRED = 0.9
OFFSETS: Mapping[str, tuple[int, int]] = {
    "nsubj": (0, 3),
    "obj": (1, 6),
    "iobj": (2, 5),
    "obl": (4, 7),
    "nmod": (2, 7),
    "amod": (0, 5),
    "advmod": (1, 4),
    "case": (3, 6),
    "ccomp": (2, 6),
    # Conjuncts are alike: they share their head's own class, and so its subjects.
    "conj": (0, 0),
    # The verb of a relative clause is drawn after its subject or object, so the other way round.
    "acl:relcl nsubj": (0, -3),
    "acl:relcl obj": (-1, -6),
}
"""Relation -> how far the two preferred classes of a dependent lie from its head's."""

_NO_CLASS = -1
# Drawn like the others, then replaced by the form that agrees with what they stand for.
_AGREEING = ("Rel", "Refl[sg]")

# Running sums of probabilities, the last 1 left out.
Thresholds = tuple[float, ...]
Forms = tuple[tuple[str, ...], Thresholds]


def _thresholds(weights: Sequence[float]) -> Thresholds:
    total = sum(weights)
    return tuple(accumulate(weight / total for weight in weights))[:-1]


def _zipf(forms: tuple[str, ...]) -> Forms:
    return forms, _thresholds([1 / rank for rank in range(1, len(forms) + 1)])


def class_shares(head: int, relation: str) -> list[float]:
    """P(class of the dependent) for a head of class `head`, by class.

    Args:
        head: 0 to 7.
        relation: one of `OFFSETS`.
    """
    preferred = {(head + offset) % CLASSES for offset in OFFSETS[relation]}
    each, other = PREFERRED / len(preferred), (1 - PREFERRED) / (CLASSES - len(preferred))
    return [each if number in preferred else other for number in range(CLASSES)]


_OPEN = {name: tuple(_zipf(forms) for forms in lines) for name, lines in OPEN.items()}
_CLOSED = {name: _zipf(forms) for name, forms in CLOSED.items()}
_PREFERENCES = {
    relation: tuple(_thresholds(class_shares(head, relation)) for head in range(CLASSES))
    for relation in OFFSETS
}


def draw_word(category: str, number: int, generator: random.Random) -> str:
    """A form of an open category and a class, by its frequency."""
    forms, thresholds = _OPEN[category][number]
    return forms[bisect(thresholds, generator.random())]


def choose_words(structure: Structure, generator: random.Random) -> list[str]:
    """Words for a structure, drawn from the root down; reflexives and relatives agree."""
    draw = generator.random
    classes = choose_classes(structure, generator)
    words = []
    for category, number in zip(structure.categories, classes, strict=True):
        forms, thresholds = _CLOSED[category] if number == _NO_CLASS else _OPEN[category][number]
        words.append(forms[bisect(thresholds, draw())] if thresholds else forms[0])
    for place, category in enumerate(structure.categories):
        if category in _AGREEING:
            noun = words[antecedent(structure, place)]
            words[place] = relative(noun) if category == "Rel" else REFLEXIVES[noun]
    return words


def relative(noun: str) -> str:
    """The relative pronoun of a noun: who or which."""
    return "who" if noun in PERSONS else "which"


def choose_classes(structure: Structure, generator: random.Random) -> list[int]:
    """The class of each word, drawn after its head's; -1 for words of closed categories."""
    draw, heads = generator.random, structure.heads
    relations = _selecting_relations(structure)
    classes = [_NO_CLASS] * len(heads)
    for place, category in enumerate(structure.categories):
        if category in _OPEN:
            for word in reversed(_waiting(place, heads, classes)):
                if heads[word]:
                    preferences = _PREFERENCES[relations[word]]
                    classes[word] = bisect(preferences[classes[heads[word] - 1]], draw())
                else:
                    classes[word] = int(draw() * CLASSES)
    return classes


def _waiting(place: int, heads: Sequence[int], classes: Sequence[int]) -> list[int]:
    """A word and its ancestors, nearest first, up to one whose class is drawn."""
    path = []
    while place >= 0 and classes[place] == _NO_CLASS:
        path.append(place)
        place = heads[place] - 1
    return path


def _selecting_relations(structure: Structure) -> list[str]:
    """The key in `OFFSETS` of each word's arc: relative clauses differ by what is relativised."""
    relations = list(structure.deprels)
    for place, category in enumerate(structure.categories):
        if category == "Rel":
            relations[structure.heads[place] - 1] = f"acl:relcl {structure.deprels[place]}"
    return relations


def antecedent(structure: Structure, pronoun: int) -> int:
    """The noun that a relative or reflexive pronoun stands for; 0-based positions.

    A relative pronoun's is what its clause modifies; a reflexive's is the subject of its clause,
    which conjoined verbs share with the first of them.
    """
    categories, heads = structure.categories, structure.heads
    verb = heads[pronoun] - 1
    if categories[pronoun] == "Rel":
        return heads[verb] - 1
    while (subject := _subject(structure, verb)) is None:
        verb = heads[verb] - 1
    return antecedent(structure, subject) if categories[subject] == "Rel" else subject


def _subject(structure: Structure, verb: int) -> int | None:
    """Where the subject of a verb stands; None where it shares another verb's."""
    arcs = zip(structure.heads, structure.deprels, strict=True)
    return next((place for place, arc in enumerate(arcs) if arc == (verb + 1, "nsubj")), None)
