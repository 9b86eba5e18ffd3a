"""The object that a page is made of, against the runs that it is of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hf_grok.explorer import data as module
from hf_grok.explorer.data import page_data
from hf_grok.explorer.reading import read_explored
from tests.dynamics.tables import write_run
from tests.explorer.test_reading import write_sweep
from tests.report.probed import probed_run
from tests.report.synthetic import dyck_rows, question_rows, question_run


def of(*places: Path) -> dict[str, Any]:
    data = page_data(*read_explored(places))
    json.dumps(data, allow_nan=False)  # what a page cannot say must not be in it
    return data


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return probed_run(tmp_path_factory.mktemp("probed") / "run", last=4_000)


def test_every_value_of_every_curve_is_there(probed: Path) -> None:
    (run,) = of(probed)["runs"]
    rows = [json.loads(line) for line in (probed / "metrics.jsonl").read_text().splitlines()]
    evaluated = [row for row in rows if "eval_loss" in row]
    assert run["evaluations"]["steps"] == [row["step"] for row in evaluated]
    for column, values in run["evaluations"]["columns"].items():
        assert values == pytest.approx([row[column] for row in evaluated], rel=1e-5)
    losses = [row["loss"] for row in rows if "loss" in row]
    assert run["training"]["columns"]["training:loss"] == pytest.approx(losses, rel=1e-5)
    assert {f"eval_{name}" for name in ("loss", "uas_best_head", "norm_l2")} <= set(
        run["evaluations"]["columns"]
    )


def test_numbers_say_what_they_are_and_in_which_table_they_stand(probed: Path) -> None:
    numbers = of(probed)["numbers"]
    assert numbers["eval_uas_relation_nsubj"]["table"] == "relations"
    assert numbers["eval_uas_relation_nsubj"]["lines"][0]["column"] == (
        "eval_uas_relation_offset_nsubj"
    )
    assert "table" not in numbers["eval_uas_relation_offset_nsubj"]
    kinds = [one["row"] for one in numbers.values() if one.get("table") == "answers"]
    assert "object relative" in kinds
    assert "wrong rule: linear rule" in kinds
    assert numbers["eval_pairs_accuracy"]["lines"] == [
        {"title": "chance", "column": "", "value": 0.5}
    ]
    main = [name for name, number in numbers.items() if number["main"]]
    assert list(numbers)[: len(main)] == main
    assert main[0] == "eval_loss"


def test_marks_are_the_crossings_of_the_summary_and_the_onsets(tmp_path: Path) -> None:
    run = question_run(tmp_path / "run", arrival=5_000, last=12_000)
    shown, _ = read_explored([run])
    marks = page_data(shown)["runs"][0]["marks"]
    summary = shown[0].summary
    assert summary is not None
    assert summary.saturation is not None
    crossing = [one for one in marks["eval_in_distribution_accuracy"] if "0.99" in one["what"]]
    assert [(one["step"], one["from"]) for one in crossing] == [
        (summary.saturation.step, summary.saturation.previous)
    ]
    assert any("onset" in one["what"] for one in marks["eval_generalization_accuracy"])


def test_a_run_without_probes_says_how_to_get_them(tmp_path: Path) -> None:
    run = question_run(tmp_path / "a run", last=2_000)
    (found,) = of(run)["runs"]
    assert found["trees"] is None
    assert found["maps"] is None
    assert set(found["missing"]) == {"trees", "maps", "relations", "paradigms"}
    assert f"hf-grok probe '{run}'" in found["missing"]["trees"]
    assert "--probes tree" in found["missing"]["trees"]


def test_a_probe_whose_relations_have_too_few_arcs_is_not_said_to_have_left_nothing(
    tmp_path: Path,
) -> None:
    rows = [{**row, "eval_uas_single_head": 0.2} for row in question_rows(last=2_000)]
    run = write_run(tmp_path / "run", rows)
    sentence = {"words": ["it", "runs"], "maps": {}, "heads": [2, 0], "deprels": ["nsubj", "root"]}
    picture = {"best_heads": {}, "sentences": [sentence]}
    line = {"step": 2_000, "probe": "uas", "version": 1, "picture": picture}
    (run / "probes.jsonl").write_text(json.dumps(line) + "\n")
    (found,) = of(run)["runs"]
    for part in ("maps", "relations"):
        assert "no relation has enough arcs" in found["missing"][part]
    assert "--probes tree" in found["missing"]["trees"]


def test_a_probe_that_failed_is_named_with_its_reason(tmp_path: Path) -> None:
    run = question_run(tmp_path / "run", last=2_000)
    line = {"step": 250, "probe": "tree", "version": 1, "failed": "no gold trees"}
    (run / "probes.jsonl").write_text(json.dumps(line) + "\n")
    (found,) = of(run)["runs"]
    assert found["missing"]["trees"] == "The probe tree failed at step 250: no gold trees"


def test_runs_of_different_data_are_said_to_be(tmp_path: Path) -> None:
    questions = question_run(tmp_path / "questions", last=2_000)
    dyck = write_run(tmp_path / "dyck", dyck_rows(last=2_000), recipe="dyck")
    data = of(questions, dyck)
    assert [run["data"] for run in data["runs"]] == ["question-formation", "dyck"]
    assert any("different data" in note for note in data["notes"])
    assert not of(questions)["notes"]


def test_one_recipe_on_two_data_is_told_apart_by_their_fingerprints(tmp_path: Path) -> None:
    runs = [
        question_run(tmp_path / f"run{n}", seed=n, last=2_000, info={"data": {"fingerprint": one}})
        for n, one in enumerate("aba")
    ]
    found = [run["data"] for run in of(*runs)["runs"]]
    assert found == [f"question-formation, data {number}" for number in (1, 2, 1)]
    arms = of(*runs)["arrivals"]["curves"]
    assert [(one["group"], one["data"], one["seeds"]) for one in arms] == [
        ("6 layers", "question-formation, data 1", 2)
    ]


@pytest.mark.parametrize(("others", "told"), [(1, "run0 (1 of 2 runs)"), (9, "run5 and others")])
def test_runs_that_have_not_learnt_are_named(tmp_path: Path, others: int, told: str) -> None:
    rows = [{**row} for row in question_rows(last=2_000)]
    for row in rows:
        if "eval_in_distribution_accuracy" in row:
            row["eval_in_distribution_accuracy"] *= 0.98
    info = {"recipe": "question-formation"}
    runs = [write_run(tmp_path / f"run{n}", rows, seed=n, **info) for n in range(others)]
    learnt = question_run(tmp_path / "learnt", seed=99, last=2_000)
    (note,) = of(*runs, learnt)["notes"]
    assert note.startswith("Not come to .99 in distribution: run0")
    assert told in note
    assert not of(learnt)["notes"]


def test_runs_that_know_one_word_alone_are_named(tmp_path: Path) -> None:
    rows = [{**row, "eval_in_distribution_exact_match": 0.4} for row in question_rows(last=2_000)]
    part = write_run(tmp_path / "part", rows, seed=1, recipe="question-formation")
    (note,) = of(part, question_run(tmp_path / "learnt", seed=99, last=2_000))["notes"]
    assert note.startswith("Right at the scored word, and fewer than .90 of the lines")
    assert "part (1 of 2 runs)" in note


def test_arrivals_count_the_runs_that_never_came(tmp_path: Path) -> None:
    sweep = write_sweep(tmp_path / "sweep", {"base": [0, 1]}, [0, 1, 2])
    never = question_rows(seed=2, last=6_000, arrival=None)
    write_run(sweep / "base-seed2", never, seed=2)
    curves = of(sweep)["arrivals"]["curves"]
    (arm,) = [one for one in curves if one["by"] == "arm"]
    assert arm["seeds"] == 3
    assert arm["never"] >= 1
    assert arm["rows"][0][:2] == [0.0, 0.0]
    assert arm["rows"][-1][1] <= (arm["seeds"] - arm["never"]) / arm["seeds"] + 1e-9


def test_two_runs_of_one_name_keep_apart(tmp_path: Path) -> None:
    first = question_run(tmp_path / "a" / "run", last=1_000)
    second = question_run(tmp_path / "b" / "run", last=1_000, seed=1)
    assert [run["name"] for run in of(first, second)["runs"]] == [str(first), str(second)]


def test_a_run_that_diverged_has_a_gap_and_says_so(tmp_path: Path) -> None:
    rows = question_rows(last=3_000)
    evaluations = [row for row in rows if "eval_loss" in row]
    evaluations[-1]["eval_loss"] = float("inf")
    (run,) = of(write_run(tmp_path / "run", rows))["runs"]
    assert run["evaluations"]["columns"]["eval_loss"][-1] is None
    assert any("eval_loss is inf at step 3000" in note for note in run["notes"])


def test_two_thousand_evaluations_are_all_kept_and_more_are_thinned_by_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = np.arange(2_000)
    accuracy = np.clip(steps / 1_500, 0, 1)
    rows = [
        {"step": int(step), "eval_generalization_accuracy": float(value),
         "eval_in_distribution_accuracy": 1.0}
        for step, value in zip(steps, accuracy, strict=True)
    ]  # fmt: skip
    run = write_run(tmp_path / "run", rows)
    whole = of(run)
    assert whole["runs"][0]["evaluations"]["steps"] == steps.tolist()
    assert not whole["notes"]
    monkeypatch.setattr(module, "MOST_ROWS", 100)
    thinned = of(run)
    kept = thinned["runs"][0]["evaluations"]["steps"]
    marked = [mark["step"] for marks in thinned["runs"][0]["marks"].values() for mark in marks]
    assert len(kept) <= 100 + len(marked)
    assert {1_200, 1_425} <= set(kept)  # the crossings of .8 and .95
    assert any(f"{len(kept):,} of 2,000" in note for note in thinned["notes"])


def test_pictures_are_thinned_to_what_a_page_holds(
    probed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = len(of(probed)["runs"][0]["maps"]["steps"])
    monkeypatch.setattr(module, "MOST_PICTURES", 1)
    run = of(probed)["runs"][0]
    assert run["maps"]["steps"][0] == 0
    assert run["maps"]["steps"][-1] == run["evaluations"]["steps"][-1]
    assert len(run["maps"]["steps"]) < every
    assert set(run["maps"]["steps"]) <= set(run["evaluations"]["steps"])


def test_intervals_are_there_for_every_count_that_a_curve_has(tmp_path: Path) -> None:
    arguments = {"language": "question-formation", "evaluation_examples": 500}
    rows = [row for row in question_rows(last=1_000) if "eval_loss" in row]
    for row in rows:
        row["eval_generalization_accuracy"] = round(row["eval_generalization_accuracy"] * 500) / 500
    data = of(write_run(tmp_path / "run", rows, arguments=arguments))
    (run,) = data["runs"]
    assert run["examples"]["eval_generalization_accuracy"] == 500
    for value in run["evaluations"]["columns"]["eval_generalization_accuracy"]:
        low, high = data["intervals"]["500"][str(round(value * 500))]
        assert low <= value <= high
