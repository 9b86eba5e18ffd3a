"""Curves of other people's runs: a Trainer's log, TensorBoard's and W&B's exports."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pandas
import pytest

from hf_grok.dynamics import read_curves
from hf_grok.dynamics.curve_layouts import layout_of
from hf_grok.errors import UserError
from tests.dynamics.test_curve_files import plain, written

# As a Trainer logs: training and evaluation of a step in rows of their own, epochs in both, the
# summary at the end.
HISTORY: list[dict[str, Any]] = [
    {"eval_loss": 3.0, "eval_runtime": 0.1, "epoch": 0.0, "step": 0},
    {"loss": 2.5, "learning_rate": 1e-3, "epoch": 0.5, "step": 10},
    {"eval_loss": 2.0, "eval_runtime": 0.2, "epoch": 0.5, "step": 10},
    {"loss": 1.5, "grad_norm": float("nan"), "learning_rate": 0.0, "epoch": 1.0, "step": 20},
    {"eval_loss": 1.0, "eval_runtime": 0.1, "epoch": 1.0, "step": 20},
    {"train_runtime": 9.0, "train_loss": 2.0, "total_flos": 1e9, "epoch": 1.0, "step": 20},
]
CURVES = {
    ("eval_loss", "log"): [(0.0, 3.0), (10.0, 2.0), (20.0, 1.0)],
    ("loss", "log"): [(10.0, 2.5), (20.0, 1.5)],
    ("learning_rate", "log"): [(10.0, 1e-3), (20.0, 0.0)],
    ("train_loss", "log"): [(20.0, 2.0)],
}


@pytest.mark.parametrize("index", [True, False])
def test_a_log_history_that_pandas_wrote(index: bool, tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    pandas.DataFrame(HISTORY).drop(columns="grad_norm").to_csv(file, index=index)
    assert plain(read_curves(file)) == CURVES


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_log_history_as_json(mark: str, tmp_path: Path) -> None:
    """NaN, which a Trainer logs as such, is no measurement."""
    rows = json.dumps(HISTORY)
    lines = "\n".join(map(json.dumps, HISTORY))
    state = json.dumps({"global_step": 20, "log_history": HISTORY})
    for name, text in (("log.json", rows), ("log.jsonl", lines), ("log.json", state)):
        assert plain(read_curves(written(tmp_path, mark + text, name))) == CURVES


def test_a_step_that_stands_twice_with_one_value_is_one_evaluation(tmp_path: Path) -> None:
    text = "step,eval_loss\n0,3\n10,2\n10,2.0\n"
    points = [(0.0, 3.0), (10.0, 2.0)]
    assert plain(read_curves(written(tmp_path, text))) == {("eval_loss", "curves"): points}
    with pytest.raises(UserError) as caught:
        read_curves(written(tmp_path, text.replace("2.0", "2.0001")))
    assert "curves.csv:4: step 10 of eval_loss (curves) is there already, at 3" in str(caught.value)
    assert "as 2 and not 2.0001" in str(caught.value)


def test_tensorboards_export(tmp_path: Path) -> None:
    text = "Wall time,Step,Value\n1712345678.9,0,0.5\n1712345680.1,10,0.75\n"
    points = [(0.0, 0.5), (10.0, 0.75)]
    assert plain(read_curves(written(tmp_path, text))) == {("value", "curves"): points}
    file = written(tmp_path, text, "run-seed_3-tag-eval_uas.csv")
    assert plain(read_curves(file)) == {("eval_uas", "seed_3"): points}
    triples = [[1712345678.9, 0, 0.5], [1712345680.1, 10, 0.75]]
    file = written(tmp_path, json.dumps(triples), "run-seed_3-tag-eval_uas.json")
    assert plain(read_curves(file)) == {("eval_uas", "seed_3"): points}


def test_wandbs_export_of_a_panel(tmp_path: Path) -> None:
    """A column a run, each with its bounds; a run's name may hold dashes."""
    columns = ["Step"]
    for run in ("brisk-sun-3", "a - b"):
        for ending in ("", "__MIN", "__MAX"):
            columns += [f"{run} - eval/loss{ending}", f"{run} - _step{ending}"]
    rows = [
        [str(step), *cells]
        for step, cells in ((0, ["3", "0"] * 3 + ["", ""] * 3), (9, ["2", "9"] * 6))
    ]
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows([columns, *rows])
    assert plain(read_curves(written(tmp_path, buffer.getvalue()))) == {
        ("eval_loss", "brisk-sun-3"): [(0.0, 3.0), (9.0, 2.0)],
        ("eval_loss", "a - b"): [(9.0, 2.0)],
    }


def test_wandbs_history_counts_the_optimisers_steps(tmp_path: Path) -> None:
    """`_step` counts the calls of its log."""
    text = (
        "_step,_runtime,_timestamp,train/global_step,train/epoch,eval/uas\n"
        "0,1.5,17e8,0,0.0,0.25\n1,2.5,17e8,500,0.5,\n2,3.5,17e8,500,0.5,0.75\n"
    )
    points = [(0.0, 0.25), (500.0, 0.75)]
    assert plain(read_curves(written(tmp_path, text))) == {("eval_uas", "curves"): points}


def test_bounds_without_their_mean_are_curves() -> None:
    layout = layout_of(["step", "x__MIN"])
    assert layout is not None
    assert set(layout.curves) == {"x__MIN"}


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        ("a," * 3_000 + "b\n1\n", "w.csv", ":1: the header is 'a,a"),
        (
            "step," + ",".join(f"m{i}" for i in range(900)) + "\n1\n",
            "w.csv",
            "1 cells, expected 901",
        ),
        ("{}", "w.json", ": expected a trainer_state.json with its log_history"),
        ("[]", "w.json", ": expected a trainer_state.json with its log_history"),
        ('[{"loss": 1}]', "w.json", ":row 1: expected an object with a step"),
        ("[[1, 2]]", "w.json", ":row 1: expected [wall time, step, value], got [1, 2]"),
        ('{"step": 1}\n{"loss": 1}\n', "w.jsonl", ":2: expected an object with a step"),
        ("step,loss\n0,1e200\n", "w.csv", ":2: loss is '1e200': expected a number up to 1e+100"),
        ("[" * 9_999, "w.json", ": nested more than 60 deep"),
    ],
)
def test_a_refusal_is_short_and_says_where(text: str, name: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        read_curves(written(tmp_path, text, name))
    assert told in str(caught.value)
    assert len(str(caught.value)) <= 500


def test_names_are_printable(tmp_path: Path) -> None:
    text = 'metric,model,step,value\n"a\x1b[2J\nb",\u202emodel,0,1\n'
    assert list(plain(read_curves(written(tmp_path, text)))) == [
        ("a\\x1b[2J\\nb", "\\u202emodel"),
    ]
