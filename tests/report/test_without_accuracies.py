"""A masked run has no accuracies: its page tells loss, structure and minimal pairs."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from hf_grok.dynamics import load_run
from hf_grok.errors import UserError
from hf_grok.report import write_report
from hf_grok.report.figures.accuracy import draw_accuracies
from hf_grok.report.figures.depth import depth_series
from hf_grok.report.figures.early_stopping import draw_early_stopping
from hf_grok.report.figures.trajectory import caption_trajectory, trajectory_parts
from hf_grok.report.groups import Group, group_runs
from hf_grok.report.text.group_prose import describe_group
from hf_grok.report.text.structure_rows import paradigm_rows
from hf_grok.report.text.tables import summary_rows
from tests.dynamics.tables import write_run

STEPS = (0, 100, 200, 300, 400, 500)


def masked_rows(*, pairs: bool = True, seed: int = 0) -> list[dict]:
    rows = []
    for number, step in enumerate(STEPS):
        rows.append({"step": step, "eval_loss": 6.5 - 0.5 * number - 0.01 * seed})
        probed = {
            "step": step,
            "eval_uas_single_head": 0.1 + 0.05 * number,
            "eval_uas_single_offset": 0.28,
            "eval_sparsity_normalised": -0.9 + 0.05 * number,
            "eval_norm_l2": 36.0 + number,
        }
        if pairs:
            probed |= {
                "eval_pairs_accuracy": 0.4 + 0.05 * number,
                "eval_pairs_ties": 0.0,
                "eval_pairs_phenomenon_agreement": 0.5,
                "eval_pairs_subject_verb_bare": 0.5 + 0.1 * number,
                "eval_pairs_npi_scope": 0.6 - 0.1 * number,
            }
        rows.append(probed)
    return rows


def masked_run(folder: Path, seed: int = 0, layers: int = 3, **more: bool) -> Path:
    info = {
        "recipe": "sas-mlm",
        "scale": "quick",
        "seed": seed,
        "status": "finished",
        "model": {"name": "bert", "layers": layers},
    }
    return write_run(folder / f"l{layers}-seed{seed}", masked_rows(seed=seed, **more), **info)


def group_of(*runs: Path) -> Group:
    (group,) = group_runs(load_run(run) for run in runs)
    return group


def test_the_page_is_written_without_accuracy_figures(tmp_path: Path) -> None:
    files = write_report([masked_run(tmp_path)], tmp_path / "out")
    names = {file.stem for file in files if file.suffix == ".svg"}
    assert names == {"loss", "trajectory", "structure"}
    page = files[0].read_text()
    for text in ("Validation loss went from 6.50 to 4.00 nats", "pairs: subject verb bare", "UAS"):
        assert text in page
    assert "eneralization accuracy" not in page


def test_seeds_share_a_page_and_the_table_leaves_accuracies_empty(tmp_path: Path) -> None:
    runs = [masked_run(tmp_path, seed) for seed in (0, 1)]
    files = write_report(runs, tmp_path / "out")
    assert "Validation loss went from 6.49-6.50 to 3.99-4.00 nats" in files[0].read_text()
    with files[1].open() as file:
        records = list(csv.DictReader(file))
    assert [record["seed"] for record in records] == ["0", "1"]
    assert all(record["last_step"] == "500" and record["maximum"] == "" for record in records)


def test_rows_tell_last_and_best(tmp_path: Path) -> None:
    group = group_of(masked_run(tmp_path))
    (loss,) = summary_rows(group)
    assert (loss.cells[0].text, loss.cells[0].remark) == ("4.00", "lowest 4.00 at 500")
    rows = {row.name: row.cells[0] for row in paradigm_rows(group)}
    assert list(rows) == ["pairs: subject verb bare", "pairs: npi scope"]
    assert rows["pairs: npi scope"].text == ".10"
    assert rows["pairs: npi scope"].remark == "best .60 at 0; chance .50"


def test_figures_of_accuracies_are_left_out(tmp_path: Path) -> None:
    shallow, deep = (group_of(masked_run(tmp_path, layers=layers)) for layers in (2, 3))
    assert draw_accuracies(deep) is None
    assert draw_early_stopping(deep) is None
    assert depth_series([shallow, deep]) == []
    assert "minimal pairs" in caption_trajectory(deep)
    assert trajectory_parts(group_of(masked_run(tmp_path, seed=4, pairs=False))) == []
    assert "no accuracies" in describe_group(deep)


def test_one_accuracy_alone_is_still_a_mistake(tmp_path: Path) -> None:
    rows = [{**row, "eval_generalization_accuracy": 0.5} for row in masked_rows()]
    run = write_run(tmp_path / "half", rows)
    with pytest.raises(UserError, match="eval_in_distribution_accuracy"):
        group_runs([load_run(run)])
