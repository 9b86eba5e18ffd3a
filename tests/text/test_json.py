"""JSON and text of strangers: what is refused, where, and what is read all the same."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import math
from pathlib import Path

import pytest

from hf_grok.errors import UserError
from hf_grok.runs.json_lines import read_rows, rewind
from hf_grok.series.errors import SeriesError
from hf_grok.text.files import read_lines, read_text
from hf_grok.text.json_reading import parse_json, read_object

DEEP = "[" * 90_000 + "]" * 90_000


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("9" * 5_000, "f: a whole number of 5,000 digits: expected 300 at most"),
        ("[-" + "9" * 400 + "]", "f: a whole number of 401 digits"),
        ("NaN", "f: 'NaN': expected a finite number"),
        ("[-Infinity]", "f: '-Infinity': expected a finite number"),
        ("1e999", "f: '1e999': expected a finite number"),
        (DEEP, "f: nested more than 60 deep"),
        ('{"a":' * 61 + "[]" + "}" * 61, "f: nested more than 60 deep"),
        ('{"a": 1, "b": 2, "a": 1}', "f: the key 'a' stands twice in one object"),
        ('{"a": "\\ud83d"}', r"f: a text holds half a character, '\ud83d'"),
        ("{\n  1\n}", "f:2: expected JSON, but expecting property name"),
        ("", "f: expected JSON, but expecting value at column 1: ''"),
        ("[1] x", "f: expected JSON, but extra data at column 5"),
        (
            '{"a": \x1b[2J}',
            r"f: expected JSON, but expecting value at column 7: '{" '"a": ' r"\x1b[2J}",
        ),
        (b'"\xe9"', "f:1: expected UTF-8 text"),
        (b'{\n\n"\xe9": 1}', "f:3: expected UTF-8 text"),
        (
            gzip.compress(b"{}", mtime=0),
            "f:1: expected UTF-8 text, and this is compressed by gzip: decompr",
        ),
        (
            lzma.compress(b"{}"),
            "f:1: expected UTF-8 text, and this is compressed by xz: decompress",
        ),
        (
            bz2.compress(b"{}"),
            "f:1: expected UTF-8 text, and this is compressed by bzip2: decompre",
        ),
        ("{}".encode("utf-16"), "f:1: expected UTF-8 text, and this begins as UTF-16 does"),
    ],
)
def test_refused_in_one_line_with_its_place(text: str | bytes, told: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_json(text, "f")
    said = str(caught.value)
    assert said.startswith(told)
    assert len(said) <= 500


def test_what_a_log_of_a_diverged_run_holds_can_be_asked_for() -> None:
    nan, low, high = parse_json("[NaN, -Infinity, 1e999]", "f", nonfinite=True)
    assert math.isnan(nan)
    assert (low, high) == (-math.inf, math.inf)


def test_everything_else_is_read_as_json_reads_it() -> None:
    value = {"a": [1, 2.5, None, True, "\U0001f600 \u202e", {"b": {}}], "c": 10**299, "d": -0.0}
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=3)):
        assert parse_json(text, "f") == value
        assert parse_json(b"\xef\xbb\xbf" + text.encode(), "f") == value


def test_files_are_read_with_a_mark_or_without_and_named_when_they_cannot_be(
    tmp_path: Path,
) -> None:
    file = tmp_path / "run.json"
    file.write_bytes(b'\xef\xbb\xbf{"a":\r\n 1}')
    assert read_object(file) == {"a": 1}
    assert read_text(file) == '{"a":\n 1}'
    file.write_text("[1]")
    with pytest.raises(SeriesError, match=r"run\.json: expected a JSON object, got \[1\]"):
        read_object(file, error=SeriesError)
    with pytest.raises(UserError, match="has more than 2 bytes"):
        read_text(file, largest=2)
    with pytest.raises(UserError, match="there is no file"):
        read_object(tmp_path / "none.json")
    with pytest.raises(UserError, match="cannot be read"):
        read_object(tmp_path)
    with pytest.raises(UserError, match="cannot be read"):
        read_object("a\0b")


def test_lines_end_where_files_end_them(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    file.write_bytes("\ufeffone\u2028still\r\ntwo\x85\n\nlast".encode())
    assert [line.text for line in read_lines(file)] == ["one\u2028still", "two\x85", "", "last"]
    file.write_bytes(b"one\ntw\xffo\n")
    with pytest.raises(UserError, match="lines:2: expected UTF-8 text"):
        list(read_lines(file))


ROWS = ['{"step": 0, "eval_loss": NaN}', '{"step": 5}', '{"step": 10}', '{"step": 5, "x": 1}']


@pytest.mark.parametrize("tail", ["", "\n", '\n{"step": 1', '\n{"ste\x00', "\n\n"])
def test_rewinding_keeps_whole_rows_up_to_the_step(tail: str, tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    file.write_text("\n".join(ROWS) + tail)
    rewind(file, 5)
    kept = [row for row in ROWS if '"step": 10' not in row]
    assert file.read_text() == "".join(f"{row}\n" for row in kept)


@pytest.mark.parametrize(
    "line",
    ["{}", '{"step": "5"}', '{"step": true}', '{"step": -1}', '{"step": 1.5}', "7", "{", DEEP],
)
def test_a_row_without_a_step_is_named_and_nothing_is_lost(line: str, tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    text = f"{ROWS[0]}\n{line}\n{ROWS[1]}\n"
    file.write_text(text)
    with pytest.raises(UserError, match=r"metrics\.jsonl:2: "):
        rewind(file, 5)
    assert file.read_text() == text


def test_a_last_line_that_is_being_written_is_no_row_yet(tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    file.write_text('{"step": 1}\n{"step"')
    rows, cut = read_rows(file)
    assert [row.step for row in rows] == [1]
    assert cut == f"{file}:2"
    file.write_text("")
    assert read_rows(file) == ([], None)
