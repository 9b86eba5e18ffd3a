"""The fragment of English that question formation and tense inflection share.

Source: McCoy, Frank, Linzen 2020, *Does Syntax Need to Grow on Trees?*. Trees are binary as in
Murty et al. 2023: ((Det N) PP), ((Det N) RC), (Prep NP), (Rel rest), (NP VP).

Dependencies follow UD. The relativiser is the subject (`nsubj`) or the object (`obj`) of the verb
of its clause. Det is one category here, so `my`, `your`, `our` and `her` are DET and `det`.
"""

from __future__ import annotations

from functools import cache

from hf_grok.datasets_scripts.derivation import Rule, Skeleton, feature
from hf_grok.datasets_scripts.grammar import Words

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

RULES = (
    Rule("S", ("Clause[n]", "Period"), relation="punct"),
    Rule("Clause[n]", ("NP[n]", "VP[n]"), head=1, relation="nsubj"),
    Rule("NP[n]", ("Base[n]",), name="none"),
    Rule("NP[n]", ("Base[n]", "PP"), relation="nmod", name="pp"),
    Rule("NP[n]", ("Base[n]", "RC[n]"), relation="acl:relcl", name="rc"),
    Rule("Base[n]", ("Det", "N[n]"), head=1, relation="det"),
    Rule("AnyBase", ("Base[n]",)),
    Rule("AnyNP", ("NP[n]",)),
    Rule("PP", ("Prep", "AnyBase"), head=1, relation="case"),
    Rule("RC[n]", ("Rel", "RelIntr[n]"), head=1, relation="nsubj", name="rc_subject_intransitive"),
    Rule("RC[n]", ("Rel", "RelTr[n]"), head=1, relation="nsubj", name="rc_subject_transitive"),
    # The weight counts for each number of the embedded subject: one third in all.
    Rule("RC[n]", ("Rel", "RelGap[m]"), 0.5, head=1, relation="obj", name="rc_object"),
)


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
