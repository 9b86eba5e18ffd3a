"""What the rules promise, checked on thousands of sentences from words, heads and relations."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from hf_grok.datasets_scripts import Agreement
from hf_grok.datasets_scripts.english_agreement.lexicon import LEXICON, OPEN, VOCABULARY
from hf_grok.datasets_scripts.english_agreement.rules import DEEP_RULES, RULES, START
from hf_grok.datasets_scripts.grammar.grammar import Grammar
from tests.datasets_scripts.english_agreement.recogniser import in_the_grammar, relative_of

SIZES = {
    "train_size": 1_500,
    "validation_size": 100,
    "test_size": 1_500,
    "generalization_size": 500,
}
NEGATIVE = {"doesn't", "don't", "can't", "won't", "mustn't", "shouldn't"}
POLARITY_ITEMS = {"ever", "any", "anymore"}
MASCULINE = {
    *("boy", "king", "uncle", "brother", "nephew", "prince", "father"),
    *("waiter", "monk", "actor", "wizard", "duke", "baron", "hero"),
    *("rooster", "bull", "stallion", "ram", "stag", "tomcat", "boar"),
}
FEMININE = {
    *("girl", "queen", "aunt", "sister", "niece", "princess", "mother"),
    *("waitress", "nun", "actress", "witch", "duchess", "baroness", "heroine"),
    *("hen", "cow", "mare", "ewe", "hind", "vixen", "sow"),
}


def forms(*categories: str) -> set[str]:
    return {form for category in categories for form in LEXICON[category].forms}


VERBS = ("Vi", "Vt", "Vd", "Vc")
SINGULAR_NOUNS, PLURAL_NOUNS = forms("N[sg]"), forms("N[pl]")
THIRD_PERSON = forms(*(f"{verb}[sg][fin]" for verb in VERBS))
PLAIN = forms(*(f"{verb}[pl][fin]" for verb in VERBS))


class Sentence:
    """A row with its arcs; 0-based positions."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.row = row
        self.words: list[str] = row["words"]
        self.heads = [head - 1 for head in row["heads"]]
        self.relations: list[str] = row["deprels"]

    def children(self, head: int, *relations: str) -> list[int]:
        return [
            word
            for word, (above, relation) in enumerate(zip(self.heads, self.relations, strict=True))
            if above == head and relation in relations
        ]

    def verbs(self) -> list[int]:
        return [word for word, upos in enumerate(self.row["upos"]) if upos == "VERB"]

    def subject(self, verb: int) -> int:
        """The noun that is the subject of a verb, across conjunction and relativisation."""
        (subject,) = self.children(verb, "nsubj") or [None]
        if subject is None:
            assert self.relations[verb] == "conj"
            return self.subject(self.heads[verb])
        return self.heads[verb] if self.words[subject] in ("who", "which") else subject

    def number(self, verb: int) -> str:
        """The number that a verb's subject asks for."""
        noun = self.subject(verb)
        conjuncts = [word for word in self.children(noun, "conj") if noun < word < verb]
        return "pl" if conjuncts or self.words[noun] in PLURAL_NOUNS else "sg"


@cache
def rows() -> tuple[Sentence, ...]:
    builder = Agreement(**SIZES)
    return tuple(
        Sentence(builder.row(example))
        for split in builder.splits
        for example in builder.examples(split)
    )


def each(relation: str) -> Iterator[tuple[Sentence, int]]:
    for sentence in rows():
        for word, own in enumerate(sentence.relations):
            if own == relation:
                yield sentence, word


def test_the_rules_make_a_grammar_with_the_lexicon() -> None:
    for own in (RULES, DEEP_RULES):
        Grammar(own, LEXICON, START)  # refuses unknown, double and unbounded categories
    used = {child for rule in RULES for child in rule.children}
    assert set(LEXICON) <= used
    assert 500 <= len(VOCABULARY) <= 2_000


def test_no_form_has_two_parts_of_speech_and_no_class_has_a_form_twice() -> None:
    upos: dict[str, str] = {}
    for words in LEXICON.values():
        for form in words.forms:
            assert upos.setdefault(form, words.upos) == words.upos, form
    kinds = [forms(f"{verb}[sg][fin]", f"{verb}[pl][fin]") for verb in VERBS]
    kinds += [forms(kind) for kind in ("Adj", "PostAdj", "RelAdj", "Adv", "Degree")]
    assert sum(map(len, kinds)) == len(set().union(*kinds))
    for lines in OPEN.values():
        assert len(lines) == 8
        assert sum(map(len, lines)) == len({form for line in lines for form in line})


