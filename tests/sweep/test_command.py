from __future__ import annotations

import json
import os
import shlex
import signal
import time
from dataclasses import replace
from pathlib import Path

import pandas
import pytest
import yaml
from filelock import FileLock

from hf_grok.cli import main
from hf_grok.commands.sweep import main as sweep_main
from hf_grok.commands.sweep import read_overrides
from hf_grok.errors import UserError
from hf_grok.runs.results import load_results, load_runs
from hf_grok.sweep.folder import plan_of_folder, write_description
from hf_grok.sweep.jobs import as_words
from hf_grok.sweep.plan import read_plan
from hf_grok.sweep.status import JobStatus, status_table
from tests.processes import Apart
from tests.recipes.tiny import RECIPE, log_of


def sweep_file(folder: Path, **changes: object) -> str:
    (folder / "tiny.yaml").write_text(RECIPE)
    content = {
        "recipe": "tiny.yaml",
        "common": {"probes": "none", "max_steps": 240, "checkpoints": "every:40"},
        "seeds": [3],
        "arms": {"base": {}, "late": {"from": "base", "step": 30, "logging_steps": 20}},
        **changes,
    }
    (folder / "mine.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return str(folder / "mine.yaml")


def _sorted(table: pandas.DataFrame) -> pandas.DataFrame:
    return table.sort_values(["run", "step", "metric"], ignore_index=True)


@pytest.mark.slow
def test_a_sweep_that_was_stopped_goes_on_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ("--out", str(out), "--workers", "2")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    first = Apart(["-m", "hf_grok.cli", "sweep", sweep_file(tmp_path), *words])
    while not (out / "base-seed3" / "checkpoint-40" / "manifest.json").is_file():
        assert first.poll() is None, first.finished().stderr
        time.sleep(0.05)
    first.send_signal(signal.SIGINT)
    done = first.finished(60)
    assert done.returncode == 130, done.stderr
    assert "stopped base-seed3" in done.stdout + done.stderr
    assert json.loads((out / "base-seed3" / "run.json").read_text())["status"] == "running"

    assert main(["sweep", sweep_file(tmp_path), *words]) == 0
    assert "2 of 2 runs" in capfd.readouterr().err
    assert sorted(load_results(out)["run"].unique()) == ["base-seed3", "late-seed3"]
    pandas.testing.assert_frame_equal(*(_sorted(load(out)) for load in (load_results, load_runs)))
    assert "resuming from" in (out / "logs" / "base-seed3.log").read_text()
    parent, branch = log_of(out / "base-seed3"), log_of(out / "late-seed3")
    assert [row for row in parent if row["step"] <= 30] == [
        row for row in branch if row["step"] <= 30
    ]
    assert branch[-1]["step"] == 240


def test_a_dry_run_names_the_runs_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["sweep", sweep_file(tmp_path), "--out", str(out), "--dry-run", "--seeds", "4", "5"]
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines] == [
        f"{arm}-seed{seed}" for seed in (4, 5) for arm in ("base", "late")
    ]
    assert "--from-checkpoint" in lines[1]
    assert not out.exists()


def test_wrong_words_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = sweep_file(tmp_path)
    for words, told in (
        (["--workers", "0"], "expected at least 1"),
        (["--arms", "basis"], "unknown arm of mine 'basis'"),
        (["--override", "max_steps"], "expected KEY=VALUE"),
        (["--override", "max_steps=20"], "its runs end at 20"),
        (["--report", "--out", str(tmp_path)], "has no sweep.json"),
    ):
        assert main(["sweep", file, *words]) == 2
        assert told in capsys.readouterr().err
    assert main(["sweep", "--list"]) == 0
    assert "sas-mlm" in capsys.readouterr().out.split()


def test_overrides_are_json_or_text() -> None:
    words = ["max_steps=5", "sas_schedule=0:0.1", 'language_options={"train_size": 3}', "a=b=c"]
    assert read_overrides(words) == {
        "max_steps": 5,
        "sas_schedule": "0:0.1",
        "language_options": {"train_size": 3},
        "a": "b=c",
    }


def test_an_override_may_be_a_list_of_names() -> None:
    """And reaches the command of a run as several words."""
    read = read_overrides(['data=[a, "b/c,weight=2"]', 'probe_data=["d"]', "seeds=[1, 2]"])
    assert read == {"data": ["a", "b/c,weight=2"], "probe_data": ["d"], "seeds": [1, 2]}
    assert read_overrides(["names=[a, 0:0.1]"]) == {"names": ["a", "0:0.1"]}
    assert as_words(read)[:3] == ["--data", "a", "b/c,weight=2"]
    for words, told in (
        (["data=a", "b"], r"--override b: expected KEY=VALUE, .*'data=\[parsed/books, parsed/"),
        (["data=[a, 2]"], r"expected names, \[a, b\], or JSON"),
        (["data=[a, b"], r"--override data:\d+: not YAML"),
        (["data=[a, b] c"], r"--override data:\d+: not YAML"),
    ):
        with pytest.raises(UserError, match=told):
            read_overrides(words)


