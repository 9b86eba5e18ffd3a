"""The words of --data: which files, data sets, splits and schemes they name."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from datasets import Dataset

from hf_grok.annotation.scheme import one_scheme, write_annotation
from hf_grok.errors import UserError
from hf_grok.evaluation import reading
from hf_grok.evaluation.data import load_data
from hf_grok.evaluation.reading import has_splits
from hf_grok.recipes.corpus.sentences import read_sentences
from hf_grok.sources.source import Source
from hf_grok.sources.words import TRAINING_KEYS, read_source
from tests.hub_server import HubServer
from tests.recipes.corpus.books import sentences, write_conllu, write_lines, write_parquet

CARD = """---
configs:
- config_name: english
  data_files:
  - split: dev
    path: en/*.parquet
- config_name: french
  data_files:
  - split: dev
    path: fr/*.parquet
---
"""


def test_words_of_the_command_line() -> None:
    source = read_source("user/name,config=en,revision=abc,weight=2.5,scheme=ud", TRAINING_KEYS)
    assert source == Source("user/name", config="en", revision="abc", weight=2.5, scheme="ud")
    assert read_source("a,b.parquet").name == "a,b.parquet"


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("data,weight=0", "weight '0': expected a number above 0"),
        ("data,weight=x", "weight 'x': expected a number above 0"),
        ("data,split=a,split=b", "each of config=, split=, .* once at most"),
        ("data,scheme=U D", "annotation scheme 'U D'"),
        ("data,wieght=2", "unknown key in data .*'wieght': .*Did you mean 'weight'"),
        (",weight=2", "expected NAME"),
    ],
)
def test_words_that_name_no_source(word: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_source(word, TRAINING_KEYS)


def test_what_is_looked_at_has_no_weight() -> None:
    with pytest.raises(UserError, match=r"weight= is not of these data: may be config=, split="):
        read_source("dev.conllu,weight=2")


@pytest.mark.parametrize("name", ["book.txt", "book.txt.xz", "table.csv", "rows.json", "README"])
@pytest.mark.parametrize("asked", ["{}", "*{}"])
def test_a_file_that_rows_are_not_read_from_is_never_taken_for_one_of_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, asked: str
) -> None:
    """'book.txt' has the form of a data set's id as well."""
    (tmp_path / name).write_text("Alice was beginning to get very tired.\n")
    monkeypatch.chdir(tmp_path)
    message = (
        rf"^{re.escape(name)}: rows are read from .*hf-grok data parse --text {re.escape(name)}"
    )
    with pytest.raises(UserError, match=message):
        _ = Source(asked.format(name)).files


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no file or folder"):
        _ = Source(str(tmp_path / "nowhere" / "x.parquet")).files
    with pytest.raises(
        UserError, match=r"file or folder 'a b', .* with --override 'data=\[a, b\]'"
    ):
        _ = Source("a b").files
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"empty holds no .parquet, .jsonl, .conllu file"):
        _ = Source(str(tmp_path / "empty")).files
    books = write_parquet(tmp_path / "books", sentences(4))
    with pytest.raises(UserError, match=r"has no split 'test': it has train"):
        _ = Source(str(books), split="test").files
    (books / "parse.json").write_text("{}")
    with pytest.raises(UserError, match=r"beginning of a parse: finish it"):
        _ = Source(str(books)).files


def test_a_pattern_and_a_split_of_a_folder(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        write_lines(tmp_path / name, sentences(2))
    assert [path.name for path in Source(str(tmp_path / "*.jsonl")).files] == ["a.jsonl", "b.jsonl"]
    (tmp_path / "own").mkdir()
    for name in ("train.jsonl", "test.jsonl"):
        write_lines(tmp_path / "own" / name, sentences(2))
    assert [path.name for path in Source(str(tmp_path / "own")).files] == ["train.jsonl"]


def test_schemes_of_several_sources() -> None:
    assert one_scheme({"a": "ud", "b": "ud"}) == "ud"
    assert one_scheme({}) is None
    with pytest.raises(UserError, match=r"several annotation schemes .*a: ud, b: not recorded"):
        one_scheme({"a": "ud", "b": None})


def test_a_scheme_is_found_from_every_way_to_name_the_files(tmp_path: Path) -> None:
    books = write_parquet(tmp_path / "books", sentences(4), scheme="clearnlp")
    shard = books / "train-00000-of-00002.parquet"
    for name in (books, tmp_path, shard, f"{books}/*.parquet", f"{tmp_path}/*/train-*"):
        assert Source(str(name)).annotation_scheme() == "clearnlp"
    write_annotation(shard, {"annotation_scheme": "ud"})  # of the file, before that of the folder
    assert Source(str(shard)).annotation_scheme() == "ud"
    with pytest.raises(UserError, match=r"several annotation schemes .*: ud, .*: clearnlp"):
        Source(str(books)).annotation_scheme()


