"""Every kind of source that `hf-grok probe --data` reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset

from hf_grok.annotation.sentences import dependency_sentences
from hf_grok.errors import UserError
from hf_grok.evaluation.data import load_data
from tests.evaluation.material import ROWS

CONLLU = """\
# text = cats run .
1\tcats\tcat\tNOUN\t_\t_\t2\tnsubj\t_\t_
2\trun\trun\tVERB\t_\t_\t0\troot\t_\t_
3\t.\t.\tPUNCT\t_\t_\t2\tpunct\t_\t_

"""
PAIR = {
    "sentence_good": "cats run.",
    "sentence_bad": "cats runs.",
    "field": "morphology",
    "linguistics_term": "agreement",
    "UID": "bare",
    "pairID": "0",
}


def test_a_treebank(tmp_path: Path) -> None:
    (tmp_path / "dev.conllu").write_text(CONLLU * 3)
    data = load_data(str(tmp_path / "dev.conllu"), sample=2)
    assert data.description == "dev.conllu, 2 rows"
    assert dependency_sentences(data.rows)[0].heads == (2, 0, 2)


def test_minimal_pairs_in_a_file_or_a_folder(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({**PAIR, "UID": name}) + "\n")
    assert [row["UID"] for row in load_data(str(tmp_path)).rows] == ["a", "b"]
    assert len(load_data(str(tmp_path / "a.jsonl")).rows) == 1


def test_a_folder_of_parquet(tmp_path: Path) -> None:
    Dataset.from_list(ROWS).to_parquet(tmp_path / "test.parquet")
    data = load_data(str(tmp_path))
    assert dependency_sentences(data.rows)[1].words[1] == "dog"
    with pytest.raises(UserError, match=r"could not load its split 'dev'"):
        load_data(str(tmp_path), split="dev")


def test_the_fingerprint_is_of_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    whole = load_data(str(path))
    assert load_data(str(path)).fingerprint == whole.fingerprint
    assert load_data(str(path), sample=1).fingerprint != whole.fingerprint
    assert load_data(str(path), sample=1, seed=0).rows == load_data(str(path), sample=1).rows


def test_conditions_and_bad_lines(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [{**row, "task": task} for row, task in zip(ROWS, ("quest", "decl"), strict=True)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert load_data(str(path), where=[("task", "quest")]).rows == rows[:1]
    with pytest.raises(UserError, match="no row is left to probe"):
        load_data(str(path), where=[("task", "neither")])
    path.write_text(json.dumps(ROWS[0]) + "\nnot json\n")
    with pytest.raises(UserError, match=r"rows\.jsonl:2: expected JSON, but expecting value"):
        load_data(str(path))


def test_pairs_of_the_agreement_grammar_have_a_name() -> None:
    data = load_data("minimal-pairs", sample=100)
    assert data.description == "minimal-pairs, 100 rows"
    assert {"sentence_good", "sentence_bad", "UID"} <= set(data.rows[0])
    assert len({row["UID"] for row in data.rows}) > 10


@pytest.mark.parametrize("row", [PAIR, {**ROWS[0]}], ids=["pairs", "sentences"])
def test_marks_blank_lines_and_folders_are_read_alike(row: dict[str, Any], tmp_path: Path) -> None:
    line = json.dumps(row)
    (tmp_path / "a.jsonl").write_text(f"\ufeff\n  \n{line}\r\n\n{line}\n", encoding="utf-8")
    (tmp_path / "b.jsonl").write_text(line, encoding="utf-8")
    assert list(load_data(str(tmp_path / "a.jsonl")).rows) == [row, row]
    assert list(load_data(str(tmp_path)).rows) == [row, row, row]


@pytest.mark.parametrize("row", [PAIR, {**ROWS[0]}], ids=["pairs", "sentences"])
@pytest.mark.parametrize(
    "bad", ["[1]", '"text"', "{", '{"a": Infinity}', '{"a": 1, "a": 2}', b"\xff"]
)
def test_a_bad_line_ends_reading_or_is_left_out_and_counted(
    row: dict[str, Any], bad: str | bytes, tmp_path: Path
) -> None:
    line = json.dumps(row).encode()
    wrong = bad if isinstance(bad, bytes) else bad.encode()
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b"\n".join([line, wrong, line, wrong]))
    with pytest.raises(UserError, match=r"rows\.jsonl:2: .*skip_bad_lines=True"):
        load_data(str(file))
    data = load_data(str(file), skip_bad_lines=True)
    assert list(data.rows) == [row, row]
    assert data.description == "rows.jsonl without 2 bad lines, 2 rows"
    assert data.left_out.startswith(f"2 bad lines were left out, the first: {file}:2: ")


def test_a_file_whose_first_line_is_bad_is_still_told_apart(tmp_path: Path) -> None:
    (tmp_path / "pairs.jsonl").write_text("oops\n" + json.dumps(PAIR))
    data = load_data(str(tmp_path / "pairs.jsonl"), skip_bad_lines=True)
    assert data.rows == [PAIR]
    (tmp_path / "pairs.jsonl").write_text(json.dumps(PAIR) + "\n" + json.dumps(ROWS[0]))
    with pytest.raises(UserError, match=r"pairs\.jsonl:2: no field 'sentence_good'"):
        load_data(str(tmp_path / "pairs.jsonl"))


def test_a_folder_of_treebanks_is_read_as_treebanks(tmp_path: Path) -> None:
    """`datasets` has a reader of its own for such files, which makes other rows of them."""
    (tmp_path / "a.conllu").write_text(CONLLU)
    (tmp_path / "b.conllu").write_text(CONLLU.replace("\t2\tnsubj", "\t7\tnsubj") + "\n" + CONLLU)
    with pytest.raises(UserError, match=r"b\.conllu:2: head 7 of word 1"):
        load_data(str(tmp_path))
    data = load_data(str(tmp_path), skip_bad_lines=True)
    assert [row["heads"] for row in data.rows] == [[2, 0, 2]] * 2
    assert "1 bad line was left out" in data.left_out


LABELS = dict.fromkeys(("field", "linguistics_term", "UID", "pairID"), "x")


@pytest.mark.parametrize(
    ("rows", "most", "left"),
    [
        ([{"words": ["a"] * n} for n in (1, 2, 3, 4)], 2, 2),
        ([{"text": "a " * n} for n in (1, 2, 3, 4)], 3, 3),
        ([{**LABELS, "sentence_good": "a b", "sentence_bad": "a b " * n} for n in (1, 2)], 2, 1),
    ],
)
def test_words_are_counted_where_the_rows_have_them(
    rows: list[dict[str, Any]], most: int, left: int, tmp_path: Path
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = load_data(str(file), max_words=most)
    assert len(found.rows) == left
    gone = len(rows) - left
    assert f"{gone} row{'s' * (gone > 1)} of more than {most} words" in found.left_out
    assert load_data(str(file), max_words=99).left_out == ""
    with pytest.raises(UserError, match="no row is left"):
        load_data(str(file), max_words=1, sample=1, where=[(next(iter(rows[0])), "none")])
    with pytest.raises(UserError, match="expected at least 1 word"):
        load_data(str(file), max_words=0)
