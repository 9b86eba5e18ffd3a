"""Files in the format of McCoy et al.: read, checked, and refused with file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hf_grok.datasets_scripts import QuestionFormation, TenseInflection
from hf_grok.datasets_scripts.builder.task_sentences import SentenceBuilder
from hf_grok.errors import UserError

GOOD = "the newt does giggle . decl\tthe newt does giggle ."
SETTLING = "my quail who does sleep doesn't eat . quest\tdoesn't my quail who does sleep eat ?"


def write(folder: Path, *lines: str, name: str = "lines.tsv") -> Path:
    file = folder / name
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


def read(file: Path, config: str = "default") -> SentenceBuilder:
    builder = QuestionFormation(config, data_files={"generalization": file})
    builder.download_and_prepare()
    return builder


@pytest.mark.parametrize("kind", [QuestionFormation, TenseInflection])
def test_reading_what_was_generated_gives_the_same_rows(
    kind: type[SentenceBuilder], tmp_path: Path
) -> None:
    sizes = {f"{split}_size": 150 for split in ("train", "validation", "test", "generalization")}
    made = kind("main", **sizes)
    made.download_and_prepare()
    generated = made.as_dataset()
    files = {}
    for split, rows in generated.items():
        lines = zip(rows["source"][:], rows["target"][:], strict=True)
        files[split] = write(tmp_path, *("\t".join(line) for line in lines), name=f"{split}.tsv")
    reader = kind(data_files=files)
    reader.download_and_prepare()
    for split, rows in reader.as_dataset().items():
        assert rows.features == generated[split].features
        assert rows.to_list() == generated[split].to_list()


def test_several_files_of_a_split_are_read_in_order(tmp_path: Path) -> None:
    one, two = write(tmp_path, GOOD, name="1[*].tsv"), write(tmp_path, SETTLING, name="2.tsv")
    builder = QuestionFormation(data_files={"train": [one, str(two)]})
    builder.download_and_prepare()
    lines = [f"{row['source']}\t{row['target']}" for row in builder.as_dataset("train")]
    assert lines == [GOOD, SETTLING]


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    first = read(write(tmp_path, GOOD))
    second = read(write(tmp_path, SETTLING))
    assert first.cache_dir != second.cache_dir
    assert second.as_dataset("generalization")[0]["text"] == SETTLING.replace("\t", " ")
    assert first.as_dataset("generalization")[0]["text"] == GOOD.replace("\t", " ")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("the newt does giggle . decl", "expected SOURCE<TAB>TARGET, got a line with 0 tabs"),
        ("", "got a line with 0 tabs: ''"),
        (f"{GOOD}\t", "got a line with 2 tabs"),
        (
            "the newt does gigle . decl\tx",
            "the word 'gigle' is outside the lexicon. Did you mean 'gi",
        ),
        ("the  newt does giggle . decl\tx", "the word '' is outside the lexicon"),
        ("the newt does giggle . dec\tx", "unknown task word at the end of the source 'dec'"),
        ("the newt do giggle . decl\tx", "stopped at word 3, 'do'; expected MainAux[sg] (does, d"),
        ("the newt does giggle decl\tx", "parsing stopped at its end; expected Period (.)"),
        ("the newt does giggle . . decl\tx", "at word 6, '.'; expected the end of the sentence"),
        ("the newt who does . decl\tx", "stopped at word 5, '.'; expected V_intr (giggle, smile, "),
        ("the newt does giggle . decl\tthe newt .", "expected 'the newt does giggle .'."),
        (
            "my quail who does sleep doesn't eat . quest\tdoes my quail who sleep doesn't eat ?",
            "It is the answer of the rule 'first': read the file with the config 'first'.",
        ),
    ],
)
def test_a_bad_line_is_named_with_its_file_and_number(
    line: str, message: str, tmp_path: Path
) -> None:
    file = write(tmp_path, GOOD, line, GOOD)
    with pytest.raises(UserError) as caught:
        read(file)
    assert str(caught.value).startswith(f"{file}:2: ")
    assert message in str(caught.value)


def test_files_of_the_linear_rule_are_read_with_its_config(tmp_path: Path) -> None:
    linear = "my quail who does sleep doesn't eat . quest\tdoes my quail who sleep doesn't eat ?"
    rows = read(write(tmp_path, linear), "first").as_dataset("generalization")
    assert rows[0]["main_index"] == 5
    with pytest.raises(UserError, match="read the file with the config 'main'"):
        read(write(tmp_path, SETTLING), "first")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "lines.tsv"
    file.write_bytes(b"the newt \xff\xfe")
    with pytest.raises(UserError, match="expected UTF-8 text"):
        read(file)


@pytest.mark.parametrize(
    ("data_files", "message"),
    [
        ({"dev": "x.tsv"}, "unknown split in data_files 'dev'"),
        ({"train": "absent.tsv"}, "there is no file 'absent.tsv'"),
        ({"train": []}, "is empty"),
        ({}, "must map splits to files"),
        ("x.tsv", "must map splits to files"),
    ],
)
def test_data_files_that_cannot_be_read_are_refused(data_files: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        QuestionFormation(data_files=data_files)


def test_options_of_generation_are_refused_beside_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="train_size says how data is generated"):
        QuestionFormation(data_files={"train": write(tmp_path, GOOD)}, train_size=5)


def test_lines_that_are_no_examples_are_left_out_counted_and_recorded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = ["no tab", "the newt does fly . decl\tx", "the the newt does giggle . decl\tx"]
    file = write(tmp_path, GOOD, *bad, SETTLING)
    with pytest.raises(UserError, match=r"lines\.tsv:2: .*skip_bad_lines=True"):
        read(file)
    builder = QuestionFormation(data_files={"generalization": file}, skip_bad_lines=True)
    builder.download_and_prepare()
    rows = builder.as_dataset("generalization")
    assert [f"{row['source']}\t{row['target']}" for row in rows] == [GOOD, SETTLING]
    told = f"generalization: 3 bad lines were left out, the first: {file}:2: expected SOURCE<TAB>"
    assert told in caplog.text
    again = QuestionFormation(data_files={"generalization": file}, skip_bad_lines=True)
    again.download_and_prepare()
    assert told in again.info.description


def test_generated_data_has_no_lines_to_skip() -> None:
    with pytest.raises(UserError, match="skip_bad_lines says how files are read"):
        QuestionFormation(skip_bad_lines=True)
