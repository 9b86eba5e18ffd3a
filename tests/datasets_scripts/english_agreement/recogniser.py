"""Is a sentence in the agreement grammar? By padding a table of spans, not by generating.

The number n of the rules takes four values here, three genders of the singular and the plural, so
that a reflexive of the wrong gender is ungrammatical too.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache

from hf_grok.datasets_scripts.english_agreement.lexicon import LEXICON, PERSONS, REFLEXIVES
from hf_grok.datasets_scripts.english_agreement.rules import FORMS, START, TEMPLATES
from hf_grok.datasets_scripts.grammar.grammar import instantiate

SINGULAR = ("himself", "herself", "itself")
VALUES = (*SINGULAR, "pl")


def categories_of(word: str) -> set[str]:
    """The lexical categories of a word, singular ones by gender."""
    found = set()
    for category, words in LEXICON.items():
        if word in words.forms:
            found |= {category.replace("[sg]", f"[{value}]") for value in SINGULAR}
    if word in REFLEXIVES:
        return {f"N[{REFLEXIVES[word]}]"}
    return {f"Refl[{word}]"} if word in SINGULAR else found


@cache
def rules() -> tuple[dict[str, set[str]], dict[tuple[str, str], set[str]]]:
    """Child -> parents of unary rules, closed under chains; two children -> parents."""
    unary, binary = defaultdict(set), defaultdict(set)
    for rule in instantiate(TEMPLATES, {"n": VALUES, "m": VALUES, "p": FORMS}):
        if len(rule.children) == 1:
            unary[rule.children[0]].add(rule.parent)
        else:
            binary[rule.children].add(rule.parent)
    return unary, binary


def with_parents(categories: set[str]) -> frozenset[str]:
    unary, _ = rules()
    found, waiting = set(categories), list(categories)
    while waiting:
        fresh = unary.get(waiting.pop(), set()) - found
        found |= fresh
        waiting.extend(fresh)
    return frozenset(found)


@cache
def combined(left: frozenset[str], right: frozenset[str]) -> frozenset[str]:
    _, binary = rules()
    return with_parents({p for a in left for b in right for p in binary.get((a, b), ())})


def in_the_grammar(sentence: str) -> bool:
    """Whether the rules derive a sentence. `who` and `which` are not told apart here."""
    words = sentence.split(" ")
    table = {(i, i + 1): with_parents(categories_of(word)) for i, word in enumerate(words)}
    for length in range(2, len(words) + 1):
        for start in range(len(words) - length + 1):
            end = start + length
            table[start, end] = frozenset[str]().union(
                *(combined(table[start, k], table[k, end]) for k in range(start + 1, end))
            )
    return START in table[0, len(words)]


def relative_of(noun: str) -> str:
    return "who" if noun in PERSONS else "which"
