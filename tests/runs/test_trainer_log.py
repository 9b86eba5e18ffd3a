"""Which log of a Trainer is believed, and what of it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from hf_grok.dynamics import load_run
from hf_grok.errors import UserError
from hf_grok.runs.trainer_log import newest_log, read_log


def write_state(folder: Path, *losses: float, every: int = 10, **state: Any) -> Path:
    """A state with one evaluation each `every` steps."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"step": every * n, "eval_loss": loss} for n, loss in enumerate(losses)]
    content = {"global_step": every * (len(losses) - 1), "max_steps": 40, "log_history": rows}
    path = folder / "trainer_state.json"
    path.write_text(json.dumps({**content, **state}))
    return path


def test_the_state_of_the_highest_step_counts(tmp_path: Path) -> None:
    write_state(tmp_path / "checkpoint-10", 3.0, 2.0)
    last = write_state(tmp_path / "checkpoint-20", 3.0, 2.0, 1.0)
    found = newest_log(tmp_path)
    assert found is not None
    assert (found.path, found.step, found.planned, found.has_ended) == (last, 20, 40, False)


def test_the_runs_own_state_counts_unless_it_is_of_an_earlier_start(tmp_path: Path) -> None:
    write_state(tmp_path / "checkpoint-20", 3.0, 2.0, 1.0)
    own = write_state(tmp_path, 3.0, 2.0, 1.0, 0.5, 0.4)
    assert newest_log(tmp_path).path == own  # type: ignore[union-attr]
    assert load_run(tmp_path).status == "finished"
    write_state(tmp_path, 3.0, 2.0)
    assert load_run(tmp_path).evaluations["eval_loss"].tolist() == [3.0, 2.0, 1.0]


def test_a_state_that_is_being_written_is_passed_over(tmp_path: Path) -> None:
    write_state(tmp_path / "checkpoint-10", 3.0, 2.0)
    write_state(tmp_path / "checkpoint-20", 3.0, 2.0, 1.0).write_text('{"global_step": 2')
    (tmp_path / "checkpoint-30").mkdir()
    run = load_run(tmp_path)
    assert run.evaluations["eval_loss"].tolist() == [3.0, 2.0]
    assert run.status == "unfinished"


def test_an_evaluation_by_hand_afterwards_does_not_replace_the_steps_own(tmp_path: Path) -> None:
    rows = [
        {"step": 0, "eval_loss": 3.0},
        {"step": 10, "eval_loss": 2.0, "eval_accuracy": 0.5},
        {"step": 10, "train_runtime": 9.0, "train_loss": 2.5},
        {"step": 10, "eval_loss": 1.5, "eval_accuracy": 0.5},  # of the best model
    ]
    write_state(tmp_path, log_history=rows, max_steps=50)
    run = load_run(tmp_path)
    assert run.evaluations["eval_loss"].tolist() == [3.0, 2.0]
    assert run.status == "finished"  # stopped early: it has logged its totals
    [note] = [note for note in run.notes if "twice" in note]
    assert "with eval_loss 2 and then 1.5; the first one is used" in note


def test_what_is_no_number_is_left_out(tmp_path: Path) -> None:
    row = {"step": 10, "eval_loss": 2.0, "eval_words": "many", "eval_ok": True, "eval_none": None}
    write_state(tmp_path, log_history=[{"step": 0, "eval_loss": math.nan}, row])
    run = load_run(tmp_path)
    assert list(run.evaluations.columns) == ["eval_loss"]
    assert run.evaluations["eval_loss"].isna().tolist() == [True, False]
    assert any("eval_loss is nan at step 0 and is left out" in note for note in run.notes)


def test_what_a_callback_of_ours_left_is_known(tmp_path: Path) -> None:
    write_state(tmp_path, 3.0, 2.0)
    (tmp_path / "series").mkdir()
    about = {"seed": 7, "arguments": {"learning_rate": 0.01}, "model": {"parameters": 99}}
    (tmp_path / "series" / "about.json").write_text(json.dumps(about))
    (tmp_path / "config.json").write_text('{"model_type": "llama", "num_hidden_layers": 3}')
    run = load_run(tmp_path)
    assert (run.seed, run.layers) == (7, 3)
    assert run.info["model"] == {"name": "llama", "layers": 3, "parameters": 99}
    assert run.info["arguments"] == {"learning_rate": 0.01}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("log.csv", "a,b\n1,2\n", r"log\.csv:1: the header is 'a,b': expected a Trainer's log"),
        ("log.csv", "step,eval_loss\n1.5,2\n", r'log\.csv:2: expected "step" to be an integer'),
        ("log.json", '{"a": 1}', r"log\.json: expected a Trainer's log"),
        ("log.json", "[[1, 2, 3]]", r"log\.json: expected a Trainer's log"),
        ("log.json", '[{"eval_loss": 1}]', r'log\.json:row 1: expected "step" to be an integer'),
        ("log.txt", "step", "log.txt is a file: expected a directory with run.json .* or a log in"),
    ],
)
def test_other_files_are_refused_with_the_place(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=said):
        load_run(tmp_path / name)


def test_an_empty_cell_was_not_logged(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(",step,loss,eval_loss\n0,0,,3.5\n1,10,3.0,\n2,10,,2.5\n")
    assert [dict(row.values) for row in read_log(path).rows] == [
        {"step": 0, "eval_loss": 3.5},
        {"step": 10, "loss": 3.0},
        {"step": 10, "eval_loss": 2.5},
    ]
    assert load_run(path).status == "unknown"
