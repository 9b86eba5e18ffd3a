"""The rules of the agreement grammar: phrases, agreement, gaps, licensing, UD relations.

Features in brackets: n, m, k are numbers of noun phrases (sg, pl); p says what a verb phrase stands
under: nothing ("fin", the verb agrees), an auxiliary ("bare"), a negative auxiliary ("neg", which
licenses negative polarity items in its verb phrase).

Trees are binary: ((Det (Adj N)) PP), (Prep NP), (Rel rest), (Aux (V NP)), ((V NP) PP), (NP VP).
Weights are ours: sentences of 14 to 15 words in the mean, and no offset at which most heads stand
(`docs/agreement.md` has what was measured).
"""

from __future__ import annotations

from dataclasses import replace

from hf_grok.datasets_scripts.grammar.derivation import PUNCTUATION, Rule
from hf_grok.datasets_scripts.grammar.grammar import instantiate

START = "S"
NUMBERS = ("sg", "pl")
FORMS = ("fin", "bare", "neg")
CLAUSAL_RELATIONS = ("acl:relcl", "ccomp")

_SENTENCE = (
    Rule("S", ("Text", "Period"), relation=PUNCTUATION),
    Rule("Text", ("Clause",), 16),
    Rule("Text", ("Clause", "ConjClause"), 1, relation="conj"),
    Rule("ConjClause", ("Coord", "Clause"), head=1, relation="cc"),
    Rule("Clause", ("Core",), 2.5),
    Rule("Clause", ("Adv", "Core"), 3, head=1, relation="advmod"),
    Rule("Clause", ("PP", "Core"), 0.6, head=1, relation="obl"),
    Rule("Core", ("NP[n]", "Pred[n]"), head=1, relation="nsubj"),
)

_NOUN_PHRASE = (
    # Only "and" makes a subject plural whatever its conjuncts are.
    Rule("NP[n]", ("Noun[n]",), 16),
    Rule("NP[pl]", ("Noun[m]", "ConjNoun"), 1, relation="conj"),
    Rule("ConjNoun", ("And", "AnyNoun"), head=1, relation="cc"),
    Rule("AnyNoun", ("Noun[n]",)),
    Rule("AnyNP", ("NP[n]",)),
    Rule("Noun[n]", ("Base[n]",), 10.5),
    Rule("Noun[n]", ("Base[n]", "PP"), 2, relation="nmod"),
    Rule("Noun[n]", ("Base[n]", "Post"), 3.5, relation="amod"),
    Rule("Noun[n]", ("Base[n]", "RC[n]"), 1.6, relation="acl:relcl"),
    Rule("Noun[n]", ("WithPP[n]", "RC[n]"), 0.2, relation="acl:relcl"),
    Rule("WithPP[n]", ("Base[n]", "PP"), relation="nmod"),
    Rule("Base[n]", ("Det[n]", "Bar[n]"), 4, head=1, relation="det"),
    Rule("Base[pl]", ("Bar[pl]",), 1),
    # At most three adjectives before a noun.
    Rule("Bar[n]", ("N[n]",), 4),
    Rule("Bar[n]", ("AP", "Bar2[n]"), 6.5, head=1, relation="amod"),
    Rule("Bar2[n]", ("N[n]",), 4),
    Rule("Bar2[n]", ("AP", "Bar1[n]"), 6.5, head=1, relation="amod"),
    Rule("Bar1[n]", ("N[n]",), 4),
    Rule("Bar1[n]", ("AP", "N[n]"), 6.5, head=1, relation="amod"),
    Rule("AP", ("Adj",), 20),
    Rule("AP", ("Degree", "Adj"), 1, head=1, relation="advmod"),
    Rule("Post", ("PostAdj",), 1.5),
    Rule("Post", ("Degree", "PostAdj"), 1.5, head=1, relation="advmod"),
    Rule("Post", ("PostAdj", "ConjPost"), 1, relation="conj"),
    Rule("ConjPost", ("Coord", "PostAdj"), head=1, relation="cc"),
    Rule("Post", ("RelAdj", "OfPhrase"), 1.0, relation="obl"),
    Rule("OfPhrase", ("Of", "AnyNoun"), head=1, relation="case"),
    Rule("PP", ("Prep", "AnyNoun"), head=1, relation="case"),
)

