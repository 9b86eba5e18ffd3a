"""`hf-grok data parse`, with a stand-in for spaCy that has its documented interface."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import datasets
import pytest

from hf_grok import cli
from hf_grok.annotation.scheme import read_scheme
from hf_grok.commands.data.parse import run
from hf_grok.errors import UserError


class Token:
    """A token as spaCy gives it: a root is its own head."""

    def __init__(self, i: int, text: str, dep: str) -> None:
        self.i, self.text, self.dep_ = i, text, dep
        self.is_space = text.isspace()
        self.head = self


class Span(list[Token]):
    @property
    def text(self) -> str:
        return " ".join(token.text for token in self)


class Doc:
    def __init__(self, sents: list[Span], *, parsed: bool = True) -> None:
        self.sents, self._parsed = sents, parsed

    def has_annotation(self, name: str) -> bool:
        assert name == "DEP"
        return self._parsed


class Pipeline:
    """Sentences end at a full stop; the second word is the root, the others hang on it.

    A token of white space (written as _) hangs on the word before it. `*` hangs on the white space
    before it, and `^` on the first token of the text.
    """

    meta = {"lang": "en", "name": "core_web_sm", "version": "3.8.0"}  # noqa: RUF012
    parsed = True

    def pipe(self, texts: Iterable[tuple[str, int]], *, as_tuples: bool) -> Iterator[Any]:
        assert as_tuples
        for text, context in texts:
            yield self._doc(text), context

    def _doc(self, text: str) -> Doc:
        tokens = [
            Token(i, "\n" if word == "_" else word, "dep") for i, word in enumerate(text.split())
        ]
        sents, start = [], 0
        for token in tokens:
            if token.text == "." or token is tokens[-1]:
                sents.append(self._sentence(Span(tokens[start : token.i + 1]), tokens))
                start = token.i + 1
        return Doc(sents, parsed=self.parsed)

    def _sentence(self, sentence: Span, tokens: list[Token]) -> Span:
        root = sentence[min(1, len(sentence) - 1)]
        for token in sentence:
            token.head = root
            if token.text in ("\n", "*") and token.i > sentence[0].i:
                token.head = tokens[token.i - 1]
            if token.text == "^":
                token.head = tokens[0]
        root.head, root.dep_ = root, "ROOT"
        return sentence


@pytest.fixture(autouse=True)
def spacy(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """In the place of spaCy."""
    module: Any = ModuleType("spacy")
    module.__version__ = "3.8.2"
    module.Language = Pipeline  # which `datasets` looks for wherever there is a module spacy
    module.asked = []

    def load(name: str, *, exclude: list[str]) -> Pipeline:
        module.asked.append((name, exclude))
        if name != "en_core_web_sm":
            raise OSError(f"[E050] Can't find model {name!r}.")
        return Pipeline()

    module.load = load
    monkeypatch.setitem(sys.modules, "spacy", module)
    return module


TEXT = "the cat sleeps . it _ * wakes .\n\n  \na _ dog barks .\n"
ROWS = [
    {
        "text": "the cat sleeps .",
        "words": ["the", "cat", "sleeps", "."],
        "heads": [2, 0, 2, 2],
        "deprels": ["dep", "ROOT", "dep", "dep"],
        "line": 1,
    },
    {
        # The root is white space: what hung on it are roots.
        "text": "it \n * wakes .",
        "words": ["it", "*", "wakes", "."],
        "heads": [0, 0, 0, 0],
        "deprels": ["dep", "dep", "dep", "dep"],
        "line": 1,
    },
    {
        "text": "a \n dog barks .",
        "words": ["a", "dog", "barks", "."],
        "heads": [0, 0, 0, 0],
        "deprels": ["dep", "dep", "dep", "dep"],
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
        "text": "text.txt",
        "sentences": 3,
        "words": 12,
        "lines": 2,
    }
    said = capsys.readouterr().out
    assert "3 sentences, 12 words, from 2 lines" in said
    assert "annotation scheme: clearnlp" in said
    assert spacy.asked == [("en_core_web_sm", ["ner"])]


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
    assert not list((tmp_path / "out").iterdir())


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
