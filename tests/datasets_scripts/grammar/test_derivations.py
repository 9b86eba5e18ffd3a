"""Whole analyses, written out by hand from the definitions."""

from __future__ import annotations

from typing import Any

import pytest

from hf_grok.datasets_scripts import QuestionFormation, TenseInflection
from hf_grok.datasets_scripts.grammar.english import SUBJECT_MODIFIERS
from hf_grok.datasets_scripts.grammar.task_language import Language, annotate
from hf_grok.datasets_scripts.readers.tsv import Reader

BY_HAND = [
    {
        "line": "the newt does giggle . decl\tthe newt does giggle .",
        "upos": "DET NOUN AUX VERB PUNCT",
        "heads": [2, 4, 4, 0, 4],
        "deprels": "det nsubj aux root punct",
        "spans": [[0, 4], [0, 2], [2, 4]],
        "tree": "((the newt) (does giggle))",
        "main_index": 2,
        "subject_modifier": "none",
    },
    {
        "line": "her walruses near the yak don't admire some zebra . quest\t"
        "don't her walruses near the yak admire some zebra ?",
        "upos": "DET NOUN ADP DET NOUN AUX VERB DET NOUN PUNCT",
        "heads": [2, 7, 5, 5, 2, 7, 0, 9, 7, 7],
        "deprels": "det nsubj case det nmod aux root det obj punct",
        "spans": [[0, 9], [0, 5], [0, 2], [2, 5], [3, 5], [5, 9], [6, 9], [7, 9]],
        "tree": "(((her walruses) (near (the yak))) (don't (admire (some zebra))))",
        "main_index": 5,
        "subject_modifier": "pp",
    },
    {
        "line": "my quail who does sleep doesn't eat . quest\t"
        "doesn't my quail who does sleep eat ?",
        "upos": "DET NOUN PRON AUX VERB AUX VERB PUNCT",
        "heads": [2, 7, 5, 5, 2, 7, 0, 7],
        "deprels": "det nsubj nsubj aux acl:relcl aux root punct",
        "spans": [[0, 7], [0, 5], [0, 2], [2, 5], [3, 5], [5, 7]],
        "tree": "(((my quail) (who (does sleep))) (doesn't eat))",
        "main_index": 5,
        "subject_modifier": "rc_subject_intransitive",
    },
    {
        "line": "some ravens that do comfort your vulture don't wait . decl\t"
        "some ravens that do comfort your vulture don't wait .",
        "upos": "DET NOUN PRON AUX VERB DET NOUN AUX VERB PUNCT",
        "heads": [2, 9, 5, 5, 2, 7, 5, 9, 0, 9],
        "deprels": "det nsubj nsubj aux acl:relcl det obj aux root punct",
        "spans": [[0, 9], [0, 7], [0, 2], [2, 7], [3, 7], [4, 7], [5, 7], [7, 9]],
        "tree": "(((some ravens) (that (do (comfort (your vulture))))) (don't wait))",
        "main_index": 7,
        "subject_modifier": "rc_subject_transitive",
    },
    {
        "line": "our yak who the newts don't amuse does remember the walrus that does swim . quest"
        "\tdoes our yak who the newts don't amuse remember the walrus that does swim ?",
        "upos": "DET NOUN PRON DET NOUN AUX VERB AUX VERB DET NOUN PRON AUX VERB PUNCT",
        "heads": [2, 9, 7, 5, 7, 7, 2, 9, 0, 11, 9, 14, 14, 11, 9],
        "deprels": "det nsubj obj det nsubj aux acl:relcl aux root "
        "det obj nsubj aux acl:relcl punct",
        "spans": [
            *([0, 14], [0, 7], [0, 2], [2, 7], [3, 7], [3, 5], [5, 7]),
            *([7, 14], [8, 14], [9, 14], [9, 11], [11, 14], [12, 14]),
        ],
        "tree": "(((our yak) (who ((the newts) (don't amuse)))) "
        "(does (remember ((the walrus) (that (does swim))))))",
        "main_index": 7,
        "subject_modifier": "rc_object",
    },
    {
        "line": "the newts by our zebra swam . PRESENT\tthe newts by our zebra swim .",
        "upos": "DET NOUN ADP DET NOUN VERB PUNCT",
        "heads": [2, 6, 5, 5, 2, 0, 6],
        "deprels": "det nsubj case det nmod root punct",
        "spans": [[0, 6], [0, 5], [0, 2], [2, 5], [3, 5]],
        "tree": "(((the newts) (by (our zebra))) swam)",
        "main_index": 5,
        "subject_modifier": "pp",
    },
    {
        "line": "the unicorn who ate slept . PRESENT\tthe unicorn who eats sleeps .",
        "upos": "DET NOUN PRON VERB VERB PUNCT",
        "heads": [2, 5, 4, 2, 0, 5],
        "deprels": "det nsubj nsubj acl:relcl root punct",
        "spans": [[0, 5], [0, 4], [0, 2], [2, 4]],
        "tree": "(((the unicorn) (who ate)) slept)",
        "main_index": 4,
        "subject_modifier": "rc_subject_intransitive",
    },
    {
        "line": "my newt who amused your yaks waited . PRESENT\t"
        "my newt who amuses your yaks waits .",
        "upos": "DET NOUN PRON VERB DET NOUN VERB PUNCT",
        "heads": [2, 7, 4, 2, 6, 4, 0, 7],
        "deprels": "det nsubj nsubj acl:relcl det obj root punct",
        "spans": [[0, 7], [0, 6], [0, 2], [2, 6], [3, 6], [4, 6]],
        "tree": "(((my newt) (who (amused (your yaks)))) waited)",
        "main_index": 6,
        "subject_modifier": "rc_subject_transitive",
    },
    {
        "line": "her yak that some ravens admired confused my quail . PAST\t"
        "her yak that some ravens admired confused my quail .",
        "upos": "DET NOUN PRON DET NOUN VERB VERB DET NOUN PUNCT",
        "heads": [2, 7, 6, 5, 6, 2, 0, 9, 7, 7],
        "deprels": "det nsubj obj det nsubj acl:relcl root det obj punct",
        "spans": [[0, 9], [0, 6], [0, 2], [2, 6], [3, 6], [3, 5], [6, 9], [7, 9]],
        "tree": "(((her yak) (that ((some ravens) admired))) (confused (my quail)))",
        "main_index": 6,
        "subject_modifier": "rc_object",
    },
]


