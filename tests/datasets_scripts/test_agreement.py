"""The builder of `Agreement`: splits, seeds, processes, distribution, baselines, bad input."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

import datasets
import pytest

from hf_grok.datasets_scripts import Agreement
from hf_grok.datasets_scripts.english_agreement.choice import OFFSETS, class_shares
from hf_grok.datasets_scripts.english_agreement.lexicon import OPEN
from hf_grok.datasets_scripts.export.parquet import export
from hf_grok.errors import UserError

SMALL: dict[str, Any] = {
    "train_size": 300,
    "validation_size": 20,
    "test_size": 60,
    "generalization_size": 40,
}
ONLY_TEST = dict.fromkeys(SMALL, 0)


@pytest.fixture(autouse=True)
def _no_bars() -> Iterator[None]:
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


def prepare(cache_dir: Path, *, num_proc: int | None = None, **changes: Any) -> dict[str, Any]:
    builder = Agreement(cache_dir=cache_dir, **{**SMALL, **changes})
    builder.download_and_prepare(num_proc=num_proc)
    return {split: part.to_list() for split, part in builder.as_dataset().items()}


@cache
def many() -> list[dict[str, Any]]:
    builder = Agreement(**(ONLY_TEST | {"test_size": 2_000}))
    return [builder.row(example) for example in builder.examples("test")]


def test_columns_sizes_and_information(tmp_path: Path) -> None:
    builder = Agreement(cache_dir=tmp_path, **SMALL)
    builder.download_and_prepare()
    data = builder.as_dataset()
    assert {split: len(part) for split, part in data.items()} == {
        "train": 300,
        "validation": 20,
        "test": 60,
        "generalization": 40,
    }
    features = data["train"].features
    assert list(features) == [
        *("text", "words", "upos", "deprels", "heads", "spans", "tree", "depth", "subject_number")
    ]
    assert features["spans"] == datasets.List(datasets.List(datasets.Value("int32")))
    assert features["subject_number"].names == ["sg", "pl"]
    assert builder.config.version == builder.VERSION == builder.info.version
    words = {word for part in data.values() for text in part["text"][:] for word in text.split()}
    assert words <= set(builder.vocabulary)
    plain = datasets.Features(dict(features))
    for example in builder.examples("validation"):
        assert plain.encode_example(builder.row(example)) == builder.row(example)


def test_default_sizes() -> None:
    config = Agreement().config
    assert [config.size(split) for split in ("train", "validation", "test", "generalization")] == [
        *(200_000, 1_000, 10_000, 10_000)
    ]


def test_no_sentence_comes_twice_and_depth_decides_the_split(tmp_path: Path) -> None:
    data = prepare(tmp_path)
    texts = [row["text"] for part in data.values() for row in part]
    assert len(texts) == len(set(texts)) == 420
    depths = {split: {row["depth"] for row in part} for split, part in data.items()}
    assert min(depths.pop("generalization")) == 3
    assert set().union(*depths.values()) == {0, 1, 2}


def test_what_another_split_has_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one stream for all splits, each would begin with the sentences of the one before."""
    monkeypatch.setattr(Agreement, "stream", lambda self, split: random.Random(0))
    builder = Agreement(**(SMALL | {"generalization_size": 0}))
    texts = [example.text for split in builder.splits for example in builder.examples(split)]
    assert len(texts) == len(set(texts)) == 380


# From Python 3.12 on, forking beside torch's threads warns.
@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
def test_neither_processes_nor_the_size_of_train_change_a_split(tmp_path: Path) -> None:
    one = prepare(tmp_path / "one")
    assert prepare(tmp_path / "two", num_proc=2) == one
    longer = prepare(tmp_path / "long", train_size=320, generalization_size=0)
    assert longer["train"][:300] == one["train"]
    assert longer["test"] == one["test"]
    assert "generalization" not in longer


def test_the_seed_decides() -> None:
    first, same, other = (
        [example.text for example in Agreement(**SMALL, seed=seed).examples("train")]
        for seed in (0, 0, 1)
    )
    assert first == same
    assert len(set(first) & set(other)) < 10


def test_known_first_lines() -> None:
    """Raise VERSION when this changes: published data would be another."""
    assert next(Agreement(**SMALL).examples("test")).text == FIRST_OF_TEST
    assert next(Agreement(**SMALL).examples("generalization")).text == FIRST_OF_GENERALIZATION


FIRST_OF_TEST = (
    "every sticky waitress sleeps or fears their antique boar extremely aglow secretly ."
)
FIRST_OF_GENERALIZATION = (
    "openly my thin slender thistle doubts that calmly our lighthouses toward every old ewe "
    "which the lilac which doubts that my rough actress grows sees must vanish and do emerge "
    "toward the newts which don't wobble above your queens ."
)


