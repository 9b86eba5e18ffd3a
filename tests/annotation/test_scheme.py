"""The annotation scheme beside the data, and the sentence on a mismatch."""

from __future__ import annotations

from pathlib import Path

import pytest

from hf_grok.annotation.scheme import read_scheme, scheme_mismatch, sidecar, write_annotation
from hf_grok.errors import UserError


def test_beside_a_file_and_in_a_folder(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("")
    assert sidecar(file).name == "rows.jsonl.annotation.json"
    for data, scheme in ((file, "ud"), (tmp_path, "clearnlp")):
        assert read_scheme(data) is None
        write_annotation(data, {"annotation_scheme": scheme, "parser": "p"})
        assert read_scheme(data) == scheme
    assert read_scheme(file) == "ud"


@pytest.mark.parametrize("text", ["{", "[]", "{}", '"ud"', '{"annotation_scheme": "U D"}'])
def test_a_damaged_file_is_no_unknown_scheme(text: str, tmp_path: Path) -> None:
    (tmp_path / "annotation.json").write_text(text)
    with pytest.raises(UserError, match="annotation"):
        read_scheme(tmp_path)


def test_names_are_checked_when_written(tmp_path: Path) -> None:
    for facts in ({}, {"annotation_scheme": "UD"}, {"annotation_scheme": None}):
        with pytest.raises(UserError, match="expected a lower-case name"):
            write_annotation(tmp_path, facts)
    assert not list(tmp_path.iterdir())


def test_mismatch() -> None:
    assert scheme_mismatch("ud", "ud") is None
    assert scheme_mismatch(None, None) is None
    both = scheme_mismatch("clearnlp", "ud")
    assert both is not None
    assert both.startswith(
        "The training arcs follow the annotation scheme clearnlp, the evaluation arcs ud: "
    )
    one, other = scheme_mismatch("ud", None), scheme_mismatch(None, "ud")
    assert one is not None
    assert other is not None
    assert one.startswith("The training arcs follow the annotation scheme ud; that of the eval")
    assert other.startswith("The evaluation arcs follow the annotation scheme ud; that of the tr")
