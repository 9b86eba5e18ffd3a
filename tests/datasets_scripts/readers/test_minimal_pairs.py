"""Minimal pairs in BLiMP's layout: what is read, and what is refused with file and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hf_grok.datasets_scripts import read_minimal_pairs
from hf_grok.datasets_scripts.readers.minimal_pairs import FIELDS
from hf_grok.errors import UserError
from tests.real_data import BLIMP


def pair(number: int, uid: str = "number", **changes: Any) -> dict[str, Any]:
    return {
        "sentence_good": "The newt sleeps.",
        "sentence_bad": "The newt sleep.",
        "field": "morphology",
        "linguistics_term": "subject_verb_agreement",
        "UID": uid,
        "pairID": str(number),
        **changes,
    }


def write(file: Path, *lines: object, end: str = "\n") -> Path:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    file.write_bytes("".join(text + end for text in texts).encode("utf-8"))
    return file


def test_every_field_of_every_line_is_kept_in_order(tmp_path: Path) -> None:
    pairs = [pair(1, simple_LM_method=True, dependency_length=5), pair(0, "é\u2028")]
    file = write(tmp_path / "a.jsonl", *pairs)
    assert read_minimal_pairs(file) == pairs
    assert read_minimal_pairs(str(file)) == pairs


def test_files_and_folders(tmp_path: Path) -> None:
    b, a = write(tmp_path / "b.jsonl", pair(1)), write(tmp_path / "a.jsonl", pair(2))
    write(tmp_path / "notes.txt", "no pairs")
    assert read_minimal_pairs([b, str(a)]) == [pair(1), pair(2)]
    assert read_minimal_pairs(tmp_path) == [pair(2), pair(1)]
    assert read_minimal_pairs([tmp_path, a]) == [pair(2), pair(1), pair(2)]


def test_line_ends_and_empty_lines_do_not_matter(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", pair(1), "", pair(2), "", end="\r\n")
    assert read_minimal_pairs(file) == [pair(1), pair(2)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"sentence_good": ', "expected JSON, but expecting value at column 19"),
        ('["a", "b"]', "expected a JSON object, got ['a', 'b']"),
        ("a\tb", "expected JSON, but expecting value at column 1"),
        *(
            ({key: value for key, value in pair(1).items() if key != name}, f"no field {name!r}")
            for name in FIELDS
        ),
        (pair(1, sentence_bad=" "), "field 'sentence_bad' is ' ': expected text"),
        (pair(1, pairID=1), "field 'pairID' is 1: expected text"),
        (pair(1, UID=None), "field 'UID' is None: expected text"),
    ],
)
def test_a_bad_line_is_named_with_its_file_and_number(
    line: object, message: str, tmp_path: Path
) -> None:
    file = write(tmp_path / "a.jsonl", pair(0), "", line, pair(2))
    with pytest.raises(UserError) as caught:
        read_minimal_pairs([write(tmp_path / "b.jsonl", pair(9)), file])
    assert str(caught.value).startswith(f"{file}:3: ")
    assert message in str(caught.value)


def test_text_that_is_no_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", pair(0))
    file.write_bytes(file.read_bytes() + b'{"sentence_good": "\xe9"}\n')
    with pytest.raises(UserError, match=r"a\.jsonl:2: expected UTF-8 text"):
        read_minimal_pairs(file)


def test_what_holds_no_pair_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no \*\.jsonl"):
        read_minimal_pairs(tmp_path)
    with pytest.raises(UserError, match="there is no file"):
        read_minimal_pairs(tmp_path / "absent.jsonl")
    with pytest.raises(UserError, match=r"no minimal pair in .*a\.jsonl"):
        read_minimal_pairs(write(tmp_path / "a.jsonl", ""))
    with pytest.raises(UserError, match="no minimal pair in no file"):
        read_minimal_pairs([])


@pytest.mark.skipif(not BLIMP.is_dir(), reason="shared/data has no BLiMP")
def test_blimp_as_it_is_distributed() -> None:
    rows = read_minimal_pairs(BLIMP)
    paradigms = {row["UID"] for row in rows}
    assert paradigms == {file.stem for file in BLIMP.glob("*.jsonl")}
    assert len(rows) == 1000 * len(paradigms)
    assert rows[0]["sentence_good"] == "Susan revealed herself."
    assert rows[0]["one_prefix_prefix"] == "Susan revealed"
