"""Curves from CSV files and from runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from hf_grok.dynamics import MetricCurve, load_run, read_curves
from hf_grok.dynamics.curve_files import run_curves
from hf_grok.errors import UserError
from tests.dynamics.tables import table, write_run


def written(folder: Path, text: str, name: str = "curves.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_sweeps_table_is_sent_to_what_reads_its_arms(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"results\.parquet: .*hf-grok onsets .*an arm"):
        read_curves(tmp_path / "results.parquet")


def plain(curves: list[MetricCurve]) -> dict[tuple[str, str], list[tuple[float, float]]]:
    return {
        (curve.metric, curve.model): list(
            zip(curve.steps.tolist(), curve.values.tolist(), strict=True)
        )
        for curve in curves
    }


def test_step_and_value(tmp_path: Path) -> None:
    path = written(tmp_path, "step,value\n0,0.5\n20,2e-1\n10,1\n")
    points = [(0.0, 0.5), (10.0, 1.0), (20.0, 0.2)]
    assert plain(read_curves(path)) == {("value", "curves"): points}
    assert plain(read_curves(path, "seed 3")) == {("value", "seed 3"): points}


def test_the_long_form(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "metric,model,step,value\n"
        'loss,a,0,3\nloss,b,0,4\n"uas, best",a,0,.1\n\nloss,a,10,2\nloss,b,10,1\n',
    )
    assert plain(read_curves(path)) == {
        ("loss", "a"): [(0.0, 3.0), (10.0, 2.0)],
        ("loss", "b"): [(0.0, 4.0), (10.0, 1.0)],
        ("uas, best", "a"): [(0.0, 0.1)],
    }


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("value,step,metric\n1,0,loss\n", [("loss", "curves")]),
        ("model,step,value\ns1,0,1\ns2,0,1\n", [("value", "s1"), ("value", "s2")]),
        (" step , value \n 0 , 1 \n", [("value", "curves")]),
        ("\ufeffstep,value\r\n0,1\r\n", [("value", "curves")]),
    ],
)
def test_metric_or_model_may_be_left_out(
    tmp_path: Path, text: str, keys: list[tuple[str, str]]
) -> None:
    assert list(plain(read_curves(written(tmp_path, text)))) == keys


def test_the_wide_form_as_pandas_writes_it(tmp_path: Path) -> None:
    frame = table([0, 10, 20], loss=[3.0, 2.0, 1.0], seen=[float("nan"), 0.5, float("nan")])
    path = tmp_path / "wide.csv"
    frame.to_csv(path)
    assert plain(read_curves(path)) == {
        ("eval_loss", "wide"): [(0.0, 3.0), (10.0, 2.0), (20.0, 1.0)],
        ("eval_in_distribution_accuracy", "wide"): [(10.0, 0.5)],
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ":1: the header is '': expected `step,value`"),
        ("step\n0\n", ":1: the header is 'step': expected"),
        ("steps,value\n0,1\n", ":1: the header is 'steps,value': expected"),
        ("0,1\n10,2\n", ":1: the header is '0,1': expected"),
        ("step,value,seed\n0,1,2\n", ":1: the header is 'step,value,seed': expected"),
        ("metric,step,loss\na,0,1\n", ":1: the header is 'metric,step,loss': expected"),
        ("step;value\n0;1\n", ":1: the header is 'step;value': expected"),
        ("step,loss,loss\n0,1,2\n", ":1: the header is 'step,loss,loss': expected"),
        ("step,loss,\n0,1,2\n", ":1: the header is 'step,loss,': expected"),
        ("step,value\n", ": no row of a curve in it"),
        ("step,value\n0,1\n10\n", ":3: 1 cells, expected 2: step, value"),
        ("step,value\n0,1\n\n10,1,2\n", ":4: 3 cells, expected 2: step, value"),
        ("step,value\n0,1\nten,2\n", ":3: step is 'ten': expected a number"),
        ("step,value\n0,1\n10,\n", ":3: value is '': expected a number"),
        ("step,value\n0,1\n10,nan\n", ":3: value is 'nan': expected a finite number"),
        ("step,loss\n0,1\n10,inf\n", ":3: loss is 'inf': expected a finite number"),
        (
            "step,value\n0,1\n10,1\n0,2\n",
            ":4: step 0 of value (curves) is there already, at 2",
        ),
        ('step,value\n0,"1\n', ":2: unexpected end of data"),
    ],
)
def test_a_bad_file_is_named_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UserError) as caught:
        read_curves(path)
    assert str(caught.value).startswith(f"{path}{told}")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.csv cannot be read as CSV in UTF-8"):
        read_curves(tmp_path / "nowhere.csv")
    (tmp_path / "latin.csv").write_bytes(b"step,value\n0,\xe9\n")
    with pytest.raises(UserError, match=r"latin\.csv cannot be read as CSV in UTF-8"):
        read_curves(tmp_path / "latin.csv")


def test_the_columns_of_a_run(tmp_path: Path) -> None:
    rows = [
        {"step": 0, "eval_loss": 3.0, "eval_runtime": 1.0},
        {"step": 10, "eval_loss": 2.0, "eval_uas": 0.5},
        {"step": 20, "eval_loss": float("nan"), "eval_uas": 0.25},
    ]
    run = load_run(write_run(tmp_path / "run", rows))
    assert plain(run_curves(run, "seed 0")) == {
        ("eval_loss", "seed 0"): [(0.0, 3.0), (10.0, 2.0)],
        ("eval_uas", "seed 0"): [(10.0, 0.5), (20.0, 0.25)],
    }


def test_a_run_along_another_axis(tmp_path: Path) -> None:
    """Steps of learning rate 0 move nothing: the last evaluation at a place stands for it."""
    name = "eval_distance_from_start"
    rows = [
        {"step": step, "eval_loss": 3.0 - step, name: distance}
        for step, distance in ((0, 0.0), (1, 0.0), (2, 0.5), (3, 0.75))
    ]
    run = load_run(write_run(tmp_path / "run", rows))
    curves = plain(run_curves(run, "seed 0", "distance_from_start"))
    assert curves["eval_loss", "seed 0"] == [(0.0, 2.0), (0.5, 1.0), (0.75, 0.0)]


def test_an_axis_that_goes_back_is_refused(tmp_path: Path) -> None:
    rows = [
        {"step": step, "eval_distance_from_start": distance}
        for step, distance in ((0, 0.0), (1, 2.0), (2, 1.5))
    ]
    run = load_run(write_run(tmp_path / "run", rows))
    with pytest.raises(UserError, match=r"distance_from_start goes back from 2 to 1\.5: an onset"):
        run_curves(run, "seed 0", "distance_from_start")
