"""Runs by hand become runs of a sweep, if they are the same runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from filelock import FileLock

from hf_grok.cli import main
from hf_grok.errors import UserError
from hf_grok.runs.manifest import write_manifest
from hf_grok.sweep.adopted import adoptions, different, settings_of
from hf_grok.sweep.job import FINISHED, Job
from hf_grok.sweep.jobs import make_jobs
from hf_grok.sweep.plan import read_plan
from tests.recipes.tiny import RECIPE, train_tiny

ARMS = {"base": {}, "fast": {"learning_rate": 2e-3}, "late": {"from": "fast", "step": 10}}


def file_of(folder: Path) -> str:
    (folder / "tiny.yaml").write_text(RECIPE)
    content = {
        "recipe": "tiny.yaml",
        "common": {"probes": "none", "max_steps": 20, "evaluations": "20"},
        "seeds": [3, 4],
        "arms": ARMS,
    }
    (folder / "mine.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return str(folder / "mine.yaml")


def jobs_of(folder: Path) -> dict[str, Job]:
    jobs = make_jobs(read_plan(file_of(folder)), folder / "out")
    return {job.key: job for job in jobs}


def by_hand(folder: Path, job: Job, **changes: object) -> Path:
    """A run's folder as another scheduler would have left it, by what its run.json says."""
    folder.mkdir()
    settings = settings_of(job)
    top = {name: settings.pop(name) for name in ("recipe", "scale")}
    arguments = {**settings, "output_dir": str(folder), "threads": 2}
    about = {**top, "arguments": arguments, "status": "finished", **changes}
    (folder / "run.json").write_text(json.dumps(about))
    return folder


def checkpoint(folder: Path, weights: bytes) -> str:
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(weights)
    write_manifest(folder)
    return json.loads((folder / "manifest.json").read_text())["files"]["model.safetensors"][
        "sha256"
    ]


def test_a_run_by_hand_is_adopted_by_its_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--probes=none", "--max_steps=20", "--evaluations=20", "--learning_rate=0.002")
    run = train_tiny(tmp_path / "hand", *words, "--seed=4")
    jobs, file = jobs_of(tmp_path), file_of(tmp_path)
    command = ["sweep", file, "--out", str(tmp_path / "out"), "--adopt", str(run), "--dry-run"]
    assert main(command) == 0
    assert f"{run} is fast-seed4" in capsys.readouterr().out
    assert run.is_dir()
    found = adoptions([run], list(jobs.values()))
    found[0].adopt()
    assert [one.job.key for one in found] == ["fast-seed4"]
    assert jobs["fast-seed4"].state() == FINISHED
    assert not run.exists()
    assert adoptions([jobs["fast-seed4"].folder], list(jobs.values())) == []  # in its place


def test_other_settings_are_refused_with_the_nearest_run(tmp_path: Path) -> None:
    jobs = jobs_of(tmp_path)
    run = by_hand(tmp_path / "x", jobs["base-seed3"])
    about = json.loads((run / "run.json").read_text())
    about["arguments"]["warmup_steps"] = 3
    (run / "run.json").write_text(json.dumps(about))
    told = r"Nearest is base-seed3, but warmup_steps is 3 there and 5\.0 here"
    with pytest.raises(UserError, match=told):
        adoptions([run], list(jobs.values()))
    with pytest.raises(UserError, match="scale is 'quick' there and 'file' here"):
        adoptions([by_hand(tmp_path / "y", jobs["base-seed3"], scale="quick")], [*jobs.values()])
    assert different({"a": 1}, {"a": 1, "b": None}) == []


def test_what_is_no_run_or_at_work_or_there_twice_is_refused(tmp_path: Path) -> None:
    jobs = jobs_of(tmp_path)
    every = list(jobs.values())
    with pytest.raises(UserError, match=r"has no run\.json"):
        adoptions([tmp_path], every)
    run = by_hand(tmp_path / "x", jobs["base-seed3"])
    again = shutil.copytree(run, tmp_path / "again")
    with FileLock(run / ".run.lock"), pytest.raises(UserError, match="is being trained"):
        adoptions([run], every)
    with pytest.raises(UserError, match="again is base-seed3, of which there is a run already"):
        adoptions([run, again], every)
    adoptions([run], every)[0].adopt()
    with pytest.raises(UserError, match="again is base-seed3, of which there is a run already"):
        adoptions([again], every)


def test_a_branch_is_adopted_with_the_run_that_it_left(tmp_path: Path) -> None:
    jobs = jobs_of(tmp_path)
    every = list(jobs.values())
    parent = by_hand(tmp_path / "p", jobs["fast-seed3"])
    weights = checkpoint(parent / "checkpoint-10", b"these")
    left = {"checkpoint": str(parent / "checkpoint-10"), "step": 10, "reset_optimizer": False}
    left["weights_sha256"] = {"model.safetensors": weights}
    branch = by_hand(tmp_path / "b", jobs["late-seed3"], parent=left)
    with pytest.raises(UserError, match="adopt the run that it left too"):
        adoptions([branch], every)
    assert [one.job.key for one in adoptions([branch, parent], every)] == [
        *("late-seed3", "fast-seed3")
    ]
    going = by_hand(tmp_path / "g", jobs["late-seed3"], parent=left, status="running")
    with pytest.raises(UserError, match="finish it with hf-grok train --resume"):
        adoptions([parent, going], every)
    other = {**left, "step": 5}
    with pytest.raises(UserError, match="branches at is 5 there and 10 here"):
        adoptions([parent, by_hand(tmp_path / "o", jobs["late-seed3"], parent=other)], every)
