from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from hf_grok.errors import UserError
from hf_grok.report.style.drawing import theme
from hf_grok.report.sweep.figure import caption_arms, draw_arms, panel_quantities
from hf_grok.report.sweep.grid import arm_rows
from hf_grok.report.sweep.runs import Sweep, read_sweep
from hf_grok.report.sweep.write import write_arms
from hf_grok.runs.sweep_files import is_sweep
from tests.dynamics.tables import write_run
from tests.report.synthetic import question_rows
from tests.report.synthetic_arms import ARMS, write_sweep


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sweep(tmp_path_factory.mktemp("arms") / "try")


@pytest.fixture(scope="module")
def sweep(folder: Path) -> Sweep:
    return read_sweep(folder)


def records_in(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


def last_loss(run: Path) -> float:
    return json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])["eval_loss"]


@pytest.mark.slow
def test_everything_is_written_and_twice_the_same(folder: Path, tmp_path: Path) -> None:
    files = write_arms(folder, tmp_path / "one")
    assert [file.name for file in files] == [
        "arms.md",
        "arms.csv",
        *(f"{name}.{kind}" for name in ("arms", "arrivals", "seeds") for kind in ("svg", "png")),
    ]
    again = write_arms(folder, tmp_path / "two")
    for one, other in zip(files, again, strict=True):
        assert one.read_bytes() == other.read_bytes()
    rows = records_in(files[1])
    assert {row["arm"] for row in rows} == set(ARMS)


def test_the_file_for_programs_says_what_the_runs_say(folder: Path, tmp_path: Path) -> None:
    rows = records_in(write_arms(folder, tmp_path)[1])
    asked = ("suppress-0.1", "eval_loss")
    [row] = [row for row in rows if (row["arm"], row["number"]) == asked]
    values = [last_loss(folder / f"suppress-0.1-seed{seed}") for seed in (0, 1, 2)]
    told = [float(row[key]) for key in ("mean", "sd", "least", "greatest")]
    expected = [np.mean(values), np.std(values, ddof=1), min(values), max(values)]
    np.testing.assert_allclose(told, expected, rtol=1e-12)
    assert (row["seeds"], row["runs"]) == ("3", "3")


def test_arms_are_in_the_order_of_the_sweep_and_kinds_beside_each_other(sweep: Sweep) -> None:
    assert [arm.name for arm in sweep.arms] == list(ARMS)
    assert sweep.reference.name == "base"
    kinds = [[arm.kind for arm in row] for row in arm_rows(sweep)]
    assert kinds == [["suppress"] * 2, ["promote"] * 2, ["release"] * 2, ["sham", "contrast"]]


def test_more_than_four_of_a_kind_take_two_rows(tmp_path: Path) -> None:
    arms = {"base": ARMS["base"], **{f"release-{n}": ARMS["release-300"] for n in range(5)}}
    sweep = read_sweep(write_sweep(tmp_path / "try", arms, (0,)))
    assert [len(row) for row in arm_rows(sweep)] == [4, 1]


def test_a_branch_is_drawn_from_where_it_leaves_and_its_parent_beside_it(sweep: Sweep) -> None:
    with theme("arms"):
        figure = draw_arms(sweep)
    release = figure.axes[2 * 3]  # third row, first column
    starts = sorted(line.get_xdata()[0] for line in release.lines if len(line.get_xdata()) > 2)
    assert starts == [0, 0, 300, 600]  # the reference and suppress-0.3, then both branches
    names = [text.get_text() for text in figure.legends[2].get_texts()]
    assert names == ["release-300", "release-600", "base", "suppress-0.3"]
    assert "branches off" in caption_arms(sweep)


def test_onsets_are_marked_where_half_of_the_seeds_have_one(sweep: Sweep) -> None:
    with theme("arms"):
        figure = draw_arms(sweep)
    suppressed = figure.axes[1]  # suppress-0.3 never gets there
    marks = [line for line in suppressed.lines if line.get_label() == "_onset"]
    assert len(marks) == 2
    assert 500 <= marks[0].get_xdata()[0] <= 700
    bars = [line.get_xdata() for line in suppressed.lines if line.get_label() == "_range"]
    assert all(
        low <= mark.get_xdata()[0] <= high for (low, high), mark in zip(bars, marks, strict=True)
    )


def test_a_sweep_without_pairs_shows_what_there_is(tmp_path: Path) -> None:
    out = tmp_path / "questions"
    for seed in (0, 1):
        write_run(out / f"base-seed{seed}", question_rows(seed=seed), seed=seed)
    content = {"name": "q", "recipe": "question-formation", "seeds": [0, 1]}
    arms = {"base": {"settings": {}, "from": None, "step": 0}}
    (out / "sweep.json").write_text(json.dumps({**content, "arms": arms}))
    sweep = read_sweep(out)
    titles = [one.title for one in panel_quantities(sweep)]
    assert titles == ["loss, validation", "accuracy, generalization"]
    text = write_arms(out, tmp_path / "report")[0].read_text()
    assert "accuracy, generalization, last quarter" in text
    assert "paradigm" not in text


def test_runs_that_are_not_finished_are_left_out_and_named(tmp_path: Path) -> None:
    out = write_sweep(tmp_path / "try", {"base": ARMS["base"], "other": ARMS["base"]}, (0, 1))
    failed = out / "base-seed1" / "run.json"
    info = json.loads(failed.read_text())
    failed.write_text(json.dumps({**info, "status": "failed", "reason": "the loss is nan"}))
    (out / "other-seed0" / "run.json").unlink()
    sweep = read_sweep(out)
    assert [len(arm.runs) for arm in sweep.arms] == [1, 1]
    text = write_arms(out, tmp_path / "report")[0].read_text()
    assert "- base-seed1: failed: the loss is nan" in text
    assert "- other-seed0: not begun" in text


def test_an_arm_without_a_finished_run_has_a_row_of_dashes(tmp_path: Path) -> None:
    out = write_sweep(tmp_path / "try", {"base": ARMS["base"], "promote-9": ARMS["base"]}, (0,))
    (out / "promote-9-seed0" / "run.json").unlink()
    text = write_arms(out, tmp_path / "report")[0].read_text()
    assert "| promote-9 | 0 | — | — |" in text


def test_what_is_no_sweep_is_refused(tmp_path: Path) -> None:
    assert not is_sweep(tmp_path)
    with pytest.raises(UserError, match=r"has no sweep\.json"):
        write_arms(tmp_path, tmp_path / "report")
    out = write_sweep(tmp_path / "try", {"base": ARMS["base"]}, (0,))
    (out / "base-seed0" / "run.json").unlink()
    with pytest.raises(UserError, match="none of the runs"):
        read_sweep(out)
    (tmp_path / "file").write_text("")
    whole = write_sweep(tmp_path / "whole", {"base": ARMS["base"]}, (0,))
    with pytest.raises(UserError, match=r"cannot write to .*file .*--out"):
        write_arms(whole, tmp_path / "file")