def test_status_and_commands_start_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = sweep_file(tmp_path, seeds="0-1")
    out = tmp_path / "out"
    assert main(["sweep", file, "--out", str(out), "--status"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in told[:4]] == [
        *("base-seed0", "late-seed0", "base-seed1", "late-seed1")
    ]
    assert told[-1] == "4 runs: 4 to do"
    assert main(["sweep", file, "--out", str(out), "--print-commands", "--seeds", "1-1"]) == 0
    commands = [shlex.split(line) for line in capsys.readouterr().out.splitlines()]
    assert [words[:2] for words in commands] == [["hf-grok", "train"]] * 2
    assert commands[1][-2:] == ["--from-checkpoint", str(out / "base-seed1" / "checkpoint-30")]
    assert not out.exists()


def test_more_runs_than_one_thinks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="202 runs, more than 200"):
        sweep_main(["--out", str(tmp_path), sweep_file(tmp_path, seeds="0-100")])


def test_status_tells_a_run_that_failed_from_one_that_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = sweep_file(tmp_path), tmp_path / "out"
    (out / "logs").mkdir(parents=True)
    for key, status in (("base-seed3", "failed"), ("late-seed3", "running")):
        (out / key).mkdir()
        (out / key / "run.json").write_text(json.dumps({"status": status}))
    row = {"eval_generalization_accuracy": 0.25, "step": 100}
    (out / "base-seed3" / "metrics.jsonl").write_text(json.dumps(row) + "\n")
    with FileLock(out / "logs" / "late-seed3.lock"):
        assert main(["sweep", file, "--out", str(out), "--status"]) == 0
    first, second, summary = capsys.readouterr().out.splitlines()
    assert first.split()[1:] == ["failed", "100", "of", "240", "generalization", "0.250"]
    assert second.split()[1] == "running"
    assert summary == "2 runs: 1 failed, 1 running"


@pytest.mark.parametrize(
    ("step", "resumed_at", "left"),
    [
        # 100 steps in 50 seconds; 140 of base and 240 - 30 of late are missing, one at a time.
        (100, None, "02:55"),
        # The same with 60 of the steps from before it was started again.
        (100, 60, "07:17"),
        # Starting and the dense first evaluations say nothing yet.
        (11, None, None),
    ],
)
def test_status_tells_the_time_left_before_any_run_has_finished(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    step: int,
    resumed_at: int | None,
    left: str | None,
) -> None:
    file, out = sweep_file(tmp_path), tmp_path / "out"
    run = out / "base-seed3"
    (out / "logs").mkdir(parents=True)
    run.mkdir()
    files = {run / "run.json": {"status": "running"}, run / "metrics.jsonl": {"step": step}}
    for (path, content), written in zip(files.items(), (1_000, 1_050), strict=True):
        path.write_text(json.dumps(content) + "\n")
        os.utime(path, (written, written))
    for saved in [40, 90] if resumed_at is None else [40, resumed_at, 90]:
        folder = run / f"checkpoint-{saved}"
        folder.mkdir()
        written = 900 + saved if resumed_at is not None and saved <= resumed_at else 1_020 + saved
        os.utime(folder, (written, written))
    with FileLock(out / "logs" / "base-seed3.lock"):
        assert main(["sweep", file, "--out", str(out), "--status", "--workers", "1"]) == 0
    summary = capsys.readouterr().out.splitlines()[-1]
    told = f"; about {left} left, 1 at a time, by the paces so far" if left else ""
    assert summary == f"2 runs: 1 running, 1 to do{told}"


def test_time_left_is_by_the_pace_of_each_arm() -> None:
    finished = [
        JobStatus(f"{arm}-seed0", "finished", 100, 100, {}, arm, pace)
        for arm, pace in (("deep", 9.0), ("shallow", 1.0))
    ]
    todo = [
        replace(status, key=f"{status.arm}-seed1", state="to do", done=0, pace=0.0)
        for status in finished
    ]
    left = [
        status_table([*finished, *todo], workers).rpartition("about ")[2].split()[0]
        for workers in (1, 2)
    ]
    # 900 and 100 seconds in turn; beside each other the deep one is waited for.
    assert left == ["16:40", "15:00"]


def test_a_folder_goes_on_as_it_was_begun(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = sweep_file(tmp_path, needs={"cpus": 2}, launch="accelerate launch"), tmp_path / "o"
    plan = read_plan(file)
    write_description(plan, out)
    assert plan_of_folder(out) == replace(plan, name="mine")
    for words in ([file, "--out", str(out)], [str(out)]):
        assert main(["sweep", *words, "--print-commands"]) == 0
    commands = capsys.readouterr().out.splitlines()
    assert commands[:2] == commands[2:]
    assert commands[0].startswith("accelerate launch -m hf_grok.train ")
    for words, told in (
        ([str(out), "--override", "max_steps=3"], "are in its sweep.json"),
        ([str(tmp_path)], "expected the folder of a sweep"),
        ([str(out), "--cancel"], "nothing in Slurm's queue"),
    ):
        assert main(["sweep", *words]) == 2
        assert told in capsys.readouterr().err


def test_a_folder_that_no_sweep_wrote_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "o"
    write_description(read_plan(sweep_file(tmp_path)), out)
    good = json.loads((out / "sweep.json").read_text())
    late = good["arms"]["late"]
    for arms, told in (
        ({"late": late}, "cannot branch off 'base'"),
        ({"late": {**late, "from": "late"}}, "cannot branch off 'late'"),
        ({"../x": {**late, "from": None}}, "expected a name of letters"),
        ({"late": {**late, "from": None, "settings": {"seed": 3}}}, "a sweep gives to each run"),
    ):
        (out / "sweep.json").write_text(json.dumps({**good, "arms": arms}))
        with pytest.raises(UserError, match=told):
            plan_of_folder(out)
