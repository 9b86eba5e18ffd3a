"""`hf-grok data parse`, with a stand-in for spaCy that has its documented interface."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import datasets
import pytest

from hf_grok import cli
from hf_grok.annotation.scheme import read_scheme
from hf_grok.commands.data.parse import run
from hf_grok.errors import UserError
from tests.commands.spacy_stand_in import Pipeline, stand_in


@pytest.fixture(autouse=True)
def spacy(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """In the place of spaCy."""
    module = stand_in(tmp_path_factory.mktemp("pipeline"))
    monkeypatch.setitem(sys.modules, "spacy", module)
    return module


TEXT = "the cat sleeps . it _ * wakes .\n\n  \na _ dog barks .\n"
ROWS = [
    {
        "text": "the cat sleeps .",
        "words": ["the", "cat", "sleeps", "."],
        "heads": [2, 0, 2, 2],
        "deprels": ["dep", "ROOT", "dep", "dep"],
        "document": "text.txt:1",
        "line": 1,
    },
    {
        # The root is white space: what hung on it are roots.
        "text": "it \n * wakes .",
        "words": ["it", "*", "wakes", "."],
        "heads": [0, 0, 0, 0],
        "deprels": ["dep", "dep", "dep", "dep"],
        "document": "text.txt:1",
        "line": 1,
    },
    {
        "text": "a \n dog barks .",
        "words": ["a", "dog", "barks", "."],
        "heads": [0, 0, 0, 0],
        "deprels": ["dep", "dep", "dep", "dep"],
        "document": "text.txt:2",
        "line": 4,
    },
]


def words_of(tmp_path: Path, out: str, *more: str, text: str = TEXT) -> list[str]:
    source = tmp_path / "text.txt"
    source.write_text(text, encoding="utf-8")
    named = ["--parser", "spacy:en_core_web_sm"] if "--parser" not in more else []
    return ["--text", str(source), "--out", str(tmp_path / out), *named, *more]


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_jsonl_with_its_scheme_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spacy: Any
) -> None:
    assert run(words_of(tmp_path, "rows.jsonl")) == 0
    assert read(tmp_path / "rows.jsonl") == ROWS
    assert read_scheme(tmp_path / "rows.jsonl") == "clearnlp"
    facts = json.loads((tmp_path / "rows.jsonl.annotation.json").read_text())
    assert facts == {
        "annotation_scheme": "clearnlp",
        "parser": "spaCy 3.8.2, en_core_web_sm 3.8.0",
        "parser_sha256": hashlib.sha256(b"model\0weights").hexdigest(),
        "texts": {"text.txt": hashlib.sha256(TEXT.encode()).hexdigest()},
        "document_ends": "blank",
        "sentences": 3,
        "words": 12,
        "lines": 2,
        "documents": 2,
    }
    said = capsys.readouterr().out
    assert "3 sentences, 12 words, from 2 lines" in said
    assert "annotation scheme: clearnlp" in said
    ((name, exclude),) = spacy.asked
    assert name == "en_core_web_sm"
    assert {"ner", "tagger", "lemmatizer"} <= set(exclude)


def test_white_space_is_no_word_and_hands_its_children_up(tmp_path: Path) -> None:
    run(words_of(tmp_path, "rows.jsonl", text="the cat _ * _ sleeps .\n"))
    (row,) = read(tmp_path / "rows.jsonl")
    assert row["words"] == ["the", "cat", "*", "sleeps", "."]
    assert row["heads"] == [2, 0, 2, 2, 2]


def test_a_folder_that_load_dataset_reads(tmp_path: Path) -> None:
    run(words_of(tmp_path, "out", "--scheme", "ud"))
    read_back = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert list(read_back["train"]) == ROWS
    assert read_scheme(tmp_path / "out") == "ud"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "README.md",
        "annotation.json",
        "train-00000-of-00001.parquet",
    }
    readme = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "| annotation scheme | ud |" in readme
    assert "spaCy 3.8.2, en_core_web_sm 3.8.0" in readme


def test_many_rows_are_written_in_pieces(tmp_path: Path) -> None:
    run(words_of(tmp_path, "out", text="the cat sleeps .\n" * 2003))
    read_back = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert read_back["train"]["line"][:] == list(range(1, 2004))


def test_through_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["data", "parse", *words_of(tmp_path, "rows.jsonl")]) == 0
    assert read(tmp_path / "rows.jsonl") == ROWS
    with pytest.raises(SystemExit):
        cli.main(["data", "--help"])
    assert "hf-grok data parse --text" in capsys.readouterr().out


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    for out in ("rows.jsonl", "out"):
        run(words_of(tmp_path, out))
        with pytest.raises(UserError, match=r"is there already: .*--overwrite"):
            run(words_of(tmp_path, out, text="a dog .\n"))
        run(words_of(tmp_path, out, "--overwrite", text="a dog .\n"))
    assert read(tmp_path / "rows.jsonl")[0]["words"] == ["a", "dog", "."]
    (tmp_path / "plain").write_text("")
    with pytest.raises(UserError, match=r"plain is a file: expected FILE.jsonl, or a folder"):
        run(words_of(tmp_path, "plain", "--overwrite"))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--parser", "stanza:en"], "unknown parser 'stanza': expected one of spacy"),
        (["--parser", "spacy"], "'spacy': expected spacy:NAME"),
        (["--parser", "spacy:xx"], r"no pipeline 'xx': install it \(python -m spacy download xx"),
        (["--scheme", "U D"], "annotation scheme 'U D': expected a lower-case name"),
    ],
)
def test_options_that_do_not_do(more: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        run(words_of(tmp_path, "rows.jsonl", *more))
    assert not (tmp_path / "rows.jsonl").exists()


def test_a_scheme_that_is_not_known_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meta = {"lang": "fr", "name": "core_news_sm", "version": "3.8.0"}
    monkeypatch.setattr(Pipeline, "meta", meta)
    with pytest.raises(UserError, match=r"scheme of fr_core_news_sm 3.8.0 is not known.*--scheme"):
        run(words_of(tmp_path, "rows.jsonl"))
    assert run(words_of(tmp_path, "rows.jsonl", "--scheme", "ud")) == 0


def test_a_pipeline_without_a_parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pipeline, "parsed", False)
    with pytest.raises(UserError, match="en_core_web_sm does not parse dependencies"):
        run(words_of(tmp_path, "rows.jsonl"))
    assert [path.name for path in tmp_path.iterdir()] == ["text.txt"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n \n", "holds no sentence"),
        ("_ _\n", "holds no sentence"),
        ("the cat . a dog ^ .", r"head of '\^' outside its sentence"),
    ],
)
def test_texts_that_do_not_do(text: str, message: str, tmp_path: Path) -> None:
    for out in ("rows.jsonl", "out"):
        with pytest.raises(UserError, match=message):
            run(words_of(tmp_path, out, text=text))
    assert not (tmp_path / "rows.jsonl").exists()
    assert not list((tmp_path / "out").glob("*.parquet*"))
    assert not (tmp_path / "out" / "annotation.json").exists()


def test_a_missing_text_and_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    words = words_of(tmp_path, "rows.jsonl")
    (tmp_path / "text.txt").rename(tmp_path / "other")
    with pytest.raises(UserError, match="there is no file"):
        run(words)
    with pytest.raises(UserError, match=r"could not write .*text.txt/rows.jsonl"):
        run(words_of(tmp_path, "text.txt/rows.jsonl"))


def test_without_spacy_the_error_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(UserError, match=r'need spacy, .*pip install "hf-grok\[parse\]"'):
        run(words_of(tmp_path, "rows.jsonl"))