def test_verbs_and_auxiliaries_agree_with_their_subjects() -> None:
    seen = {"sg": 0, "pl": 0}
    for sentence in rows():
        for verb in sentence.verbs():
            number, word = sentence.number(verb), sentence.words[verb]
            auxiliaries = {sentence.words[aux] for aux in sentence.children(verb, "aux")}
            if auxiliaries:
                assert len(auxiliaries) == 1
                assert word in PLAIN
                assert not auxiliaries & ({"do", "don't"} if number == "sg" else {"does"})
                assert number == "sg" or "doesn't" not in auxiliaries
            else:
                assert word in (THIRD_PERSON if number == "sg" else PLAIN), sentence.words
                seen[number] += 1
    assert min(seen.values()) > 1_000


def test_determiners_agree_with_their_nouns() -> None:
    for sentence, word in each("det"):
        noun, determiner = sentence.words[sentence.heads[word]], sentence.words[word]
        assert noun in SINGULAR_NOUNS | PLURAL_NOUNS
        if determiner in ("this", "each", "every", "another"):
            assert noun in SINGULAR_NOUNS
        elif determiner in ("these", "those", "several", "many"):
            assert noun in PLURAL_NOUNS
        else:
            assert determiner in ("the", "my", "your", "our", "their", "any")


def test_reflexives_agree_in_number_and_gender() -> None:
    seen = set()
    for sentence in rows():
        for word, form in enumerate(sentence.words):
            if not form.endswith(("self", "selves")):
                continue
            seen.add(form)
            assert sentence.relations[word] == "obj"
            verb = sentence.heads[word]
            noun = sentence.words[sentence.subject(verb)]
            if sentence.number(verb) == "pl":
                assert form == "themselves"
            elif noun in MASCULINE:
                assert form == "himself"
            else:
                assert form == ("herself" if noun in FEMININE else "itself")
    assert seen == {"himself", "herself", "itself", "themselves"}


def test_relative_pronouns_agree_with_their_nouns() -> None:
    for sentence, verb in each("acl:relcl"):
        pronouns = [
            word
            for word in sentence.children(verb, "nsubj", "obj")
            if sentence.words[word] in ("who", "which")
        ]
        assert len(pronouns) == 1
        assert sentence.words[pronouns[0]] == relative_of(sentence.words[sentence.heads[verb]])


def test_polarity_items_stand_under_a_negative_auxiliary_of_their_verb() -> None:
    seen = set()
    for sentence in rows():
        for word, form in enumerate(sentence.words):
            if form in POLARITY_ITEMS:
                above = sentence.heads[word]
                verb = sentence.heads[above] if form == "any" else above
                assert any(
                    sentence.words[aux] in NEGATIVE for aux in sentence.children(verb, "aux")
                )
                seen.add(form)
    assert seen == POLARITY_ITEMS


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [("Vi", []), ("Vt", ["obj"]), ("Vd", ["iobj", "obj"]), ("Vc", ["ccomp"])],
)
def test_verbs_have_their_arguments_and_no_others(kind: str, arguments: list[str]) -> None:
    own = forms(f"{kind}[sg][fin]", f"{kind}[pl][fin]")
    for sentence in rows():
        for verb in sentence.verbs():
            if sentence.words[verb] in own:
                found = [
                    sentence.relations[i] for i in sentence.children(verb, "obj", "iobj", "ccomp")
                ]
                assert sorted(found) == arguments, sentence.words


ARCS = {
    "nsubj": ("NOUN PRON", "VERB"),
    "obj": ("NOUN PRON", "VERB"),
    "iobj": ("NOUN", "VERB"),
    "obl": ("NOUN", "VERB ADJ"),
    "nmod": ("NOUN", "NOUN"),
    "amod": ("ADJ", "NOUN"),
    "advmod": ("ADV", "VERB ADJ"),
    "det": ("DET", "NOUN"),
    "case": ("ADP", "NOUN"),
    "aux": ("AUX", "VERB"),
    "mark": ("SCONJ", "VERB"),
    "ccomp": ("VERB", "VERB"),
    "acl:relcl": ("VERB", "NOUN"),
    "cc": ("CCONJ", "NOUN VERB ADJ"),
    "conj": ("NOUN VERB ADJ", "NOUN VERB ADJ"),
    "punct": ("PUNCT", "VERB"),
}