def test_a_scheme_that_is_said_and_one_that_stands_beside(tmp_path: Path) -> None:
    file = write_conllu(tmp_path / "dev.conllu", sentences(2))
    assert read_source(str(file)).annotation_scheme() is None
    assert load_data(f"{file},scheme=ud").scheme == "ud"
    write_annotation(file, {"annotation_scheme": "clearnlp"})
    assert load_data(f"{file},scheme=clearnlp").scheme == "clearnlp"
    with pytest.raises(UserError, match=r"scheme=ud was said, and the annotation.json of .*dev"):
        load_data(f"{file},scheme=ud")


def test_relations_by_the_names_of_ud(tmp_path: Path) -> None:
    row = {"words": ["We", "saw", "it"], "heads": [2, 0, 2], "deprels": ["nsubj", "ROOT", "dobj"]}
    file = write_lines(tmp_path / "rows.jsonl", [row])
    found = load_data(f"{file},scheme=clearnlp,relations=ud")
    assert found.rows == [{**row, "deprels": ["nsubj", "root", "obj"]}]
    assert found.description == "rows.jsonl with relations named as in UD, 1 rows"
    assert found.scheme == "clearnlp"  # the heads are as they were
    with pytest.raises(UserError, match=r"rows.jsonl.*relations= is not of these data"):
        read_source(f"{file},relations=ud", TRAINING_KEYS)
    with pytest.raises(UserError, match="is not recorded: say scheme="):
        load_data(f"{file},relations=ud")


