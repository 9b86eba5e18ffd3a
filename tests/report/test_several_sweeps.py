"""Sweeps read as one, from folders and from the tables that they leave."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas
import pytest

from hf_grok.cli import main
from hf_grok.commands.report import main as report_main
from hf_grok.errors import UserError
from hf_grok.report.sweep.figure import panel_quantities
from hf_grok.report.sweep.panels import value_limits
from hf_grok.report.sweep.several import read_sweeps
from hf_grok.runs.results import add_to_results
from tests.report.synthetic_arms import ARMS, write_sweep

NAMES = ("base", "suppress-0.3")
PAIRS = ["--metric", "eval_pairs_accuracy", "--level", "0.7"]


def folder_of(out: Path, seeds: tuple[int, ...], names: tuple[str, ...] = NAMES) -> Path:
    sweep = write_sweep(out, {name: ARMS[name] for name in names}, seeds)
    for name in names:
        for seed in seeds:
            add_to_results(sweep, sweep / f"{name}-seed{seed}", name, {})
    return sweep


def compared(places: list[Path], capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["compare", *map(str, places), *PAIRS, *words]) == 0
    return capsys.readouterr().out


def test_two_sweeps_are_one_with_the_seeds_of_both(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Folders, tables, or one of each: the comparison is that of a sweep of all seeds."""
    whole = folder_of(tmp_path / "whole", (0, 1, 2, 3))
    first, second = (
        folder_of(tmp_path / name, seeds) for name, seeds in (("a", (2, 0)), ("b", (1, 3)))
    )
    expected = compared([whole], capsys)
    assert compared([first, second], capsys) == expected
    assert compared([first, second / "results.parquet"], capsys) == expected
    tables = [place / "results.parquet" for place in (second, first)]
    assert compared(tables, capsys) == expected


def test_seeds_of_two_recipes_are_not_one_arm(tmp_path: Path) -> None:
    """Not even where their seeds differ; arms of other names stand beside each other."""
    one, other = folder_of(tmp_path / "a", (0, 1)), folder_of(tmp_path / "b", (2, 3))
    about = json.loads((other / "sweep.json").read_text())
    (other / "sweep.json").write_text(json.dumps({**about, "recipe": "dyck"}))
    with pytest.raises(
        UserError, match=r"the arm base is of sas-mlm .* and of dyck in .*one recipe"
    ):
        read_sweeps([one, other])
    apart = folder_of(tmp_path / "c", (2, 3), ("promote-0.1",))
    about = json.loads((apart / "sweep.json").read_text())
    (apart / "sweep.json").write_text(json.dumps({**about, "recipe": "dyck"}))
    assert [arm.name for arm in read_sweeps([one, apart]).arms] == [*NAMES, "promote-0.1"]


def test_a_table_says_the_arms_of_its_sweep_as_the_folder_does(tmp_path: Path) -> None:
    """Their order, though others finished first; what branches off what; arms without a run."""
    names = ("base", "suppress-0.3", "release-300", "promote-0.1")
    folder = write_sweep(tmp_path / "try", {name: ARMS[name] for name in names}, (0, 1))
    for name in ("release-300", "suppress-0.3", "base"):
        for seed in (1, 0):
            add_to_results(folder, folder / f"{name}-seed{seed}", name, {})
    (folder / "promote-0.1-seed0" / "run.json").unlink()
    (folder / "promote-0.1-seed1" / "run.json").unlink()
    there, read = (read_sweeps([place]) for place in (folder, folder / "results.parquet"))
    assert read.recipe == there.recipe
    assert [(arm.name, arm.parent, arm.step) for arm in read.arms] == [
        (arm.name, arm.parent, arm.step) for arm in there.arms
    ]
    assert [len(arm.runs) for arm in read.arms] == [2, 2, 2, 0]
    for one, other in zip(read.runs, there.runs, strict=True):
        pandas.testing.assert_frame_equal(
            one.evaluations, other.evaluations, check_like=True, check_names=False
        )
        assert one.training.empty
        assert other.training.empty


def test_a_table_of_a_grid_over_layers_knows_the_depth_of_each_run(tmp_path: Path) -> None:
    """So that a page groups them by depth; of a table without such a grid none is known."""
    folder = write_sweep(tmp_path / "try", {name: ARMS[name] for name in NAMES}, (0,))
    table = folder / "results.parquet"
    for name, cell in zip(NAMES, ({"layers": 12}, {"layers": 4}), strict=True):
        add_to_results(folder, folder / f"{name}-seed0", name, cell)
    assert [run.layers for run in read_sweeps([str(table)]).runs] == [12, 4]
    add_to_results(folder, folder / f"{NAMES[0]}-seed0", NAMES[0], {"hidden_size": 64})
    assert [run.layers for run in read_sweeps([table]).runs] == [None, 4]


def test_a_table_has_the_training_log_apart_from_the_evaluations(tmp_path: Path) -> None:
    """R over training steps is what says that the regulariser did what it was there for."""
    folder = folder_of(tmp_path / "try", (0,), NAMES[:1])
    file = folder / "base-seed0" / "metrics.jsonl"
    logged = [{"step": step, "loss": 2.0, "sas_penalty": 1 / step} for step in (7, 100, 3000, 9000)]
    with file.open("a") as lines:
        lines.writelines(f"{json.dumps(row)}\n" for row in logged)
    add_to_results(folder, folder / "base-seed0", "base", {})
    (there,), (read,) = (
        read_sweeps([place], until=3000).runs for place in (folder, folder / "results.parquet")
    )
    assert read.training["sas_penalty"].to_dict() == {7: 1 / 7, 100: 0.01, 3000: 1 / 3000}
    for one, other in ((read.training, there.training), (read.evaluations, there.evaluations)):
        pandas.testing.assert_frame_equal(one, other, check_like=True, check_names=False)


