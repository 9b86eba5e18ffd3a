"""The table of a sweep takes in what became of its runs while no sweep looked."""

from __future__ import annotations

import json
from pathlib import Path

from hf_grok.runs.folder import RESULTS_FILE
from hf_grok.runs.results import load_results
from hf_grok.sweep.arms import Arm
from hf_grok.sweep.results.table import SweepResults
from tests.sweep.engine_jobs import grid
from tests.sweep.stand_in_training import train


def probed(folder: Path, step: int, value: float) -> None:
    row = {"probe": "norm", "metric": "norm_mean", "step": step, "value": value}
    content = {"format": 1, "model": str(folder), "probes": {}, "rows": [row]}
    (folder / RESULTS_FILE).write_text(json.dumps({**content, "failures": [], "pictures": []}))


def test_numbers_probed_after_a_sweep_are_in_its_table_once_it_is_started_again(
    tmp_path: Path,
) -> None:
    jobs = grid(tmp_path, (1.0, 2.0), 1, seconds=0)
    arms = {job.arm: Arm(job.arm, {}) for job in jobs}
    for job in jobs:
        train(list(job.words))
    told: list[str] = []
    SweepResults(tmp_path, arms, told.append).catch_up(jobs)
    before = load_results(tmp_path)
    assert set(before["run"]) == {job.key for job in jobs}
    for number, job in enumerate(jobs):
        probed(job.folder, 2, float(number))
    SweepResults(tmp_path, arms, told.append).catch_up(jobs)
    after = load_results(tmp_path)
    added = after[after["metric"] == "eval_norm_mean"]
    assert added.set_index("run")["value"].to_dict() == {
        job.key: float(number) for number, job in enumerate(jobs)
    }
    assert len(after) == len(before) + len(jobs)
    written = (tmp_path / "results.parquet").stat().st_mtime_ns
    SweepResults(tmp_path, arms, told.append).catch_up(jobs)
    assert (tmp_path / "results.parquet").stat().st_mtime_ns == written  # nothing new, not written
    assert told == []
