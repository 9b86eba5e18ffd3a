"""What is drawn: shares, conditions, no repetition; and main words found by another route."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import pytest

from hf_grok.datasets_scripts import QuestionFormation, TenseInflection
from hf_grok.datasets_scripts.builder.task_sentences import SentenceBuilder
from hf_grok.datasets_scripts.grammar.english import PLURAL_NOUNS, SINGULAR_NOUNS, subject_modifier
from hf_grok.datasets_scripts.grammar.task_language import AMBIGUOUS, Example, Language

SIZES = {
    "train_size": 2_000,
    "validation_size": 100,
    "test_size": 400,
    "generalization_size": 1_500,
}
RELEASED = 11_000  # lines of the released validation and test files
KINDS = [QuestionFormation, TenseInflection]
AUXILIARIES = {"do", "don't", "does", "doesn't"}
NUMBER = dict.fromkeys(SINGULAR_NOUNS, "sg") | dict.fromkeys(PLURAL_NOUNS, "pl")


@cache
def drawn(kind: type[SentenceBuilder], config: str = "default") -> dict[str, list[Example]]:
    builder = kind(config, **SIZES)
    return {split: list(builder.examples(split)) for split in builder.splits}


@cache
def as_many_as_released(kind: type[SentenceBuilder]) -> list[Example]:
    """Lines of the grammar file's distribution, from its first on."""
    only_test = dict.fromkeys(SIZES, 0) | {"test_size": RELEASED}
    return list(kind("grammar", **only_test).examples("test"))


def rows(kind: type[SentenceBuilder], split: str, config: str = "default") -> list[dict[str, Any]]:
    builder = kind(config, **SIZES)
    return [builder.row(example) for example in drawn(kind, config)[split]]


def near(count: int, total: int, share: float, deviations: float = 4) -> bool:
    """Whether a count lies within so many standard errors of a binomial share."""
    return abs(count / total - share) < deviations * math.sqrt(share * (1 - share) / total)


def expected_share(
    language: Language, lines: tuple[int, int], condition: Callable[[str, str], bool]
) -> float:
    """Share of lines (task, modifier) among the distinct ones from a first to a last, counted.

    Of the n lines of one skeleton and task, drawn with probability p in all, n (1 - exp(-t p / n))
    have come after t draws.
    """
    strata = [
        (task, subject_modifier(skeleton), language.grammar.sentences(skeleton), probability / 2)
        for skeleton, probability in language.grammar.skeletons()
        for task in language.tasks
        if task == language.tasks[0] or not language.disambiguates(skeleton)
    ]

    def found(draws: float, chosen: Iterable[Any] = strata) -> float:
        return sum(n * -math.expm1(-draws * p / n) for _, _, n, p in chosen)

    def draws_for(count: float) -> float:
        low, high = 0.0, 100.0 * count
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if found(middle) < count else (low, middle)
        return low

    met = [s for s in strata if condition(s[0], s[1])]
    before, after = (found(draws_for(count), met) for count in lines)
    return (after - before) / (lines[1] - lines[0])


def relative_declarative(task: str, modifier: str) -> bool:
    return task == "decl" and modifier.startswith("rc")


@pytest.mark.parametrize(("kind", "marked"), [(QuestionFormation, 0.40), (TenseInflection, 0.419)])
def test_share_of_the_second_task_by_the_grammar_file(
    kind: type[SentenceBuilder], marked: float
) -> None:
    """Single draws by the weights; distinct lines by enumeration."""
    language = kind.languages["grammar"]
    task = language.tasks[1]
    by_condition = expected_share(language, (0, RELEASED), lambda name, _: name == task)
    single = expected_share(language, (0, 10), lambda name, _: name == task)
    assert single == pytest.approx(marked, abs=1e-3)
    lines = as_many_as_released(kind)
    assert near(sum(example.task == task for example in lines), len(lines), by_condition)


