"""`hf-grok data parse` over many files: documents, shards, going on after a stop."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow.parquet as pq
import pytest

from hf_grok.commands.data.parse import run
from hf_grok.commands.data.text_plan import plan_of, text_lines
from hf_grok.errors import UserError
from tests.commands.spacy_stand_in import Pipeline, stand_in

BOOKS = {
    "a.txt": "one two .\nthree four five .\n\nsix seven .\n",
    "b.txt": "\n\neight nine .\n\n\nten .\neleven twelve .\n",
}


@pytest.fixture(autouse=True)
def spacy(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    module = stand_in(tmp_path_factory.mktemp("pipeline"))
    monkeypatch.setitem(sys.modules, "spacy", module)
    return module


@pytest.fixture
def books(tmp_path: Path) -> Path:
    for name, text in BOOKS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def words_of(books: Path, **changed: Any) -> list[str]:
    options: dict[str, Any] = {
        "text": books / "*.txt",
        "parser": "spacy:en_core_web_sm",
        "out": books / "out",
        "shard_words": 5,
        **changed,
    }
    words: list[str] = []
    for name, value in options.items():
        values = value if isinstance(value, list) else [] if value is True else [value]
        words += [f"--{name.replace('_', '-')}", *map(str, values)]
    return words


def rows_in(folder: Path) -> list[dict[str, Any]]:
    return [
        row for path in sorted(folder.glob("*.parquet")) for row in pq.read_table(path).to_pylist()
    ]


def places(rows: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(row["document"], row["line"]) for row in rows]


EVERY_PLACE = [
    *(("a.txt:1", 1), ("a.txt:1", 2), ("a.txt:2", 4)),
    *(("b.txt:1", 3), ("b.txt:2", 6), ("b.txt:2", 7)),
]


def test_documents_end_at_empty_lines_and_with_the_file(books: Path) -> None:
    run(words_of(books))
    assert places(rows_in(books / "out")) == EVERY_PLACE
    facts = json.loads((books / "out" / "annotation.json").read_text())
    assert (facts["documents"], facts["sentences"], facts["lines"]) == (4, 6, 6)
    assert facts["words"] == sum(len(text.split()) for text in BOOKS.values())
    run(words_of(books, overwrite=True, document_ends="file"))
    assert [document for document, _ in places(rows_in(books / "out"))] == [
        *["a.txt:1"] * 3,
        *["b.txt:1"] * 3,
    ]


def test_a_shard_ends_with_the_line_that_fills_it(books: Path) -> None:
    files = [books / name for name in BOOKS]
    plan = plan_of(text_lines(files, 5, "blank"))
    lines = [line.split() for text in BOOKS.values() for line in text.split("\n") if line]
    expected, filled = [0], 0
    for words in lines:
        if filled >= 5:
            expected.append(0)
            filled = 0
        expected[-1] += len(words)
        filled += len(words)
    assert plan.words == expected == [7, 6, 5]
    run(words_of(books))
    names = [f"train-0000{number}-of-00003.parquet" for number in range(3)]
    assert [path.name for path in sorted((books / "out").glob("*.parquet"))] == names


def test_a_stopped_parse_goes_on_and_ends_as_one_that_was_not(
    books: Path, spacy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Pipeline._doc
    asked: list[str] = []

    def until_nine(self: Pipeline, text: str) -> Any:
        asked.append(text)
        if "nine" in text and stopped:
            raise KeyboardInterrupt
        return whole(self, text)

    monkeypatch.setattr(Pipeline, "_doc", until_nine)
    stopped, out = True, books / "out"
    with pytest.raises(KeyboardInterrupt):
        run(words_of(books))
    assert [path.name for path in out.glob("*.parquet*")] == ["train-00000-of-00003.parquet"]
    assert not (out / "annotation.json").exists()
    first = (out / "train-00000-of-00003.parquet").read_bytes()

    with pytest.raises(UserError, match=r"beginning of another parse .*shard_words: 5 then, 6 now"):
        run(words_of(books, shard_words=6))
    stopped = False
    asked.clear()
    run(words_of(books))
    assert asked == ["six seven .", "eight nine .", "ten .", "eleven twelve ."]
    assert (out / "train-00000-of-00003.parquet").read_bytes() == first
    assert places(rows_in(out)) == EVERY_PLACE
    run(words_of(books, out=books / "other"))
    assert rows_in(books / "other") == rows_in(out)
    assert (books / "other" / "annotation.json").read_text() == (
        out / "annotation.json"
    ).read_text()
    assert sorted(path.name for path in out.iterdir()) == [
        "README.md",
        "annotation.json",
        *[f"train-0000{number}-of-00003.parquet" for number in range(3)],
    ]


def test_a_parser_or_a_text_that_changed_in_between_is_refused(
    books: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (books / "b.txt").write_text("stop ! .\n")
    with pytest.raises(KeyboardInterrupt):
        run(words_of(books))
    monkeypatch.setattr(Pipeline, "meta", {**Pipeline.meta, "version": "3.9.0"})
    with pytest.raises(UserError, match=r"beginning of another parse \(parser: .*3.8.0.*3.9.0"):
        run(words_of(books))


def test_other_weights_under_the_same_name_are_another_parser(books: Path, spacy: Any) -> None:
    (books / "b.txt").write_text("stop ! .\n")
    with pytest.raises(KeyboardInterrupt):
        run(words_of(books))
    (spacy.load("en_core_web_sm", exclude=[]).path / "model").write_text("other weights")
    with pytest.raises(UserError, match=r"beginning of another parse .*parser_sha256"):
        run(words_of(books))


def test_a_shard_cut_short_by_others_is_named(books: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (books / "c.txt").write_text("stop ! .\n")
    with pytest.raises(KeyboardInterrupt):
        run(words_of(books))
    (books / "out" / "train-00000-of-00004.parquet").write_bytes(b"PAR1")
    read = Pipeline._doc
    monkeypatch.setattr(Pipeline, "_doc", lambda self, text: read(self, text.replace("!", ",")))
    with pytest.raises(UserError, match=r"00000-of-00004.parquet is no shard .*remove it"):
        run(words_of(books))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"workers": 0}, "--workers must be at least 1, got 0"),
        ({"shard_words": 0}, "--shard-words must be at least 1, got 0"),
        (
            {"document_ends": "page"},
            "unknown end of documents 'page': expected one of blank, file",
        ),
        ({"text": "nowhere*.txt"}, r"there is no file 'nowhere\*.txt', and as a pattern it fits"),
    ],
)
def test_options_that_do_not_do(more: dict[str, Any], message: str, books: Path) -> None:
    with pytest.raises(UserError, match=message):
        run(words_of(books, **more))


def test_texts_that_cannot_be_told_apart(books: Path) -> None:
    (books / "sub").mkdir()
    (books / "sub" / "a.txt").write_text("one .")
    with pytest.raises(UserError, match=r"two files are called a.txt"):
        run(words_of(books, text=[books / "a.txt", books / "sub" / "a.txt"]))
    with pytest.raises(UserError, match=r"sub is a folder: name its files, or a pattern"):
        run(words_of(books, text=books / "sub"))


def test_a_line_longer_than_the_parser_takes(books: Path) -> None:
    (books / "b.txt").write_text("fine .\n" + "word " * 300)
    with pytest.raises(UserError, match=r"b.txt:2: a line of 1,499 characters, .*takes 1,000"):
        run(words_of(books))