def test_a_report_is_drawn_from_tables_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of two sweeps as one; without a folder of any run."""
    whole = folder_of(tmp_path / "whole", (0, 1, 2))
    tables = []
    for name, seeds in (("a", (0, 2)), ("b", (1,))):
        tables.append(tmp_path / f"{name}.parquet")
        made = folder_of(tmp_path / name, seeds) / "results.parquet"
        made.rename(tables[-1])
        shutil.rmtree(tmp_path / name)
    assert main(["report", *map(str, tables), "--out", str(tmp_path / "out")]) == 0
    assert f"  {tmp_path / 'out' / 'arms.png'}" in capsys.readouterr().out.splitlines()
    assert main(["report", str(whole), "--out", str(tmp_path / "expected")]) == 0
    drawn, expected = ((tmp_path / name / "arms.csv").read_text() for name in ("out", "expected"))
    assert drawn == expected


@pytest.mark.parametrize(("until", "seeds"), [(0, 4), (1000, 3), (3000, 2)])
def test_a_report_is_of_a_part_of_the_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], until: int, seeds: int
) -> None:
    """Of one evaluation too; runs of other lengths are left out by name."""
    sweep = folder_of(tmp_path / "a", (0, 1))
    for name, last in (("base-seed1", 400), ("suppress-0.3-seed0", 1200)):
        file = sweep / name / "metrics.jsonl"
        lines = file.read_text().splitlines(keepends=True)
        file.write_text("".join(line for line in lines if json.loads(line)["step"] <= last))
    words = ["report", str(sweep), "--out", str(tmp_path / "out"), "--until", str(until)]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert ("base-seed1 ends at step 400" in told) == (until > 400)
    assert ("suppress-0.3-seed0 ends at step 1,200" in told) == (until > 1200)
    table = pandas.read_csv(tmp_path / "out" / "arms.csv")
    loss = table[table["number"] == "eval_loss"]
    assert loss["seeds"].sum() == seeds


def test_a_step_that_no_run_can_be_read_to_is_refused(tmp_path: Path) -> None:
    sweep = folder_of(tmp_path / "a", (0,))
    with pytest.raises(UserError, match="until step -5: expected a step from 0 on"):
        read_sweeps([sweep], -5)
    with pytest.raises(UserError, match="no sweep was given"):
        read_sweeps([])
    with pytest.raises(UserError, match=r"--until is for sweeps, and .*base-seed0 is a run"):
        report_main([str(sweep / "base-seed0"), "--until", "5"])


def test_arms_of_other_lengths_keep_in_the_panel(tmp_path: Path) -> None:
    """The fall of the loss is left out of the scale, but the end of a short run is not."""
    sweep = folder_of(tmp_path / "a", (0,))
    file = sweep / "suppress-0.3-seed0" / "metrics.jsonl"
    rows = [{"step": step, "eval_loss": 9.0 - step / 10} for step in (0, 10, 20)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    read = read_sweeps([sweep])
    [loss] = [one for one in panel_quantities(read) if one.column == "eval_loss"]
    limits = value_limits(read, loss)
    assert limits is not None
    assert limits[0] < 3.0
    assert 7.0 < limits[1] < 7.7


def test_a_seed_that_two_sweeps_have_is_refused(tmp_path: Path) -> None:
    first, second = (folder_of(tmp_path / name, (0, 1)) for name in "ab")
    with pytest.raises(UserError, match="are both of base at seed 0: expected each seed of an arm"):
        read_sweeps([first, second / "results.parquet"])


def test_runs_are_read_to_a_step_and_shorter_ones_named(tmp_path: Path) -> None:
    sweep = folder_of(tmp_path / "a", (0, 1))
    short = sweep / "base-seed1" / "metrics.jsonl"
    lines = short.read_text().splitlines(keepends=True)
    short.write_text("".join(lines[: len(lines) // 3]))
    told: list[str] = []
    base, suppressed = read_sweeps([sweep], 2000, told.append).arms
    assert [run.seed for run in base.runs] == [0]
    assert [run.seed for run in suppressed.runs] == [0, 1]
    assert all(run.evaluations.index[-1] == 2000 for run in (*base.runs, *suppressed.runs))
    (line,) = told
    assert line.startswith(f"left out: {sweep / 'base-seed1'} ends at step")
    with pytest.raises(UserError, match="no run was evaluated to step 99,000"):
        read_sweeps([sweep], 99_000, told.append)


def test_a_seed_alone_is_compared_as_far_as_it_goes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = compared([folder_of(tmp_path / "a", (0,))], capsys)
    assert "suppress-0.3: 0 of 1 seeds arrived against 1 of 1 (p 1.000); too few seeds" in text


def test_what_is_neither_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected a folder that hf-grok sweep wrote"):
        read_sweeps([tmp_path])
    with pytest.raises(UserError, match=r"there is no .*nothing\.parquet"):
        read_sweeps([tmp_path / "nothing.parquet"])