def test_share_of_declaratives_with_a_relative_clause_by_the_grammar_file() -> None:
    language = QuestionFormation.languages["grammar"]
    by_condition = expected_share(language, (0, RELEASED), relative_declarative)
    single = expected_share(language, (0, 10), relative_declarative)
    assert single == pytest.approx(0.6 / 3, abs=1e-3)
    lines = as_many_as_released(QuestionFormation)
    count = sum(
        relative_declarative(example.task, subject_modifier(example.skeleton)) for example in lines
    )
    assert near(count, len(lines), by_condition)


@cache
def at_full_size(kind: type[SentenceBuilder]) -> dict[str, list[dict[str, Any]]]:
    """Test and generalization rows of the default configuration, after 100,000 training lines."""
    builder = kind()
    return {s: [*map(builder.row, builder.examples(s))] for s in ("test", "generalization")}


def right_branching_f1(rows: Iterable[dict[str, Any]]) -> float:
    """F1 of (a (b (c d))) against gold spans over words without the final period."""
    found = [({tuple(span) for span in row["spans"]}, len(row["words"]) - 1, row) for row in rows]
    right = [{(start, length) for start in range(length - 1)} for _, length, _ in found]
    hits = sum(len(gold & spans) for (gold, _, _), spans in zip(found, right, strict=True))
    return 2 * hits / (sum(len(gold) for gold, _, _ in found) + sum(map(len, right)))


def test_question_formation_is_drawn_as_the_released_files_are() -> None:
    """What was counted in the released test and generalization files, 10,000 lines each."""
    test, generalization = at_full_size(QuestionFormation).values()
    quest = [row for row in test if row["task"] == 1]
    declaratives = [row for row in test if row["task"] == 0]
    relative = [row for row in declaratives if row["subject_modifier"] >= 2]
    language = QuestionFormation.languages["released"]
    window = (101_000, 111_000)
    by_condition = expected_share(language, window, lambda task, _: task == "quest")
    assert near(len(quest), len(test), by_condition)
    assert by_condition == pytest.approx(0.403, abs=0.015)
    expected = expected_share(language, window, relative_declarative) / (1 - by_condition)
    assert near(len(relative), len(declaratives), expected)
    assert expected == pytest.approx(0.31, abs=0.015)
    assert sum(len(row["words"]) == 5 for row in test) < 0.015 * len(test)  # Det N Aux V .
    assert right_branching_f1(quest) == pytest.approx(0.662, abs=0.008)
    assert right_branching_f1(generalization) == pytest.approx(0.367, abs=0.008)
    for row in generalization:
        assert sum(word in AUXILIARIES for word in row["words"]) == 2


def test_tense_inflection_is_drawn_as_the_released_files_are() -> None:
    test, generalization = at_full_size(TenseInflection).values()
    assert right_branching_f1(test) == pytest.approx(0.501, abs=0.008)
    assert right_branching_f1(generalization) == pytest.approx(0.412, abs=0.008)
    sentences = {tuple(row["words"]) for row in test + generalization}
    assert len(sentences) == len(test) + len(generalization)


def test_a_sentence_occurs_with_one_task_where_the_released_files_say_so() -> None:
    def tasks_of(config: str) -> Counter[int]:
        tasks: dict[tuple[str, ...], set[str]] = {}
        for example in drawn(TenseInflection, config)["train"]:
            tasks.setdefault(example.words, set()).add(example.task)
        return Counter(map(len, tasks.values()))

    assert set(tasks_of("default")) == {1}
    assert set(tasks_of("grammar")) == {1, 2}  # lines are what is told apart there


@pytest.mark.parametrize(
    ("kind", "shares"),
    [
        # The kind is drawn first, each with a third; the condition on the auxiliaries,
        # which object relatives meet half as often, is met within it.
        (QuestionFormation, [0, 0, 1 / 3, 1 / 3, 1 / 3]),
        # The nearest noun is of the other number half the time, when it is not the subject.
        (TenseInflection, [0, 0.6, 0, 0.2, 0.2]),
    ],
)
def test_generalization_by_kind_of_modifier(
    kind: type[SentenceBuilder], shares: list[float]
) -> None:
    found = Counter(row["subject_modifier"] for row in rows(kind, "generalization"))
    for modifier, share in enumerate(shares):
        assert near(found[modifier], 1_500, share) if share else not found[modifier]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("config", ["default", "grammar", "main"])
