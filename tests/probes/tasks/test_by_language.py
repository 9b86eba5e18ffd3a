"""The measures on what the builders make: what they promise of a split is what is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest

from hf_grok.languages import OURS, load
from hf_grok.models import word_level_tokenizer
from hf_grok.probes.tasks import DyckBehaviour
from hf_grok.probes.tasks import behaviour_for as old_behaviour_for
from tests.probes.tasks.material import RiggedModel
from tests.probes.tasks.test_dyck import stack_rule

SMALL = {"train_size": 300, "validation_size": 20, "test_size": 60, "generalization_size": 60}
OPTIONS: dict[str, dict[str, Any]] = {
    "dyck": {"brackets": 3, "max_depth": 6, "max_length": 40, **SMALL},
    "question-formation": SMALL,
    "tense-inflection": SMALL,
}


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], datasets.DatasetDict]]:
    folder: Path = tmp_path_factory.mktemp("cache")

    def make(kind: str) -> datasets.DatasetDict:
        builder = OURS[kind].builder_class()(cache_dir=folder, **OPTIONS[kind])
        builder.download_and_prepare()
        return builder.as_dataset()

    datasets.disable_progress_bars()
    yield make
    datasets.enable_progress_bars()


def behaviour_for(kind: str, rows: datasets.Dataset, tokenizer: Any) -> Any:
    return load(OURS[kind].behaviour)(rows, tokenizer)


def reciting(texts: list[str], swap: Callable[[list[str]], list[str]]) -> Callable[..., str]:
    """After a source, the words of `swap(line)`, place by place."""
    answers = {}
    for text in texts:
        words = text.split()
        cut = words.index(".") + 2
        answers[" ".join(words[:cut])] = swap(words)[cut:]

    def rule(words: list[str]) -> str:
        cut = words.index(".") + 2 if "." in words else len(words)
        answer = answers.get(" ".join(words[:cut]), [])
        place = len(words) - cut
        return answer[place] if 0 <= place < len(answer) else "."

    return rule


@pytest.mark.parametrize("split", ["test", "generalization"])
@pytest.mark.parametrize("kind", ["question-formation", "tense-inflection"])
def test_gold_answers_score_one(
    kind: str, split: str, made: Callable[[str], datasets.DatasetDict]
) -> None:
    rows = made(kind)[split]
    tokenizer = tokenizer_of_all(made(kind))
    behaviour = behaviour_for(kind, rows, tokenizer)
    model = RiggedModel(tokenizer, reciting(rows["text"][:], lambda words: words))
    tally = behaviour.tally(model)
    wrong = {"linear_share", "neither_share", "agree_recent_share"}
    assert {name: value for name, value in tally.ratios().items() if name not in wrong} == {
        name: 1.0 for name in tally.ratios() if name not in wrong
    }
    asked = sum(source.endswith(("quest", "PRESENT")) for source in rows["source"][:])
    assert tally["accuracy"] == (asked, asked)
    rule = {"question-formation": "linear_share", "tense-inflection": "agree_recent_share"}[kind]
    # Generalization lines all tell the rules apart, the others never do.
    assert tally[rule] == (0, len(rows) if split == "generalization" else 0)


def test_the_other_number_is_agreement_with_the_recent_noun(
    made: Callable[[str], datasets.DatasetDict],
) -> None:
    rows = made("tense-inflection")["generalization"]
    tokenizer = tokenizer_of_all(made("tense-inflection"))
    mains = dict(zip(rows["text"][:], rows["main_index"][:], strict=True))

    def other_number(words: list[str]) -> list[str]:
        place = words.index(".") + 2 + mains[" ".join(words)]
        verb = words[place]
        other = verb[:-1] if verb.endswith("s") else verb + "s"
        return [*words[:place], other, *words[place + 1 :]]

    model = RiggedModel(tokenizer, reciting(rows["text"][:], other_number))
    tally = behaviour_for("tense-inflection", rows, tokenizer).tally(model)
    assert tally["agree_recent_share"] == (60, 60)
    assert tally["accuracy"] == tally["main_verb_accuracy"] == (0, 60)


def test_dyck_strings_nest_and_their_distances_agree(
    made: Callable[[str], datasets.DatasetDict],
) -> None:
    rows = made("dyck")["generalization"]
    tokenizer = tokenizer_of_all(made("dyck"), append_end=True)
    tally = behaviour_for("dyck", rows, tokenizer).tally(RiggedModel(tokenizer, dyck_rule))
    closing = sum(text.count(")") for text in rows["text"][:])
    assert tally["accuracy_all"] == (closing, closing)
    far = sum(distance >= 10 for row in rows["distances"][:] for distance in row)
    assert tally["accuracy"] == (far, far)


def dyck_rule(words: list[str]) -> str:
    answer = stack_rule(words)
    return "(1" if answer == "(0" else answer


def tokenizer_of_all(splits: datasets.DatasetDict, append_end: bool = False) -> Any:
    words = {word for rows in splits.values() for text in rows["text"][:] for word in text.split()}
    return word_level_tokenizer(words, append_end=append_end)


def test_the_old_way_to_a_behaviour_works_and_names_the_new() -> None:
    tokenizer = word_level_tokenizer(["(0", ")0"], append_end=True)
    with pytest.warns(FutureWarning, match=r"now load\(language\(name\).behaviour\)"):
        behaviour = old_behaviour_for("dyck", [{"text": "(0 )0"}], tokenizer)
    assert type(behaviour) is DyckBehaviour
    assert len(behaviour) == 1
