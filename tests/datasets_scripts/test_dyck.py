"""The splits of the Dyck builder, checked from the texts alone; the cache; bad input."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest

from hf_grok.datasets_scripts import Dyck
from hf_grok.datasets_scripts.grammar.dyck_language import DyckLanguage, count_strings
from hf_grok.errors import UserError

SMALL: dict[str, Any] = {
    "brackets": 2,
    "max_depth": 4,
    "max_length": 40,
    "train_size": 400,
    "validation_size": 30,
    "test_size": 40,
    "generalization_size": 50,
}


@pytest.fixture(autouse=True)
def _no_bars() -> Iterator[None]:
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


def prepare(cache: Path, *, num_proc: int | None = None, **changes: Any) -> datasets.DatasetDict:
    builder = Dyck(cache_dir=cache, **{**SMALL, **changes})
    builder.download_and_prepare(num_proc=num_proc)
    return builder.as_dataset()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> datasets.DatasetDict:
    return prepare(tmp_path_factory.mktemp("cache"))


def structures(text: str) -> list[str]:
    """Blocks without types; every close must have the type of the last open bracket."""
    blocks, block, stack = [], "", []
    for word in text.split(" "):
        side, kind = word[0], word[1:]
        block += side
        if side == "(":
            stack.append(kind)
        else:
            assert stack.pop() == kind, text
        if not stack:
            blocks.append(block)
            block = ""
    assert not stack
    assert not block
    return blocks


def test_splits_have_their_sizes_and_share_no_string(small: datasets.DatasetDict) -> None:
    assert {split: len(rows) for split, rows in small.items()} == {
        "train": 400,
        "validation": 30,
        "test": 40,
        "generalization": 50,
    }
    texts = [text for rows in small.values() for text in rows["text"][:]]
    assert len(set(texts)) == len(texts) == 520


def test_structures_decide_the_split(small: datasets.DatasetDict) -> None:
    known = {block for text in small["train"]["text"][:] for block in structures(text)}
    for split in ("validation", "test"):
        for text in small[split]["text"][:]:
            assert known.issuperset(structures(text))
    for text in small["generalization"]["text"][:]:
        assert not known.issuperset(structures(text))


def test_columns_are_those_of_the_text(small: datasets.DatasetDict) -> None:
    for rows in small.values():
        for row in rows:
            words = row["text"].split(" ")
            assert 4 <= len(words) <= 40
            assert set(words) <= {"(1", ")1", "(2", ")2"}
            shape = "".join(word[0] for word in words)
            opened = [shape[:n].count("(") - shape[:n].count(")") for n in range(len(shape) + 1)]
            assert row["depth"] == max(opened) <= 4
            # The opening of a close is the last place before it with the depth after it.
            assert row["distances"] == [
                n - max(p for p in range(n) if opened[p] == opened[n + 1])
                for n, symbol in enumerate(shape)
                if symbol == ")"
            ]
    assert small["train"].features == {
        "text": datasets.Value("string"),
        "depth": datasets.Value("int32"),
        "distances": datasets.List(datasets.Value("int32")),
    }


def test_same_seed_same_data_and_processes_do_not_matter(
    small: datasets.DatasetDict, tmp_path: Path
) -> None:
    again = prepare(tmp_path / "two", num_proc=2)
    other = prepare(tmp_path / "other", seed=1)
    for split, rows in small.items():
        assert again[split].to_list() == rows.to_list()
        assert other[split]["text"][:] != rows["text"][:]


def test_a_size_changes_no_other_split(small: datasets.DatasetDict, tmp_path: Path) -> None:
    changed = prepare(tmp_path, validation_size=5, generalization_size=0)
    assert "generalization" not in changed
    assert changed["train"]["text"][:] == small["train"]["text"][:]
    assert changed["validation"]["text"][:] == small["validation"]["text"][:5]
    longer = prepare(tmp_path, train_size=500)
    assert longer["train"]["text"][:400] == small["train"]["text"][:]


def test_the_cache_is_keyed_by_options_and_by_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = {Dyck(cache_dir=tmp_path, seed=seed).cache_dir for seed in (0, 1)}
    folders |= {Dyck(name, cache_dir=tmp_path).cache_dir for name in ("k20-m10", "k6-m4")}
    monkeypatch.setattr("hf_grok.datasets_scripts.builder.base.source_digest", lambda *_: "changed")
    folders.add(Dyck("k6-m4", cache_dir=tmp_path).cache_dir)
    assert len(folders) == 5


def test_names_say_the_language(tmp_path: Path) -> None:
    assert Dyck(cache_dir=tmp_path).config.name == "k20-m10"
    published = Dyck(cache_dir=tmp_path).config
    assert (published.brackets, published.max_depth, published.train_size) == (20, 10, 200_000)
    assert Dyck("k6-m4", cache_dir=tmp_path, seed=3).config.name == "k6-m4"
    other = Dyck("k6-m4", cache_dir=tmp_path, brackets=3)
    assert other.config.name == other.info.config_name == "k3-m4"
    assert other.vocabulary == ("(1", ")1", "(2", ")2", "(3", ")3")
    assert Dyck("k6-m4", cache_dir=tmp_path).config.brackets == 6


def test_more_strings_than_there_are_names_the_number(tmp_path: Path) -> None:
    assert count_strings(DyckLanguage(1, 1, 10)) == 4
    with pytest.raises(UserError, match=r"Dyck-\(1, 1\) of at most 10 words has 4 distinct.*450"):
        Dyck(
            cache_dir=tmp_path,
            **{**SMALL, "brackets": 1, "max_depth": 1, "max_length": 10, "train_size": 330},
        )


def test_what_train_leaves_over_is_counted_exactly(tmp_path: Path) -> None:
    # Depth 1 has one structure of a block: "()". 4 + 8 words: 2**2 + 2**3 = 12 strings.
    depth_one = {**SMALL, "max_depth": 1, "max_length": 6, "train_size": 5, "validation_size": 3}
    builder = Dyck(cache_dir=tmp_path, **{**depth_one, "test_size": 4, "generalization_size": 0})
    builder.download_and_prepare()
    texts = [text for rows in builder.as_dataset().values() for text in rows["text"][:]]
    assert len(set(texts)) == 12
    builder = Dyck(cache_dir=tmp_path, **{**depth_one, "test_size": 1, "generalization_size": 1})
    with pytest.raises(UserError, match=r"generalization: .* leaves 0 strings with a block"):
        builder.download_and_prepare()
    tall = {**depth_one, "max_depth": 2, "train_size": 1, "test_size": 0}
    builder = Dyck(cache_dir=tmp_path, **{**tall, "validation_size": 20, "generalization_size": 0})
    with pytest.raises(UserError, match=r"validation and test: .* leaves \d+ unseen strings.*; 20"):
        builder.download_and_prepare()


def test_an_improbable_size_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without a limit the language is infinite, but one string in 2**n has n blocks.
    monkeypatch.setattr("hf_grok.datasets_scripts.builder.splits.PATIENCE", 2_000)
    endless = {**SMALL, "brackets": 1, "max_depth": 1, "max_length": 0}
    builder = Dyck(cache_dir=tmp_path, **endless)
    with pytest.raises(UserError, match=r"train split of Dyck-\(1, 1\): asked for 400"):
        builder.download_and_prepare()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"brackets": 0}, "brackets must be at least 1, got 0"),
        ({"max_depth": 2.5}, "max_depth must be a whole number"),
        ({"max_length": 3}, "max_length must be 0 .* or at least 4"),
        ({"train_size": 0}, "train_size must be at least 1"),
        ({"max_length": None}, "max_length must have a value"),
        ({"bracket": 2}, "unknown option of Dyck 'bracket'.*Did you mean 'brackets'"),
        ({"data_files": {"train": "x"}}, "generated, never read"),
        ({"config_name": "k20-m11"}, "unknown config of Dyck 'k20-m11'.*k20-m10, k6-m4"),
    ],
)
def test_bad_input_is_named(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Dyck(cache_dir=tmp_path, **options)
