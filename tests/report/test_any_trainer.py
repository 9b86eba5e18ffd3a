"""A stock Trainer with ProbeCallback leaves a folder that is loaded, reported and studied."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pandas
import pytest
from transformers import Trainer

from hf_grok.cli import main
from hf_grok.dynamics import load_run
from tests.report.plain import plain_trainer


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trainer, Path]:
    folder = tmp_path_factory.mktemp("any") / "gpt2-tiny"
    trainer = plain_trainer(folder)
    trainer.train()
    return trainer, folder


@pytest.fixture
def copied(trained: tuple[Trainer, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained[1], tmp_path / "gpt2-tiny"))


def test_the_curves_are_those_that_trainer_logged(trained: tuple[Trainer, Path]) -> None:
    trainer, folder = trained
    run = load_run(folder)
    assert (run.name, run.seed, run.layers, run.status) == ("gpt2-tiny", None, 2, "finished")
    assert (run.of_recipe, run.recipe) == (False, "gpt2-tiny")
    for column in ("eval_loss", "eval_uas_single_head", "eval_tree_parseval", "eval_norm_l2"):
        logged = {row["step"]: row[column] for row in trainer.state.log_history if column in row}
        assert list(logged) == list(range(0, 25, 2))
        assert run.evaluations[column].to_dict() == logged
    losses = {row["step"]: row["loss"] for row in trainer.state.log_history if "loss" in row}
    assert run.training["loss"].to_dict() == losses


def test_what_probes_left_to_be_drawn_is_there(trained: tuple[Trainer, Path]) -> None:
    assert {("tree", 0), ("tree", 24)} <= load_run(trained[1]).pictures.keys()


def test_its_page_tells_losses_structure_and_trees(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(copied)]) == 0
    written = {path.name for path in (copied / "report" / "figures").glob("*.png")}
    assert written == {"loss.png", "structure.png", "trees.png"}
    assert all(path.stat().st_size > 5_000 for path in (copied / "report").glob("figures/*.png"))
    page = (copied / "report" / "report.html").read_text(encoding="utf-8")
    assert "<h1>gpt2-tiny, gpt2, 2 layers</h1>" in page
    assert "in 24 steps, as its Trainer measured it." in page
    assert "Tree projection: F1 with gold trees" in page
    assert "nats" not in page  # of a loss that is not ours nobody knows the unit
    assert "not finished" not in page
    with (copied / "report" / "summary.csv").open(encoding="utf-8") as file:
        [record] = csv.DictReader(file)
    assert (record["run"], record["recipe"], record["seed"]) == ("gpt2-tiny", "", "")


def test_its_onsets_are_sought(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["onsets", str(copied), "--metric", "loss", "--metric", "uas_single_head"]) == 0
    told = capsys.readouterr().out
    assert "eval_loss, falling" in told
    assert "baseline eval_uas_single_offset" in told
    assert "checkpoint-24/trainer_state.json, as Trainer leaves it" in told
    axis = ["--axis", "cumulative_learning_rate"]
    assert main(["onsets", str(copied), "--metric", "loss", *axis]) == 0


def test_a_run_that_goes_on_is_told_by_its_last_whole_checkpoint(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentinel = copied / "checkpoint-24" / "checkpoint-is-incomplete.txt"
    sentinel.write_text("Checkpoint started at step 24")
    run = load_run(copied)
    assert (run.status, int(run.evaluations.index[-1])) == ("unfinished", 16)
    assert main(["report", str(copied)]) == 0
    page = (copied / "report" / "report.html").read_text(encoding="utf-8")
    assert "What was logged reaches step 16 of 24" in page


@pytest.mark.parametrize("ending", [".csv", ".json"])
def test_a_saved_log_history_says_the_same(
    trained: tuple[Trainer, Path], tmp_path: Path, ending: str
) -> None:
    trainer, folder = trained
    path = tmp_path / f"history{ending}"
    if ending == ".csv":
        pandas.DataFrame(trainer.state.log_history).to_csv(path)
    else:
        path.write_text(json.dumps(trainer.state.log_history))
    expected, found = load_run(folder), load_run(path)
    pandas.testing.assert_frame_equal(found.evaluations, expected.evaluations, check_like=True)
    pandas.testing.assert_frame_equal(found.training, expected.training, check_like=True)
    assert main(["report", str(path)]) == 0
    assert (tmp_path / "history-report" / "report.html").is_file()


def test_two_runs_of_one_name_are_no_seeds_of_each_other(copied: Path, tmp_path: Path) -> None:
    other = shutil.copytree(copied, tmp_path / "again" / "gpt2-tiny")
    assert main(["report", str(copied), str(other), "--out", str(tmp_path / "both")]) == 0
    with (tmp_path / "both" / "summary.csv").open() as file:
        assert [row["run"] for row in csv.DictReader(file)] == ["gpt2-tiny", "gpt2-tiny"]
    figures = {path.name for path in (tmp_path / "both" / "figures").glob("*loss.png")}
    assert len(figures) == 2