_PREDICATE = (
    Rule("Pred[n]", ("Single[n]",), 12),
    Rule("Pred[n]", ("Single[n]", "ConjPred[n]"), 1, relation="conj"),
    Rule("ConjPred[n]", ("Coord", "Single[n]"), head=1, relation="cc"),
    Rule("Single[n]", ("VP[n][fin]",), 6),
    Rule("Single[n]", ("Adv", "Single[n]"), 0.4, head=1, relation="advmod"),
    Rule("Single[n]", ("Aux[n]", "Inner[n][bare]"), 0.8, head=1, relation="aux"),
    Rule("Single[n]", ("NegAux[n]", "Inner[n][neg]"), 1, head=1, relation="aux"),
    Rule("Inner[n][p]", ("VP[n][p]",), 8),
    Rule("Inner[n][p]", ("Adv", "Inner[n][p]"), 1, head=1, relation="advmod"),
    Rule("Inner[n][neg]", ("Ever", "VP[n][neg]"), 3, head=1, relation="advmod"),
    Rule("VP[n][p]", ("Vi[n][p]",), 3.5),
    Rule("VP[n][p]", ("Transitive[n][p]", "Object[n][p]"), 3, relation="obj"),
    Rule("VP[n][p]", ("Dative[n][p]", "Object[n][p]"), 0.7, relation="obj"),
    Rule("VP[n][p]", ("Vc[n][p]", "That"), 1.2, relation="ccomp"),
    Rule("VP[n][p]", ("VP[n][p]", "PP"), 0.8, relation="obl"),
    Rule("VP[n][p]", ("VP[n][p]", "Adv"), 2.7, relation="advmod"),
    Rule("VP[n][neg]", ("VP[n][neg]", "Anymore"), 1, relation="advmod"),
    Rule("Transitive[n][p]", ("Vt[n][p]",), 2),
    Rule("Transitive[n][p]", ("Vt[n][p]", "Adv"), 1, relation="advmod"),
    Rule("Dative[n][p]", ("Vd[n][p]", "AnyNP"), relation="iobj"),
    Rule("Object[n][p]", ("AnyNP",), 6),
    Rule("Object[n][p]", ("Refl[n]",), 1),
    Rule("Object[n][neg]", ("AnyBase[m]",), 1.5),
    Rule("AnyBase[m]", ("Any", "Bar[m]"), head=1, relation="det"),
    Rule("That", ("Mark", "Clause"), head=1, relation="mark"),
)

# Inside an object relative clause the object is missing, and nothing may stand in its place.
_RELATIVE_CLAUSE = (
    Rule("RC[n]", ("Rel", "Pred[n]"), 1, head=1, relation="nsubj"),
    Rule("RC[n]", ("Rel", "Gapped"), 1, head=1, relation="obj"),
    Rule("Gapped", ("NP[m]", "GapPred[m]"), head=1, relation="nsubj"),
    Rule("GapPred[m]", ("GapVP[m][fin]",), 3),
    Rule("GapPred[m]", ("Adv", "GapPred[m]"), 1, head=1, relation="advmod"),
    Rule("GapPred[m]", ("Aux[m]", "GapVP[m][bare]"), 1, head=1, relation="aux"),
    Rule("GapPred[m]", ("NegAux[m]", "GapVP[m][neg]"), 1, head=1, relation="aux"),
    Rule("GapVP[m][p]", ("Vt[m][p]",), 5),
    Rule("GapVP[m][p]", ("Dative[m][p]",), 1),
    Rule("GapVP[m][p]", ("GapVP[m][p]", "PP"), 1, relation="obl"),
    Rule("GapVP[m][p]", ("GapVP[m][p]", "Adv"), 1, relation="advmod"),
)

TEMPLATES = (*_SENTENCE, *_NOUN_PHRASE, *_PREDICATE, *_RELATIVE_CLAUSE)
RULES = tuple(instantiate(TEMPLATES, {"n": NUMBERS, "m": NUMBERS, "p": FORMS}))

_DEEPENING = 4
DEEP_RULES = tuple(
    replace(rule, weight=_DEEPENING * rule.weight) if rule.relation in CLAUSAL_RELATIONS else rule
    for rule in RULES
)
"""The same rules with relative and complement clauses four times as likely."""
