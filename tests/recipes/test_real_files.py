"""Files as McCoy et al. distribute them: trained on, and evaluated with a trained model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from hf_grok.datasets_scripts import QuestionFormation
from hf_grok.errors import UserError
from hf_grok.measurement.guard import watching
from hf_grok.probes.tasks import QuestionBehaviour
from tests.recipes.tiny import log_of, train_tiny

SIZES = {"train_size": 64, "validation_size": 20, "test_size": 40, "generalization_size": 20}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """TSV files `source<TAB>target`, one a split."""
    folder = tmp_path_factory.mktemp("tsv")
    builder = QuestionFormation(**SIZES)
    builder.download_and_prepare()
    paths = {}
    for split, rows in builder.as_dataset().items():
        paths[split] = str(folder / f"question.{split}")
        lines = [f"{row['source']}\t{row['target']}\n" for row in rows]
        Path(paths[split]).write_text("".join(lines))
    return paths


def test_training_on_files_equals_training_on_what_they_hold(
    tmp_path: Path, files: dict[str, str]
) -> None:
    options = json.dumps({"data_files": files})
    short = ["--max_steps", "6"]
    read = train_tiny(tmp_path / "read", "--language_options", options, *short)
    made = train_tiny(tmp_path / "made", *short)
    assert log_of(read) == log_of(made)


def test_a_trained_model_is_evaluated_on_a_file(tmp_path: Path, files: dict[str, str]) -> None:
    run = train_tiny(tmp_path, "--max_steps", "4")
    builder = QuestionFormation(data_files={"generalization": files["generalization"]})
    builder.download_and_prepare()
    rows = builder.as_dataset(split="generalization")
    model = AutoModelForCausalLM.from_pretrained(run)
    behaviour = QuestionBehaviour(rows, AutoTokenizer.from_pretrained(run))
    with watching(model):
        measured = behaviour.tally(model).ratios()
    assert len(behaviour) == SIZES["generalization_size"]
    assert 0 <= measured["accuracy"] <= 1
    assert measured["main_share"] + measured["linear_share"] + measured[
        "neither_share"
    ] == pytest.approx(1)


def test_a_bad_line_is_named_by_file_and_number(tmp_path: Path, files: dict[str, str]) -> None:
    path = tmp_path / "question.train"
    good = Path(files["train"]).read_text()
    path.write_text(good + "the newt do smile . decl the newt do smile .\n")
    options = json.dumps({"data_files": {**files, "train": str(path)}})
    with pytest.raises(UserError, match=rf"{path}:65: .*tab"):
        train_tiny(tmp_path / "bad", "--language_options", options)