def test_lengths() -> None:
    lengths = [len(row["words"]) for row in many()]
    assert min(lengths) == 5
    assert 35 <= max(lengths) <= 40
    # 14.76 over 20,000 sentences; four standard errors of the mean of 2,000.
    assert fmean(lengths) == pytest.approx(14.76, abs=0.7)


def test_no_word_follows_itself() -> None:
    for row in many():
        assert all(one != next_ for one, next_ in zip(row["words"], row["words"][1:], strict=False))


def offsets() -> dict[str, Counter[int]]:
    """Relation -> how often its head stands so many words on."""
    found: dict[str, Counter[int]] = defaultdict(Counter)
    for row in many():
        for word, (head, relation) in enumerate(zip(row["heads"], row["deprels"], strict=True), 1):
            if head:
                found[relation][head - word] += 1
    return found


def test_position_alone_finds_few_heads() -> None:
    by_relation = offsets()
    total = sum(sum(counts.values()) for counts in by_relation.values())
    everything = sum(by_relation.values(), Counter())
    assert max(everything.values()) / total == pytest.approx(0.30, abs=0.01)
    best = sum(max(counts.values()) for counts in by_relation.values())
    assert best / total == pytest.approx(0.38, abs=0.015)


CLASS_OF = {
    form: number for lines in OPEN.values() for number, line in enumerate(lines) for form in line
}


def test_classes_follow_their_heads_with_probability_nine_tenths() -> None:
    preferred: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for row in many():
        for word, head, relation in zip(row["words"], row["heads"], row["deprels"], strict=True):
            above = row["words"][head - 1]
            if head and relation in OFFSETS and word in CLASS_OF and above in CLASS_OF:
                steps = {(step + CLASS_OF[above]) % 8 for step in OFFSETS[relation]}
                seen[relation] += 1
                preferred[relation] += CLASS_OF[word] in steps
    # The verb of a relative clause is drawn by what is relativised: see the next test.
    assert set(seen) == {name for name in OFFSETS if " " not in name}
    for relation, count in seen.items():
        # Four standard errors; words that follow themselves, which are drawn again, lie within.
        tolerance = 4 * (0.09 / count) ** 0.5 + 0.01
        assert preferred[relation] / count == pytest.approx(0.9, abs=tolerance), relation


@pytest.mark.parametrize("relation", ["nsubj", "obj"])
def test_a_relative_clause_selects_its_noun_as_a_main_clause_does(relation: str) -> None:
    found = []
    for row in many():
        for word, head, own in zip(row["words"], row["heads"], row["deprels"], strict=True):
            if word in ("who", "which") and own == relation:
                verb = CLASS_OF[row["words"][head - 1]]
                noun = CLASS_OF[row["words"][row["heads"][head - 1] - 1]]
                found.append((noun - verb) % 8 in OFFSETS[relation])
    assert len(found) > 200
    assert fmean(found) == pytest.approx(0.9, abs=0.08)


def test_shares_of_classes_by_hand() -> None:
    assert class_shares(6, "nsubj") == pytest.approx([1 / 60, 0.45, *[1 / 60] * 4, 0.45, 1 / 60])
    assert class_shares(1, "conj") == pytest.approx([0.1 / 7, 0.9, *[0.1 / 7] * 6])
    for relation in OFFSETS:
        assert sum(class_shares(3, relation)) == pytest.approx(1)


def test_words_of_a_class_are_zipf_like() -> None:
    counts = Counter(word for row in many() for word in row["words"])
    for category in ("N[sg]", "N[pl]"):
        totals = [sum(counts[line[rank]] for line in OPEN[category]) for rank in (0, 1, 3, 7)]
        expected = [totals[0] / rank for rank in (1, 2, 4, 8)]
        assert totals == pytest.approx(expected, rel=0.25)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"config_name": "big"}, "unknown config of Agreement 'big': expected one of default"),
        ({"train_sise": 3}, "unknown option of Agreement 'train_sise'.*'train_size'"),
        ({"train_size": -1}, "train_size must be a whole number, 0 or more; got -1"),
        ({"test_size": 2.5}, "test_size must be a whole number"),
        ({"seed": True}, "seed must be a whole number"),
        ({"seed": None}, "seed must have a value"),
        (ONLY_TEST, "every split has size 0"),
        ({"data_files": {"train": "x"}}, "Agreement's sentences are generated: leave data_files"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Agreement(**(SMALL | options))


def test_export_has_a_card_and_is_read_back(tmp_path: Path) -> None:
    builder = Agreement(cache_dir=tmp_path / "cache", **SMALL)
    card = export(builder, tmp_path / "out").card
    readme = (tmp_path / "out" / "README.md").read_text()
    for split in card.splits:
        assert f"| `{split.name}` | {split.examples:,} |" in readme
    assert "fill-mask" in readme
    assert "No text stands in two splits or twice in one." in readme
    read = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "read"))
    assert read["test"].to_list() == builder.as_dataset("test").to_list()