@pytest.mark.parametrize(
    ("word", "rows", "scheme"),
    [
        ("books,split=train", 6, "clearnlp"),
        ("books/train-00000-of-00002.parquet", 3, "clearnlp"),
        ("books/train-*.parquet,split=train", 6, "clearnlp"),
        ("*/*.jsonl", 4, None),
        ("lines,split=dev", 3, None),
        ("lines", 4, None),
        ("cards,config=french,split=dev", 6, "clearnlp"),
        ("nested,config=one,split=train", 6, "ud"),
    ],
)
def test_what_probes_read(folders: Path, word: str, rows: int, scheme: str | None) -> None:
    found = load_data(str(folders / word))
    assert (len(found.rows), found.scheme) == (rows, scheme)
    assert {"words", "heads", "deprels"} <= set(found.rows[0])


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Parsed folders: of one split, of lines, with a README of two configurations, nested."""
    home = tmp_path_factory.mktemp("data")
    write_parquet(home / "books", sentences(6))
    (home / "lines").mkdir()
    write_lines(home / "lines" / "dev.jsonl", sentences(3))
    write_lines(home / "lines" / "test.jsonl", sentences(1))
    for name in ("en", "fr"):
        write_parquet(home / "cards" / name, sentences(6))
    (home / "cards" / "README.md").write_text(CARD)
    write_parquet(home / "nested" / "one", sentences(6), scheme="ud")
    write_parquet(home / "nested" / "two", sentences(8))
    return home


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("books", r"'test': Unknown split .*\['train'\]. .* as .*books,config=NAME,split=NAME"),
        ("cards,split=dev", r"pick one among the available configs: \['english', 'french'\]"),
        ("cards,config=german", r"'german' not found. Available: \['english', 'french'\]"),
        ("books,revision=abc", "is a folder, which has no revision: leave it out"),
        ("lines,split=train", r"no name of its files is that split's \(dev.jsonl, test.jsonl\)"),
        ("*/*", r"fits .* and .*: expected files of one kind"),
        ("books/nothing-*.parquet", r"there is no .*\.parquet file .*nothing"),
        ("books/nothing.parquet", r"there is no file .*nothing.parquet"),
        ("lines/dev.jsonl,revision=abc", "of files, which has no revision"),
    ],
)
def test_what_probes_cannot_read(folders: Path, word: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_data(str(folders / word))


def test_a_parse_that_has_not_ended_is_not_looked_at(tmp_path: Path) -> None:
    books = write_parquet(tmp_path / "books", sentences(4))
    (books / "parse.json").write_text("{}")
    with pytest.raises(UserError, match="beginning of a parse: finish it"):
        load_data(f"{books},split=train")


def test_a_language_takes_the_same_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`dyck:k20-m10` is asked for however it is named; the splits are in the place of real ones."""
    asked: list[str | None] = []

    class Built:
        info = SimpleNamespace(splits=("test", "generalization"))

        def as_dataset(self, split: str) -> Dataset:
            return Dataset.from_dict({"text": [f"( ) {split}"]})

    def prepared(name: str, config: str | None, options: dict[str, Any]) -> Built:
        asked.append(config)
        return Built()

    monkeypatch.setattr(reading, "prepared", prepared)
    for word in ("dyck:k20-m10,split=generalization", "dyck,config=k20-m10,split=generalization"):
        found = load_data(word)
        assert found.rows[0]["text"] == "( ) generalization"
        assert found.description == "dyck (generalization, k20-m10), 1 rows"
        assert has_splits(word)
    assert asked == ["k20-m10", "k20-m10"]
    (tmp_path / "run.json").write_text(
        json.dumps(
            {"arguments": {"language": "dyck", "language_config": None, "language_options": {}}}
        )
    )
    assert load_data("dyck", run=str(tmp_path)).description == "dyck (test), 1 rows"
    with pytest.raises(UserError, match=r"'dyck:k20-m10' and config=k2-m4: expected one"):
        load_data("dyck:k20-m10,config=k2-m4")
    with pytest.raises(UserError, match="a language of this package, which has no revision"):
        load_data("dyck,revision=abc")


def test_a_data_set_of_the_hub(hub_server: HubServer) -> None:
    """Configuration, split and revision reach the Hub, for training as for probes."""

    def push(rows: list[dict[str, Any]], config: str, split: str) -> str:
        pushed = Dataset.from_list(rows).push_to_hub("grower/trees", config, split=split)
        return str(pushed.oid)

    first = push(sentences(3, seed=1), "en", "dev")
    push(sentences(4, seed=2), "en", "train")
    push(sentences(5, seed=3), "fr", "dev")
    word = f"grower/trees,config=en,split=dev,revision={first},scheme=ud"
    found = load_data(word)
    assert [dict(row) for row in found.rows] == sentences(3, seed=1)
    assert found.scheme == "ud"
    assert found.description == f"grower/trees@{first} (en, dev), 3 rows"
    assert [
        dict(row) for row in load_data("grower/trees,config=fr", split="dev").rows
    ] == sentences(5, seed=3)
    (chunk,) = read_sentences([read_source("grower/trees,config=en", TRAINING_KEYS)], heads=True)
    assert [chunk.words(at) for at in range(4)] == [row["words"] for row in sentences(4, seed=2)]
    (chunk,) = read_sentences([read_source(word, TRAINING_KEYS)], heads=True)
    assert chunk.documents == [row["document"] for row in sentences(3, seed=1)]
    with pytest.raises(UserError, match=r"available configs: \['en', 'fr'\]"):
        load_data("grower/trees")
    with pytest.raises(UserError, match=r"could not load its split 'dev'"):
        load_data("grower/trees,config=en,split=dev,revision=nowhere")
