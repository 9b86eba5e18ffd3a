"""The paradigms of minimal pairs: which templates, and what makes the second sentence bad.

A *spoiler* is given the good sentence and says which words to put at the marked places, or None
where this sentence does not show the contrast ("the" goes with any number), and another is drawn.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from hf_grok.datasets_scripts.english_agreement import templates
from hf_grok.datasets_scripts.english_agreement import words as listed
from hf_grok.datasets_scripts.english_agreement.choice import antecedent, choose_words, draw_word
from hf_grok.datasets_scripts.english_agreement.lexicon import CLOSED, OPEN, REFLEXIVES
from hf_grok.datasets_scripts.english_agreement.rules import NUMBERS
from hf_grok.datasets_scripts.english_agreement.templates import Template, read_template


class Good(NamedTuple):
    """A good sentence: its words, its template, and random numbers for its spoiler."""

    words: list[str]
    template: Template
    generator: random.Random

    @property
    def marked(self) -> list[str]:
        """The words at the marked places."""
        return [self.words[place] for place in self.template.marked]


Spoiler: TypeAlias = Callable[[Good], Sequence[str] | None]


def _pairs(*both: tuple[str, str]) -> dict[str, str]:
    return {one: other for pair in both for one, other in (pair, pair[::-1])}


def _forms(category: str) -> Iterator[str]:
    return (form for line in OPEN[category] for form in line)


_NUMBERED = [("N[sg]", "N[pl]")] + [
    (f"{verb}[sg][fin]", f"{verb}[pl][fin]") for verb in ("Vi", "Vt", "Vd", "Vc")
]
OTHER_NUMBER: Mapping[str, str] = _pairs(
    ("does", "do"),
    ("doesn't", "don't"),
    *(
        pair
        for singular, plural in _NUMBERED
        for pair in zip(_forms(singular), _forms(plural), strict=True)
    ),
)
"""Noun, verb or auxiliary -> the same with the other number; modals have one form."""

OTHER_POLARITY: Mapping[str, str] = _pairs(
    ("does", "doesn't"),
    ("do", "don't"),
    ("can", "can't"),
    ("will", "won't"),
    ("must", "mustn't"),
    ("should", "shouldn't"),
)
"""Auxiliary -> the same with or without negation; `may` has no negative form here."""

_CLASS_OF = {
    form: number for lines in OPEN.values() for number, line in enumerate(lines) for form in line
}
_ANY_NUMBER = frozenset(listed.DETERMINERS)


def wrong_number(good: Good) -> Sequence[str] | None:
    """The marked word in the other number."""
    (word,) = good.marked
    return (OTHER_NUMBER[word],) if word in OTHER_NUMBER else None


def wrong_noun(good: Good) -> Sequence[str] | None:
    """The marked noun in the number that its determiner does not go with."""
    (place,) = good.template.marked
    structure = good.template.structure
    determiners = (
        good.words[word]
        for word, arc in enumerate(zip(structure.heads, structure.deprels, strict=True))
        if arc == (place + 1, "det")
    )
    return None if _ANY_NUMBER.issuperset(determiners) else wrong_number(good)


def wrong_anaphor_number(good: Good) -> Sequence[str] | None:
    """The reflexive in the other number, its gender still the antecedent's."""
    (place,) = good.template.marked
    noun = good.words[antecedent(good.template.structure, place)]
    if good.words[place] == "themselves":
        return (REFLEXIVES[OTHER_NUMBER[noun]],)
    return ("themselves",)


def wrong_anaphor_gender(good: Good) -> Sequence[str] | None:
    """A singular reflexive of one of the two other genders."""
    (word,) = good.marked
    others = [form for form in CLOSED["Refl[sg]"] if form != word]
    return None if len(others) == len(CLOSED["Refl[sg]"]) else (good.generator.choice(others),)


def wrong_polarity(good: Good) -> Sequence[str] | None:
    """Every marked auxiliary with the other polarity."""
    if not OTHER_POLARITY.keys() >= set(good.marked):
        return None
    return [OTHER_POLARITY[word] for word in good.marked]


def another_verb(kind: str) -> Spoiler:
    """A spoiler: at the marked place a verb of another kind, its class and form the same."""

    def spoil(good: Good) -> Sequence[str]:
        (place,) = good.template.marked
        _, bracket, form = good.template.structure.categories[place].partition("[")
        number = _CLASS_OF[good.words[place]]
        return (draw_word(f"{kind}{bracket}{form}", number, good.generator),)

    return spoil


