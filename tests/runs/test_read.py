from __future__ import annotations

import json
from pathlib import Path

import pytest

from hf_grok.dynamics import load_run
from hf_grok.errors import UserError
from tests.dynamics.tables import INFO, write_run

ROWS = [
    {"step": 0, "eval_loss": 4.5, "eval_generalization_accuracy": 0.25},
    {"step": 10, "loss": 3.0, "learning_rate": 1e-4, "grad_norm": 2.0, "epoch": 0.1},
    {"step": 10, "eval_loss": 2.5, "eval_generalization_accuracy": 0.5, "eval_runtime": 1.0},
    {"step": 10, "eval_weight_norm": 100.0},
    {"step": 10, "train_runtime": 5.0, "train_loss": 3.0},
]


def append(folder: Path, text: bytes) -> Path:
    path = folder / "metrics.jsonl"
    path.write_bytes(path.read_bytes() + text)
    return folder


def test_a_run_as_tables(tmp_path: Path) -> None:
    run = load_run(write_run(tmp_path / "a-run", ROWS))
    assert (run.name, run.recipe, run.seed, run.layers) == ("a-run", "question-formation", 0, 6)
    assert run.status == "finished"
    assert run.notes == ()
    assert run.evaluations.index.tolist() == [0, 10]
    assert run.evaluations.index.name == "step"
    assert run.evaluations["eval_loss"].tolist() == [4.5, 2.5]
    assert run.evaluations["eval_weight_norm"].isna().tolist() == [True, False]
    assert run.training.loc[10].to_dict() == {"loss": 3.0, "learning_rate": 1e-4, "grad_norm": 2.0}


def test_what_the_regulariser_logs_is_in_the_training_table(tmp_path: Path) -> None:
    logged = {"loss": 3.1, "lm_loss": 3.0, "sas_penalty": 0.4, "sas_lambda": 0.3, "sas_arcs": 70.0}
    run = load_run(write_run(tmp_path / "run", [{"step": 10, **logged}]))
    assert run.training.loc[10].to_dict() == logged


def test_a_run_without_any_evaluation_yet(tmp_path: Path) -> None:
    run = load_run(write_run(tmp_path / "run", [], status="running"))
    assert run.evaluations.empty
    assert run.training.empty


def test_steps_come_out_in_order(tmp_path: Path) -> None:
    assert load_run(write_run(tmp_path / "run", ROWS[::-1])).evaluations.index.tolist() == [0, 10]


@pytest.mark.parametrize("tail", [b'{"step": 20, "eval_lo', b'{"step": 20, "eval_\xc3', b"{"])
def test_a_cut_last_line_is_left_out_with_a_note(tmp_path: Path, tail: bytes) -> None:
    run = load_run(append(write_run(tmp_path / "run", ROWS), tail))
    assert run.evaluations.index.tolist() == [0, 10]
    assert len(run.notes) == 1
    assert run.notes[0].endswith(
        "metrics.jsonl:6: the last line was cut while it was written and is left out"
    )


def test_a_whole_last_line_needs_no_line_feed(tmp_path: Path) -> None:
    run = load_run(append(write_run(tmp_path / "run", ROWS), b'{"step": 20, "eval_loss": 1.0}'))
    assert run.evaluations.index.tolist() == [0, 10, 20]
    assert run.notes == ()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"step": 20, "eval_lo', "expected JSON, but unterminated string"),
        (b"\xff\xfe", "expected UTF-8 text"),
        (b"[1, 2]", "expected a JSON object, got [1, 2]"),
        (b'{"eval_loss": 1.0}', '"step" to be an integer from 0 on, got None'),
        (b'{"step": -1, "eval_loss": 1.0}', '"step" to be an integer from 0 on, got -1'),
        (b'{"step": 1.5, "eval_loss": 1.0}', '"step" to be an integer from 0 on, got 1.5'),
        (b'{"step": 20, "eval_loss": null}', "expected eval_loss to be a number, got None"),
        (b'{"step": 20, "loss": "nan"}', "expected loss to be a number, got 'nan'"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: bytes, expected: str) -> None:
    run = append(write_run(tmp_path / "run", ROWS), line + b"\n" + b'{"step": 30}\n')
    with pytest.raises(UserError) as caught:
        load_run(run)
    assert expected in str(caught.value)
    assert "metrics.jsonl:6: " in str(caught.value)


def test_a_repeated_step_with_the_same_values_is_one_row(tmp_path: Path) -> None:
    again = [*ROWS, {**ROWS[2], "eval_runtime": 2.0}]
    run = load_run(write_run(tmp_path / "run", again))
    assert run.notes == ()
    assert run.evaluations.loc[10, "eval_runtime"] == 2.0


def test_a_repeated_step_with_other_values_is_noted(tmp_path: Path) -> None:
    run = load_run(write_run(tmp_path / "run", [*ROWS, {"step": 10, "eval_loss": 2.0}]))
    assert run.evaluations.loc[10, "eval_loss"] == 2.0
    assert "step 10 is there twice, with eval_loss 2.5 and then 2;" in run.notes[0]


@pytest.mark.parametrize("value", ["NaN", "Infinity"])
def test_a_loss_that_is_no_number_is_noted(tmp_path: Path, value: str) -> None:
    line = f'{{"step": 20, "loss": {value}}}\n'.encode()
    run = load_run(append(write_run(tmp_path / "run", ROWS), line))
    assert run.notes[0].endswith(f":6: loss is {float(value)} at step 20 and is left out")
    assert run.training["loss"].isna().tolist() == [False, True]


def test_no_such_directory(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"does not exist: expected a directory with run\.json"):
        load_run(tmp_path / "nowhere")


def test_a_file_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is a file: expected a directory"):
        load_run(tmp_path / "file")


def test_a_directory_with_something_else(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"not a run directory.*metrics\.jsonl.*found nothing"):
        load_run(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(UserError, match=r"found run\.json$"):
        load_run(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"seed": 0,\n', "run.json:2: expected JSON"),
        ("[]", "expected a JSON object, got []"),
        ('{"seed": 0}', "lacks recipe, status"),
        (json.dumps({**INFO, "status": "done"}), "status is 'done', expected one of running"),
        (json.dumps({**INFO, "seed": "0"}), "expected seed to be an integer, got '0'"),
        (json.dumps({**INFO, "model": "gpt2"}), "expected model to be an object, got 'gpt2'"),
    ],
)
def test_a_bad_run_file(tmp_path: Path, text: str, expected: str) -> None:
    folder = write_run(tmp_path / "run", ROWS)
    (folder / "run.json").write_text(text)
    with pytest.raises(UserError) as caught:
        load_run(folder)
    assert expected in str(caught.value)


def test_a_stock_model_need_not_say_its_depth(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", ROWS, model={"name": "gpt2", "layers": None})
    assert load_run(folder).layers is None


def test_a_run_says_itself_in_a_line(tmp_path: Path) -> None:
    many = [{"step": step, **{f"eval_{name}": 0.5 for name in range(40)}} for step in range(300)]
    run = load_run(write_run(tmp_path / "run", many))
    told = repr(run)
    assert len(told) < 400
    assert "300 evaluations to step 299 of 40 metrics" in told
    assert told.startswith("Run('")
    assert f"seed {run.seed}" in told
