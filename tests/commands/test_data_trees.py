"""`hf-grok data trees`: what it writes, what `hf-grok probe` reads of it, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from datasets import load_dataset

from hf_grok.annotation.scheme import read_scheme
from hf_grok.cli import main
from hf_grok.datasets_scripts import ConstituencyTreebank
from hf_grok.evaluation.data import load_data
from tests.datasets_scripts.test_constituency import CONLLU, GO, WSJ, write


def test_rows_with_heads_as_json_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trees, deps = write(tmp_path, GO), write(tmp_path, CONLLU, "a.conllu")
    out = tmp_path / "go.jsonl"
    words = ["--ptb", str(trees), "--conllu", str(deps), "--no-punct", "--out", str(out)]
    assert main(["data", "trees", *words]) == 0
    expected = ConstituencyTreebank(trees, dependencies=deps, keep_punct=False)
    assert json.loads(out.read_text()) == expected[0]
    assert (read_scheme(out), list(load_data(str(out)).rows)) == ("ud", list(expected))
    assert "1 sentences, 3 words, 2 constituents" in capsys.readouterr().out
    assert main(["data", "trees", *words]) == 2
    assert "go.jsonl is there already" in capsys.readouterr().err


def test_a_folder_that_datasets_loads(tmp_path: Path) -> None:
    trees, out = write(tmp_path, WSJ), tmp_path / "wsj"
    assert (
        main(["data", "trees", "--ptb", str(trees), "--binarise", "left", "--out", str(out)]) == 0
    )
    rows = load_dataset(str(out), split="train", cache_dir=str(tmp_path / "cache"))
    assert list(rows) == list(ConstituencyTreebank(trees, binarise="left"))
    page = (out / "README.md").read_text()
    assert "split, left-branching" in page
    assert "punctuation is kept" in page


def test_a_file_of_brackets_is_data_for_probes(tmp_path: Path) -> None:
    file = write(tmp_path, WSJ)
    assert list(load_data(str(file)).rows) == list(ConstituencyTreebank(file))
    broken = write(tmp_path, f"{GO}\n(S (NP\n{GO}\n", "broken.mrg")
    found = load_data(str(broken), skip_bad_lines=True)
    assert (len(found.rows), "1 bad line" in found.left_out) == (2, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--scheme", "ud"], "there are none without --conllu"),
        (["--binarise", "up"], "'up'"),
    ],
)
def test_what_is_refused(
    words: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--ptb", str(write(tmp_path, GO)), "--out", str(tmp_path / "out"), *words]
    assert main(["data", "trees", *given]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