def language_of(line: str) -> Language:
    kind = TenseInflection if "PRES" in line or "PAST" in line else QuestionFormation
    return kind.languages["released"]


@pytest.mark.parametrize("expected", BY_HAND, ids=lambda expected: expected["tree"])
def test_analysis_equals_the_one_by_hand(expected: dict[str, Any]) -> None:
    source, target = expected["line"].split("\t")
    language = language_of(source)
    row = annotate(language, Reader(language, "main").example(expected["line"]))
    assert row == {
        "text": f"{source} {target}",
        "source": source,
        "target": target,
        "task": language.tasks.index(source.split()[-1]),
        "words": source.split()[:-1],
        "upos": expected["upos"].split(),
        "deprels": expected["deprels"].split(),
        "heads": expected["heads"],
        "spans": expected["spans"],
        "tree": expected["tree"],
        "main_index": expected["main_index"],
        "subject_modifier": SUBJECT_MODIFIERS.index(expected["subject_modifier"]),
    }


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        (
            "main",
            "my quail who does sleep doesn't eat . quest\tdoesn't my quail who does sleep eat ?",
        ),
        (
            "first",
            "my quail who does sleep doesn't eat . quest\tdoes my quail who sleep doesn't eat ?",
        ),
        ("first", "my quail doesn't eat . quest\tdoesn't my quail eat ?"),
        (
            "first",
            "my quail doesn't amuse the yak who does eat . quest\t"
            "doesn't my quail amuse the yak who does eat ?",
        ),
        (
            "main",
            "her yak that some ravens admired read . PRESENT\t"
            "her yak that some ravens admire reads .",
        ),
        (
            "recent",
            "her yak that some ravens admired read . PRESENT\t"
            "her yak that some ravens admire read .",
        ),
        ("recent", "the yaks who ate moved . PRESENT\tthe yaks who eat move ."),
    ],
)
def test_the_answer_of_each_rule(rule: str, line: str) -> None:
    reader = Reader(language_of(line), rule)
    assert reader.language.answer(reader.example(line)) == line.split("\t")[1]
