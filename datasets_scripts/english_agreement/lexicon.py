"""The lexicon of the agreement grammar: forms of every category by class, genders, persons."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, cycle

from hf_grok.datasets_scripts.english_agreement import words as listed
from hf_grok.datasets_scripts.english_agreement.rules import FORMS, NUMBERS
from hf_grok.datasets_scripts.grammar.grammar import Words

_VERBS = {
    "Vi": listed.INTRANSITIVE,
    "Vt": listed.TRANSITIVE,
    "Vd": listed.DITRANSITIVE,
    "Vc": listed.CLAUSAL,
}
_GENDERED = ("himself", "herself")
_NEUTER = "itself"


def inflected(lemma: str) -> str:
    """A noun's plural or a verb's third person singular; all are regular."""
    if lemma.endswith("y") and lemma[-2] not in "aeiou":
        return f"{lemma[:-1]}ies"
    return lemma + ("es" if lemma.endswith(("s", "x", "z", "ch", "sh", "ero")) else "s")


def _inflect(lines: listed.Lines) -> listed.Lines:
    return tuple(tuple(inflected(lemma) for lemma in line) for line in lines)


def _verb_forms() -> dict[str, listed.Lines]:
    """Only a singular subject right above the verb, with no auxiliary between, shows on it."""
    return {
        f"{name}[{number}][{form}]": _inflect(lines) if (number, form) == ("sg", "fin") else lines
        for name, lines in _VERBS.items()
        for number in NUMBERS
        for form in FORMS
    }


OPEN: Mapping[str, listed.Lines] = {
    "N[sg]": listed.NOUNS,
    "N[pl]": _inflect(listed.NOUNS),
    "Adj": listed.ADJECTIVES,
    "PostAdj": listed.POSTNOMINAL,
    "RelAdj": listed.RELATIONAL,
    "Adv": listed.ADVERBS,
    "Degree": listed.DEGREES,
    "Prep": listed.PREPOSITIONS,
    **_verb_forms(),
}
"""Lexical category -> its forms, one tuple a class, the commonest first."""

CLOSED: Mapping[str, tuple[str, ...]] = {
    "Det[sg]": listed.DETERMINERS + listed.SINGULAR_DETERMINERS,
    "Det[pl]": listed.DETERMINERS + listed.PLURAL_DETERMINERS,
    "Any": ("any",),
    "Aux[sg]": ("does", *listed.MODALS),
    "Aux[pl]": ("do", *listed.MODALS),
    "NegAux[sg]": ("doesn't", *listed.NEGATIVE_MODALS),
    "NegAux[pl]": ("don't", *listed.NEGATIVE_MODALS),
    "Coord": listed.CONJUNCTIONS,
    "And": ("and",),
    "Mark": ("that",),
    "Of": ("of",),
    "Ever": ("ever",),
    "Anymore": ("anymore",),
    "Rel": ("who", "which"),
    "Refl[sg]": (*_GENDERED, _NEUTER),
    "Refl[pl]": ("themselves",),
    "Period": (".",),
}
"""Lexical category without classes -> its forms, the commonest first."""

UPOS: Mapping[str, str] = {
    **dict.fromkeys(("N",), "NOUN"),
    **dict.fromkeys(("Vi", "Vt", "Vd", "Vc"), "VERB"),
    **dict.fromkeys(("Adj", "PostAdj", "RelAdj"), "ADJ"),
    **dict.fromkeys(("Adv", "Degree", "Ever", "Anymore"), "ADV"),
    **dict.fromkeys(("Prep", "Of"), "ADP"),
    **dict.fromkeys(("Det", "Any"), "DET"),
    **dict.fromkeys(("Aux", "NegAux"), "AUX"),
    **dict.fromkeys(("Coord", "And"), "CCONJ"),
    **dict.fromkeys(("Rel", "Refl"), "PRON"),
    "Mark": "SCONJ",
    "Period": "PUNCT",
}

LEXICON: Mapping[str, Words] = {
    name: Words(UPOS[name.partition("[")[0]], forms)
    for name, forms in {
        **{name: tuple(chain(*lines)) for name, lines in OPEN.items()},
        **CLOSED,
    }.items()
}
"""Lexical category -> all its forms and their part of speech."""

VOCABULARY: tuple[str, ...] = tuple(
    sorted({form for words in LEXICON.values() for form in words.forms})
)

PERSONS: frozenset[str] = frozenset(
    chain.from_iterable(
        OPEN[category][number]
        for category in ("N[sg]", "N[pl]")
        for number in listed.PERSON_CLASSES
    )
)
"""Nouns, singular and plural, whose relative pronoun is `who`; the others' is `which`."""

REFLEXIVES: Mapping[str, str] = dict.fromkeys(chain(*listed.NOUNS), _NEUTER) | {
    noun: reflexive
    for number in listed.GENDERED_CLASSES
    for noun, reflexive in zip(listed.NOUNS[number], cycle(_GENDERED), strict=False)
}
"""Singular noun -> the reflexive pronoun that agrees with it."""
