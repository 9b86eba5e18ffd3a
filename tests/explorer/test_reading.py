"""Which runs a page shows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hf_grok.errors import UserError
from hf_grok.explorer.data import data_labels, page_data
from hf_grok.explorer.reading import read_explored
from hf_grok.runs.results import add_to_results
from tests.dynamics.tables import write_run
from tests.report.synthetic import question_rows, question_run


def write_sweep(folder: Path, arms: dict[str, list[int]], seeds: list[int]) -> Path:
    """A sweep's folder in which each arm has run at the seeds given for it."""
    folder.mkdir()
    arm = {"settings": {}, "from": None, "step": 0, "reset_optimizer": False}
    content = {"format": 1, "name": "a-sweep", "recipe": "question-formation", "scale": None}
    content |= {"seeds": seeds, "arms": dict.fromkeys(arms, arm)}
    (folder / "sweep.json").write_text(json.dumps(content))
    for layers, (name, done) in enumerate(arms.items(), start=1):
        for seed in done:
            model = {"name": "vanilla_transformer", "parameters": 1, "layers": layers}
            run = folder / f"{name}-seed{seed}"
            question_run(run, seed=seed, last=6_000, info={"model": model})
    return folder


def test_a_sweeps_runs_have_their_arms_and_a_single_run_has_none(tmp_path: Path) -> None:
    sweep = write_sweep(tmp_path / "sweep", {"base": [0, 1], "deep": [0, 1]}, [0, 1])
    alone = question_run(tmp_path / "alone", seed=7, last=6_000)
    shown, notes = read_explored([alone, sweep])
    assert [(one.run.name, one.arm) for one in shown] == [
        ("alone", None),
        *((f"{arm}-seed{seed}", arm) for arm in ("base", "deep") for seed in (0, 1)),
    ]
    assert notes == []
    assert all(one.group.runs == (one.run,) for one in shown)
    assert all(one.summary is not None for one in shown)


def test_a_sweeps_table_shows_the_curves_of_its_folder(tmp_path: Path) -> None:
    """Without any run's folder; what is no number is said to be elsewhere."""
    sweep = write_sweep(tmp_path / "sweep", {"base": [0, 1], "deep": [0]}, [0, 1])
    for name, arm in (("base-seed0", "base"), ("base-seed1", "base"), ("deep-seed0", "deep")):
        add_to_results(sweep, sweep / name, arm, {})
    table = (sweep / "results.parquet").rename(tmp_path / "mine.parquet")
    there, _ = read_explored([sweep])
    shutil.rmtree(sweep)
    shown, _ = read_explored([table])
    assert [(one.run.name, one.arm, one.run.seed, one.run.recipe) for one in shown] == [
        (one.run.name, one.arm, one.run.seed, one.run.recipe) for one in there
    ]
    data, expected = page_data(shown), page_data(there)
    for mine, other in zip(data["runs"], expected["runs"], strict=True):
        assert mine["marks"] == other["marks"]
        for part in ("evaluations", "training"):
            assert mine[part] == {**other[part], "columns": mine[part]["columns"]}
            assert dict(sorted(mine[part]["columns"].items())) == dict(
                sorted(other[part]["columns"].items())
            )
        assert "is read from mine.parquet, which has numbers alone" in mine["missing"]["trees"]
    assert len(set(data_labels(shown))) == 1
    assert data["arrivals"]["curves"]


def test_runs_of_a_sweep_that_have_not_begun_are_counted_not_shown(tmp_path: Path) -> None:
    sweep = write_sweep(tmp_path / "sweep", {"base": [0]}, [0, 1, 2])
    write_run(sweep / "base-seed1", [], status="running", seed=1)
    shown, notes = read_explored([sweep])
    assert [one.run.name for one in shown] == ["base-seed0"]
    assert notes == [
        "2 of the 3 runs of the sweep a-sweep were not evaluated yet, and are not shown."
    ]


def test_what_cannot_be_shown_is_refused_in_words(tmp_path: Path) -> None:
    run = question_run(tmp_path / "run", last=2_000)
    empty = write_run(tmp_path / "empty", [], status="running")
    sweep = write_sweep(tmp_path / "sweep", {"base": []}, [0])
    for places, words in (
        ([], "no run was given"),
        ([run, tmp_path / "sweep" / ".." / "run"], "is given twice"),
        ([empty], "has no evaluation yet"),
        ([sweep], "no run of the sweep .* was evaluated yet"),
        ([tmp_path / "nowhere"], "nowhere"),
    ):
        with pytest.raises(UserError, match=words):
            read_explored(places)


def test_a_run_without_an_end_is_shown_as_far_as_it_came(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", question_rows(last=1_000), status="running", finished=None)
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"step": 1250, "eval_lo')
    shown, _ = read_explored([run])
    assert shown[0].run.evaluations.index[-1] == 1_000
    assert any("cut" in note for note in shown[0].run.notes)
