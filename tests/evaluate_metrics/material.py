"""Small inputs of every metric."""

from __future__ import annotations

import random
from typing import Any

import evaluate

from hf_grok.evaluate_metrics import path

ARCS = {
    "words": ["the", "newts", "near", "my", "yak", "smile", "."],
    "heads": [2, 6, 5, 5, 2, 0, 6],
    "deprels": ["det", "nsubj", "case", "nmod:poss", "nmod", "root", "punct"],
}
QUESTION = {
    "source": "my newt who doesn't swim does sleep . quest",
    "target": "does my newt who doesn't swim sleep ?",
    "words": ["my", "newt", "who", "doesn't", "swim", "does", "sleep", "."],
    "main_index": 5,
    "subject_modifier": "rc_subject_intransitive",
}
PRESENT = {
    "source": "my newt near our yaks swam . PRESENT",
    "target": "my newt near our yaks swims .",
    "words": ["my", "newt", "near", "our", "yaks", "swam", "."],
    "upos": ["DET", "NOUN", "ADP", "DET", "NOUN", "VERB", "PUNCT"],
    "main_index": 5,
    "subject_modifier": "pp",
}
GOLD_SPANS = [[0, 4], [0, 2], [2, 4]]
# What each metric is given where a test is not about it: predictions, references.
PAIRS: dict[str, tuple[list[Any], list[Any]]] = {
    "uas": ([[2, 6, 5, 5, 6, 0, 6], [0]], [[2, 6, 5, 5, 2, 0, 6], [0]]),
    "parseval": ([[[0, 4], [1, 4], [2, 4]], []], [GOLD_SPANS, []]),
    "question_formation": (["does my newt", "doesn't"], [QUESTION, QUESTION]),
    "tense_inflection": (["my newt near our yaks swims .", ""], [PRESENT, PRESENT]),
    "dyck_closing_bracket": ([[")1", ")1"], [")0"]], ["(0 (1 )1 )0", "(0 )0"]),
}


def load(name: str) -> evaluate.Metric:
    return evaluate.load(path(name))


def random_spans(draw: random.Random, words: int, count: int) -> list[list[int]]:
    """Spans of any kind: crossing ones, single words, the same one twice."""
    spans = []
    for _ in range(count):
        start = draw.randrange(words)
        spans.append([start, draw.randint(start + 1, words)])
    return spans
