"""The fragment of English that question formation and tense inflection share.

Source: McCoy, Frank, Linzen 2020, *Does Syntax Need to Grow on Trees?*. Trees are binary as in
Murty et al. 2023: ((Det N) PP), ((Det N) RC), (Prep NP), (Rel rest), (NP VP).

Dependencies follow UD. The relativiser is the subject (`nsubj`) or the object (`obj`) of the verb
of its clause. Det is one category here, so `my`, `your`, `our` and `her` are DET and `det`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from hf_grok.datasets_scripts.grammar.derivation import Rule, Skeleton, feature
from hf_grok.datasets_scripts.grammar.grammar import Words

NUMBERS = ("sg", "pl")
VARIABLES = {"n": NUMBERS, "m": NUMBERS}
SUBJECT_MODIFIERS = ("none", "pp", "rc_subject_intransitive", "rc_subject_transitive", "rc_object")

SINGULAR_NOUNS = (
    "newt",
    "orangutan",
    "peacock",
    "quail",
    "raven",
    "salamander",
    "tyrannosaurus",
    "unicorn",
    "vulture",
    "walrus",
    "xylophone",
    "yak",
    "zebra",
)
PLURAL_NOUNS = tuple(noun + ("es" if noun.endswith("s") else "s") for noun in SINGULAR_NOUNS)

LEXICON = {
    "Det": Words("DET", ("the", "some", "my", "your", "our", "her")),
    "N[sg]": Words("NOUN", SINGULAR_NOUNS),
    "N[pl]": Words("NOUN", PLURAL_NOUNS),
    "Prep": Words("ADP", ("around", "near", "with", "upon", "by", "behind", "above", "below")),
    "Rel": Words("PRON", ("who", "that")),
    "Period": Words("PUNCT", (".",)),
}


@dataclass(frozen=True)
class Weights:
    """Relative weights of the expansions that the two languages share; 0 leaves one out.

    The weights of `Weights()`, all equal, are those of the grammar file.

    Attributes:
        subject: of the subject: bare, with a prepositional phrase, with a relative clause.
        subject_clause: of that clause: intransitive, transitive, object relative.
        predicate: of the main verb: intransitive, transitive.
        object: of the main verb's object, as `subject`.
        object_clause: of the object's clause, as `subject_clause`.
    """

    subject: tuple[float, float, float] = (1, 1, 1)
    subject_clause: tuple[float, float, float] = (1, 1, 1)
    predicate: tuple[float, float] = (1, 1)
    object: tuple[float, float, float] = (1, 1, 1)
    object_clause: tuple[float, float, float] = (1, 1, 1)


# The noun phrase and the relative clause of the subject, and those of the object: same rules,
# weights of their own.
SUBJECT, OBJECT = ("NP", "RC"), ("ObjectNP", "ObjectRC")


def rules(weights: Weights) -> tuple[Rule, ...]:
    """The rules of both languages under some weights; verb phrases are each language's own."""
    return (
        Rule("S", ("Clause[n]", "Period"), relation="punct"),
        Rule("Clause[n]", ("NP[n]", "VP[n]"), head=1, relation="nsubj"),
        *_noun_phrases(SUBJECT, weights.subject, weights.subject_clause),
        *_noun_phrases(OBJECT, weights.object, weights.object_clause),
        Rule("Base[n]", ("Det", "N[n]"), head=1, relation="det"),
        Rule("AnyBase", ("Base[n]",)),
        Rule("AnyNP", ("ObjectNP[n]",)),
        Rule("PP", ("Prep", "AnyBase"), head=1, relation="case"),
    )


def _noun_phrases(
    names: tuple[str, str], phrase: tuple[float, ...], clause: tuple[float, ...]
) -> tuple[Rule, ...]:
    noun_phrase, relative = (f"{name}[n]" for name in names)
    bare, modified, relativised = phrase
    intransitive, transitive, gapped = clause
    phrases = (
        Rule(noun_phrase, ("Base[n]",), bare, name="none"),
        Rule(noun_phrase, ("Base[n]", "PP"), modified, relation="nmod", name="pp"),
        Rule(noun_phrase, ("Base[n]", relative), relativised, relation="acl:relcl", name="rc"),
    )
    clauses = (
        _clause(relative, "RelIntr[n]", intransitive, "nsubj", "rc_subject_intransitive"),
        _clause(relative, "RelTr[n]", transitive, "nsubj", "rc_subject_transitive"),
        # The weight counts for each number of the embedded subject.
        _clause(relative, "RelGap[m]", gapped / 2, "obj", "rc_object"),
    )
    made = (*phrases, *clauses) if relativised else phrases
    return tuple(rule for rule in made if rule.weight)


def _clause(relative: str, rest: str, weight: float, relation: str, name: str) -> Rule:
    return Rule(relative, ("Rel", rest), weight, head=1, relation=relation, name=name)


@cache
def subject_modifier(skeleton: Skeleton) -> str:
    """What modifies the subject: one of `SUBJECT_MODIFIERS`."""
    # Preorder meets the subject before any other noun phrase.
    subject = skeleton.first("NP")
    if subject.rule is None or subject.rule.name != "rc":
        return "" if subject.rule is None else subject.rule.name
    clause = subject.children[1].rule
    return "" if clause is None else clause.name


def subject_number(skeleton: Skeleton) -> str:
    """The number of the subject, "sg" or "pl"."""
    return feature(skeleton.first("NP").category)