def determiner_for_preposition(good: Good) -> Sequence[str]:
    """A plural determiner where the preposition stood: the noun after it becomes an object."""
    return (good.generator.choice(CLOSED["Det[pl]"]),)


class Paradigm(NamedTuple):
    """One kind of pair.

    Attributes:
        term: the phenomenon, BLiMP's `linguistics_term`.
        field: "morphology", "syntax" or "semantics", as in BLiMP.
        templates: equally likely.
        spoil: what makes the good sentence bad.
    """

    term: str
    field: str
    templates: tuple[str, ...]
    spoil: Spoiler

    def draw(self, generator: random.Random) -> tuple[str, str] | None:
        """A good and a bad sentence; None where the draw does not show the contrast."""
        number, other = generator.choice((NUMBERS, NUMBERS[::-1]))
        template = read_template(generator.choice(self.templates), number, other)
        words = choose_words(template.structure, generator)
        wrong = self.spoil(Good(words, template, generator))
        if wrong is None:
            return None
        spoiled = list(words)
        for place, word in zip(template.marked, wrong, strict=True):
            spoiled[place] = word
        return " ".join(words), " ".join(spoiled)


def _agreement(own: tuple[str, ...]) -> Paradigm:
    return Paradigm("subject_verb_agreement", "morphology", own, wrong_number)


def _arguments(own: tuple[str, ...], kind: str) -> Paradigm:
    return Paradigm("argument_structure", "syntax", own, another_verb(kind))


def _gaps(own: tuple[str, ...], spoil: Spoiler) -> Paradigm:
    return Paradigm("filler_gap_dependency", "syntax", own, spoil)


def _anaphor(own: tuple[str, ...], spoil: Spoiler) -> Paradigm:
    return Paradigm("anaphor_agreement", "morphology", own, spoil)


def _licensing(own: tuple[str, ...]) -> Paradigm:
    return Paradigm("npi_licensing", "semantics", own, wrong_polarity)


def _determiner(own: tuple[str, ...]) -> Paradigm:
    return Paradigm("determiner_noun_agreement", "morphology", own, wrong_noun)


PARADIGMS: Mapping[str, Paradigm] = {
    "subject_verb_bare": _agreement(templates.AGREEMENT_BARE),
    "subject_verb_across_pp": _agreement(templates.AGREEMENT_ACROSS_PP),
    "subject_verb_across_subject_rc": _agreement(templates.AGREEMENT_ACROSS_SUBJECT_RC),
    "subject_verb_across_object_rc": _agreement(templates.AGREEMENT_ACROSS_OBJECT_RC),
    "subject_verb_inside_object_rc": _agreement(templates.AGREEMENT_INSIDE_OBJECT_RC),
    "subject_verb_conjoined": _agreement(templates.AGREEMENT_OF_CONJOINED_VERB),
    "determiner_noun": _determiner(templates.DETERMINER_NOUN),
    "determiner_noun_with_adjective": _determiner(templates.DETERMINER_NOUN_WITH_ADJECTIVE),
    "anaphor_number": _anaphor(templates.ANAPHOR, wrong_anaphor_number),
    "anaphor_number_across_rc": _anaphor(templates.ANAPHOR_ACROSS_RC, wrong_anaphor_number),
    "anaphor_gender": _anaphor(templates.ANAPHOR, wrong_anaphor_gender),
    "filled_gap": _gaps(templates.FILLED_GAP, determiner_for_preposition),
    "missing_gap": _gaps(templates.MISSING_GAP, another_verb("Vi")),
    "missing_filler": _gaps(templates.MISSING_FILLER, another_verb("Vt")),
    "npi_negation": _licensing(templates.NPI_NEGATION),
    "npi_scope": _licensing(templates.NPI_SCOPE),
    "transitive_without_object": _arguments(templates.INTRANSITIVE, "Vt"),
    "intransitive_with_object": _arguments(templates.TRANSITIVE, "Vi"),
    "transitive_with_two_objects": _arguments(templates.DITRANSITIVE, "Vt"),
    "transitive_with_clause": _arguments(templates.CLAUSAL, "Vt"),
}
"""UID -> paradigm."""
