"""Draws from a recursive grammar against probabilities worked out by hand, and what they carry."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from hf_grok.datasets_scripts.english_agreement.choice import (
    antecedent,
    choose_classes,
    choose_words,
)
from hf_grok.datasets_scripts.english_agreement.sampling import Sampler, Structure, bracketed, depth
from hf_grok.datasets_scripts.grammar.derivation import Node, Rule, arcs, spans
from hf_grok.datasets_scripts.grammar.grammar import Grammar, Words

# A -> a A (1) | a (3): a sentence of n letters has probability (1/4)^(n-1) 3/4.
RIGHT = [
    Rule("S", ("A", "Stop"), relation="punct"),
    Rule("A", ("a", "A"), 1, head=1, relation="dep"),
    Rule("A", ("B",), 3),
    Rule("B", ("a",)),
]


def test_structures_come_with_their_probabilities() -> None:
    sampler, generator = Sampler(RIGHT, "S", 4), random.Random(1)
    lengths = Counter(
        0 if structure is None else len(structure.heads) - 1
        for structure in (sampler.sample(generator) for _ in range(20_000))
    )
    # Four words at most, the stop included; the rest is given up.
    expected = {1: 3 / 4, 2: 3 / 16, 3: 3 / 64, 0: 1 / 64}
    for length, share in expected.items():
        tolerance = 4 * (share * (1 - share) / 20_000) ** 0.5
        assert lengths[length] / 20_000 == pytest.approx(share, abs=tolerance)
    assert set(lengths) == set(expected)


def test_heads_relations_and_spans_by_hand() -> None:
    generator = random.Random(0)
    sampler = Sampler(RIGHT, "S", 9)
    drawn = (sampler.sample(generator) for _ in range(1_000))
    structure = next(one for one in drawn if one is not None and len(one.heads) == 4)
    assert structure == Structure(
        categories=["a", "a", "a", "Stop"],
        heads=[3, 3, 0, 3],
        deprels=["dep", "dep", "root", "punct"],
        spans=[[0, 3], [1, 3]],
    )
    assert bracketed(["x", "y", "z", "."], structure.spans) == "(x (y z))"
    assert bracketed(["x", "."], []) == ""


def test_the_same_annotation_as_the_other_engine_gives() -> None:
    """Every derivation of a small grammar, by nodes that are built and walked."""
    rules = [
        Rule("S", ("Clause", "Stop"), relation="punct"),
        Rule("Clause", ("NP", "VP"), head=1, relation="nsubj"),
        Rule("NP", ("det", "noun"), head=1, relation="det"),
        Rule("NP", ("noun",)),
        Rule("VP", ("verb", "NP"), relation="obj"),
        Rule("VP", ("verb",)),
    ]
    leaves = ("Stop", "det", "noun", "verb")
    grammar = Grammar(rules, {leaf: Words("X", (leaf,)) for leaf in leaves}, "S")
    expected = {}
    for skeleton, _ in grammar.skeletons():
        root: Node = skeleton.root
        expected[skeleton.categories] = (*arcs(root), spans(root))
    sampler, generator = Sampler(rules, "S", 9), random.Random(0)
    found = {}
    for _ in range(200):
        structure = sampler.sample(generator)
        assert structure is not None
        found[tuple(structure.categories)] = tuple(structure[1:])
    assert found == expected


def structure(text: str) -> Structure:
    parts = [item.split("/") for item in text.split()]
    categories, heads, deprels = zip(*parts, strict=True)
    return Structure(list(categories), [int(head) for head in heads], list(deprels), [])


# the king who thinks that newts sleep sees and admires himself
NESTED = structure(
    "Det[sg]/2/det N[sg]/8/nsubj Rel/4/nsubj Vc[sg][fin]/2/acl:relcl Mark/7/mark N[pl]/7/nsubj "
    "Vi[pl][fin]/4/ccomp Vt[sg][fin]/0/root Coord/10/cc Vt[sg][fin]/8/conj Refl[sg]/10/obj"
)


def test_depth_counts_clauses_on_one_way_up() -> None:
    assert depth(NESTED, ("acl:relcl", "ccomp")) == 2
    assert depth(NESTED, ("ccomp",)) == 1
    assert depth(NESTED, ()) == 0


def test_antecedents() -> None:
    assert antecedent(NESTED, 2) == 1
    assert antecedent(NESTED, 10) == 1  # of a conjoined verb: the subject of the first
    inside = structure("N[sg]/4/nsubj Rel/3/nsubj Vt[sg][fin]/1/acl:relcl Vi[sg][fin]/0/root")
    inside.categories.append("Refl[sg]")
    inside.heads.append(3)
    inside.deprels.append("obj")
    assert antecedent(inside, 4) == 0  # through the relative pronoun


def test_a_root_has_any_class_and_closed_categories_none() -> None:
    generator = random.Random(0)
    drawn = [choose_classes(NESTED, generator) for _ in range(4_000)]
    for classes in drawn:
        closed = [place for place, number in enumerate(classes) if number == -1]
        assert closed == [0, 2, 4, 8, 10]
    roots = Counter(classes[7] for classes in drawn)
    assert set(roots) == set(range(8))
    assert all(count / 4_000 == pytest.approx(1 / 8, abs=0.025) for count in roots.values())


def test_words_have_the_forms_of_their_categories() -> None:
    words = choose_words(NESTED, random.Random(3))
    assert words[4] == "that"
    assert words[2] in ("who", "which")
    assert words[3].endswith("s")
    assert not words[6].endswith("s")