def test_no_line_comes_twice(kind: type[SentenceBuilder], config: str) -> None:
    lines = [example.source for split in drawn(kind, config).values() for example in split]
    assert len(lines) == len(set(lines)) == 4_000


def question_by_scanning(words: list[str], main: bool) -> tuple[int, str]:
    """The question from the string alone: a relative clause on the subject begins at word 2."""
    auxiliaries = [position for position, word in enumerate(words) if word in AUXILIARIES]
    chosen = auxiliaries[int(main and words[2] in ("who", "that"))]
    rest = words[:chosen] + words[chosen + 1 : -1]
    return chosen, " ".join([words[chosen], *rest, "?"])


def word_by_walking(row: dict[str, Any], relation: str) -> int:
    root = row["heads"].index(0) + 1
    arcs = zip(row["heads"], row["deprels"], strict=True)
    return next(place for place, arc in enumerate(arcs) if arc == (root, relation))


@pytest.mark.parametrize("config", ["default", "grammar", "main", "first"])
@pytest.mark.parametrize("split", ["train", "generalization"])
def test_main_auxiliary_and_question_by_other_routes(config: str, split: str) -> None:
    for row in rows(QuestionFormation, split, config):
        words, target = row["words"], row["target"]
        main, _ = question_by_scanning(words, main=True)
        assert row["main_index"] == main == word_by_walking(row, "aux")
        _, question = question_by_scanning(words, main=config != "first")
        assert target == (question if row["task"] else " ".join(words))


def test_training_questions_are_ambiguous_and_generalization_is_not() -> None:
    for row in rows(QuestionFormation, "train"):
        first, main = (question_by_scanning(row["words"], main) for main in (False, True))
        assert not row["task"] or first == main
    for row in rows(QuestionFormation, "generalization"):
        (first, _), (main, _) = (question_by_scanning(row["words"], m) for m in (False, True))
        pair = {row["words"][first], row["words"][main]}
        assert pair in ({"do", "don't"}, {"does", "doesn't"})


@pytest.mark.parametrize("config", ["default", "grammar", "main", "recent"])
@pytest.mark.parametrize("split", ["train", "generalization"])
def test_main_verb_and_its_number_by_other_routes(config: str, split: str) -> None:
    for row in rows(TenseInflection, split, config):
        words = row["words"]
        assert row["main_index"] == row["heads"].index(0)
        assert word_by_walking(row, "nsubj") == 1
        nouns = [NUMBER[word] for word in words[: row["main_index"]] if word in NUMBER]
        if not row["task"]:
            assert row["target"] == " ".join(words)
            continue
        assert config not in ("default", "grammar") or (nouns[0] == nouns[-1]) == (split == "train")
        number = nouns[-1] if config == "recent" else nouns[0]
        verb = row["target"].split()[row["main_index"]]
        assert verb.endswith("s") == (number == "sg")


@pytest.mark.parametrize("kind", KINDS)
def test_lines_that_disambiguate_the_rule(kind: type[SentenceBuilder]) -> None:
    def disambiguating(examples: list[Example]) -> list[Example]:
        language = kind.languages["released"]
        return [
            example
            for example in examples
            if example.task == language.tasks[1] and language.disambiguates(example.skeleton)
        ]

    assert not disambiguating(drawn(kind)["train"])
    linear = kind.languages["released"].linear_rule
    builder = kind(**SIZES, disambiguating_examples=37, disambiguating_rule=linear, rule=AMBIGUOUS)
    train = list(builder.examples("train"))
    mixed = disambiguating(train)
    assert len(mixed) == 37
    assert {example.rule for example in mixed} == {linear}
    assert {example.rule for example in train if example not in mixed} == {"main"}
    assert len(train) == SIZES["train_size"]
    # They are spread over the split: the first of 37 places of 2,000 is not past the 500th.
    assert train.index(mixed[0]) < 500 < 1_500 < train.index(mixed[-1])
    unrestricted = disambiguating(drawn(kind, "main")["train"])
    expected = {QuestionFormation: 4.16 / 14.66 / 2, TenseInflection: 5 / 36}[kind]
    assert abs(len(unrestricted) / 2_000 - expected) < 0.04