def test_relations_join_the_parts_of_speech_that_they_may() -> None:
    seen = set()
    for sentence in rows():
        upos = sentence.row["upos"]
        for word, (head, relation) in enumerate(
            zip(sentence.heads, sentence.relations, strict=True)
        ):
            seen.add(relation)
            if relation == "root":
                assert (head, upos[word]) == (-1, "VERB")
                continue
            dependents, heads = ARCS[relation]
            assert upos[word] in dependents.split()
            assert upos[head] in heads.split()
            assert relation != "conj" or upos[word] == upos[head]
            if relation in ("nmod", "obl"):
                assert len(sentence.children(word, "case")) == 1
            if relation in ("conj", "ccomp"):
                assert len(sentence.children(word, "cc" if relation == "conj" else "mark")) == 1
    assert seen == {*ARCS, "root"}


def test_heads_are_a_projective_tree_and_spans_are_headed_once() -> None:
    for sentence in rows():
        heads, spans, length = sentence.heads, sentence.row["spans"], len(sentence.words)
        assert heads.count(-1) == 1
        assert sentence.words.index(".") == length - 1 == sentence.relations.index("punct")
        assert spans[0] == [0, length - 1]
        assert len(spans) == length - 2  # binary: n leaves have n - 1 inner nodes; no period
        assert spans == sorted(spans, key=lambda span: (span[0], -span[1]))
        for start, end in spans:
            outside = [word for word in range(start, end) if not start <= heads[word] < end]
            assert len(outside) == 1
        for word, head in enumerate(heads):
            for other in range(min(word, head) + 1, max(word, head)):
                if head >= 0:
                    assert min(word, head) <= heads[other] <= max(word, head)


def spans_of(tree: str) -> list[list[int]]:
    """Spans of a bracketed tree, in the order of their opening brackets."""
    spans: list[list[int]] = []
    opened: list[list[int]] = []
    words = 0
    for token in tree.replace("(", " ( ").replace(")", " ) ").split():
        if token == "(":
            opened.append([words])
            spans.append(opened[-1])
        elif token == ")":
            opened.pop().append(words)
        else:
            words += 1
    assert not opened
    return spans


def clauses_around(sentence: Sentence, word: int) -> int:
    own = sentence.relations[word] in ("acl:relcl", "ccomp")
    head = sentence.heads[word]
    return own + (clauses_around(sentence, head) if head >= 0 else 0)


def test_the_other_columns_follow_from_words_and_heads() -> None:
    for sentence in rows():
        row, words = sentence.row, sentence.words
        assert row["text"] == " ".join(words)
        assert row["upos"] == [
            next(own.upos for own in LEXICON.values() if word in own.forms) for word in words
        ]
        assert spans_of(row["tree"]) == row["spans"]
        assert row["tree"].replace("(", "").replace(")", "") == " ".join(words[:-1])
        assert row["depth"] == max(clauses_around(sentence, word) for word in range(len(words)))
        assert ("sg", "pl")[row["subject_number"]] == sentence.number(sentence.heads.index(-1))


def test_a_recogniser_of_the_rules_accepts_what_is_generated() -> None:
    short = [sentence.row["text"] for sentence in rows() if len(sentence.words) <= 20]
    assert all(in_the_grammar(text) for text in short[::15])
    assert len(short[::15]) > 100


@pytest.mark.parametrize(
    "sentence",
    [
        "the newt sleep quickly .",
        "the newts sleeps quickly .",
        "these newt can sleep .",
        "the newt near the houses sleeps .",  # a word outside the lexicon
        "the newts near the otter sleeps .",
        "the newt and the otter sleeps .",
        "the king admires herself often .",
        "the kings admire himself often .",
        "the king admires often .",
        "the king sleeps the otter .",
        "the king doesn't sleeps .",
        "the king can ever sleep .",
        "the otter which the king admires the newt sleeps .",
        "the otter which the king sleeps waits .",
        "the king thinks the newt sleeps .",
        "the king thinks that the newt admires .",
        "king sleeps near newts .",
        "the king sleeps near newts",
    ],
)
def test_the_recogniser_refuses_what_the_grammar_has_not(sentence: str) -> None:
    assert not in_the_grammar(sentence)
