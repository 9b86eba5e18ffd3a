"""Curves of many runs as one long table, and the file that a sweep keeps of it."""

from __future__ import annotations

from pathlib import Path

import pandas
import pyarrow.parquet
import pytest

from hf_grok.errors import UserError
from hf_grok.runs.read import load_run
from hf_grok.runs.results import add_to_results, load_results, load_runs
from hf_grok.runs.sweep_files import RESULTS_TABLE
from tests.dynamics.tables import write_run
from tests.report.synthetic_arms import ARMS, write_sweep

ROWS = [
    {"step": 0, "eval_loss": 3.0, "eval_tokens_seen": 0},
    {"step": 10, "eval_loss": 2.0, "eval_tokens_seen": 320, "eval_pairs_accuracy": 0.5},
    {"step": 10, "loss": 2.5},
]


def test_every_number_of_every_run_is_a_row(tmp_path: Path) -> None:
    arms = {"base": ARMS["base"], "late": ARMS["release-300"]}
    sweep = write_sweep(tmp_path / "try", arms, (0, 1))
    table = load_runs([sweep, write_run(tmp_path / "alone", ROWS, seed=7)])
    expected = {
        (name, step, metric): value
        for name in ("base-seed0", "base-seed1", "late-seed0", "late-seed1")
        for curves in (load_run(sweep / name).evaluations, load_run(sweep / name).training)
        for step, row in curves.iterrows()
        for metric, value in row.dropna().items()
    }
    of_sweep = table[table["sweep"] == "try"]
    found = of_sweep.set_index(["run", "step", "metric"])["value"].to_dict()
    assert found == expected
    assert set(of_sweep["arm"]) == {"base", "late"}
    alone = table[table["run"] == "alone"]
    assert list(alone["seed"].unique()) == [7]
    assert alone[alone["metric"] == "eval_pairs_accuracy"]["tokens"].item() == 320
    assert alone[alone["metric"] == "loss"][["step", "value"]].to_numpy().tolist() == [[10, 2.5]]


def test_a_sweeps_file_is_what_its_runs_say(tmp_path: Path) -> None:
    sweep = write_sweep(tmp_path / "try", {"base": ARMS["base"]}, (0, 1))
    for name in ("base-seed1", "base-seed0", "base-seed1"):  # a run that is added again, once
        add_to_results(sweep, sweep / name, "base", {"layers": 4})
    found = load_results(sweep)
    assert found["layers"].unique().tolist() == [4]
    columns = ["run", "step", "metric"]
    without = found.drop(columns="layers").sort_values(columns).reset_index(drop=True)
    there = load_runs(sweep).sort_values(columns).reset_index(drop=True)
    pandas.testing.assert_frame_equal(without, there)


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path / "alone", ROWS)
    with pytest.raises(UserError, match="it is a run: load_runs reads it"):
        load_results(run)
    path = tmp_path / RESULTS_TABLE
    path.write_bytes(b"no table")
    with pytest.raises(UserError, match="no Parquet file"):
        load_results(tmp_path)
    other = pyarrow.table({"run": ["a"]}).replace_schema_metadata({"hf_grok.results": "2"})
    pyarrow.parquet.write_table(other, path)
    with pytest.raises(UserError, match="results of format 2: expected 1"):
        load_results(tmp_path)
    with pytest.raises(UserError, match="two runs are called alone"):
        load_runs([run, run])


def test_no_runs_are_an_empty_table() -> None:
    assert load_runs([]).columns.tolist()[:4] == ["sweep", "run", "arm", "seed"]
