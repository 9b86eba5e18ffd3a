from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hf_grok.dynamics import load_run
from hf_grok.errors import UserError
from hf_grok.runs.probe_files import ProbeFailure, read_probe_lines, read_probe_results
from tests.dynamics.tables import write_run

ROWS = [
    {"step": 0, "eval_loss": 4.5, "eval_uas_best_head": 0.25},
    {"step": 10, "eval_loss": 2.5},
]
TREE = {"sentences": []}


def lines(folder: Path, *rows: dict[str, Any], tail: str = "") -> Path:
    text = "".join(json.dumps({"version": 1, **row}) + "\n" for row in rows)
    (folder / "probes.jsonl").write_text(text + tail)
    return folder


def number(step: int | None, metric: str, value: Any, **changes: Any) -> dict[str, Any]:
    probe = metric.partition("_")[0]
    row = {"revision": f"step{step}", "step": step, "identity": "x", "probe": probe, "version": 1}
    return {**row, "metric": metric, "value": value, **changes}


def results(folder: Path, **changes: Any) -> Path:
    content: dict[str, Any] = {
        "format": 1,
        "model": "run",
        "probes": {"tree": {"data": "question-formation (test), 100 rows"}},
        "rows": [],
        "failures": [],
        "pictures": [],
    }
    (folder / "probe_results.json").write_text(json.dumps({**content, **changes}))
    return folder


def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", ROWS)


def test_a_run_without_probes_has_no_pictures_and_no_failures(tmp_path: Path) -> None:
    loaded = load_run(run(tmp_path))
    assert (loaded.pictures, loaded.failures, loaded.notes) == ({}, (), ())


def test_pictures_and_failures_by_probe_and_step(tmp_path: Path) -> None:
    folder = lines(
        run(tmp_path),
        {"step": 10, "probe": "tree", "picture": TREE},
        {"step": 0, "probe": "tree", "picture": {"sentences": [1]}},
        {"step": 10, "probe": "uas", "failed": "ValueError: no"},
    )
    loaded = load_run(folder)
    assert list(loaded.pictures.items()) == [
        (("tree", 0), {"sentences": [1]}),
        (("tree", 10), TREE),
    ]
    assert loaded.failures == (ProbeFailure("uas", 10, "ValueError: no"),)


def test_the_later_line_on_a_step_counts(tmp_path: Path) -> None:
    failed = {"step": 0, "probe": "tree", "failed": "no"}
    drawn = {"step": 0, "probe": "tree", "picture": TREE}
    good = read_probe_lines(lines(tmp_path, failed, drawn) / "probes.jsonl")
    assert (good.pictures, good.failures) == ({("tree", 0): TREE}, {})
    bad = read_probe_lines(lines(tmp_path, drawn, failed) / "probes.jsonl")
    assert (bad.pictures, list(bad.failures)) == ({}, [("tree", 0)])


def test_a_cut_last_line_is_left_out_with_a_note(tmp_path: Path) -> None:
    folder = lines(
        run(tmp_path), {"step": 0, "probe": "tree", "picture": TREE}, tail='{"step": 10, "pro'
    )
    loaded = load_run(folder)
    assert list(loaded.pictures) == [("tree", 0)]
    assert loaded.notes[0].endswith(
        "probes.jsonl:2: the last line was cut while it was written and is left out"
    )


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"probe": "tree", "picture": TREE}, '"step" to be an integer from 0 on, got None'),
        (
            {"step": -1, "probe": "tree", "picture": TREE},
            '"step" to be an integer from 0 on, got -1',
        ),
        (
            {"step": True, "probe": "tree", "picture": TREE},
            '"step" to be an integer from 0 on, got True',
        ),
        ({"step": 0, "picture": TREE}, '"probe" to be a text, got None'),
        ({"step": 0, "probe": "tree"}, '"picture" to be an object, got None'),
        ({"step": 0, "probe": "tree", "failed": 3}, '"failed" to be a text, got 3'),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, row: dict[str, Any], expected: str) -> None:
    good = {"step": 0, "probe": "uas", "picture": {}}
    with pytest.raises(UserError) as caught:
        load_run(lines(run(tmp_path), good, row))
    assert "probes.jsonl:2: expected " in str(caught.value)
    assert expected in str(caught.value)


def test_numbers_measured_later_become_columns(tmp_path: Path) -> None:
    rows = [number(0, "tree_score", 0.5), number(20, "tree_score", 0.75), number(0, "norm_l2", 3)]
    probes = {"tree": {"data": "question-formation (test), 100 rows"}, "norm": {"data": None}}
    rows.append(number(20, "other_score", 1))
    loaded = load_run(results(run(tmp_path), rows=rows, probes=probes))
    assert loaded.evaluations.index.tolist() == [0, 10, 20]
    assert loaded.evaluations["eval_tree_score"].dropna().to_dict() == {0: 0.5, 20: 0.75}
    assert loaded.evaluations["eval_norm_l2"].dropna().to_dict() == {0: 3.0}
    assert loaded.evaluations["eval_loss"].dropna().to_dict() == {0: 4.5, 10: 2.5}
    (note,) = loaded.notes
    assert note.endswith(
        "probe_results.json: measured after training, at 2 steps: norm (of the weights alone); "
        "other (data not named); tree (question-formation (test), 100 rows)"
    )


def test_what_the_run_measured_itself_stays_gaps_included(tmp_path: Path) -> None:
    rows = [number(step, "uas_best_head", 0.9) for step in (0, 10)]
    loaded = load_run(results(run(tmp_path), rows=rows))
    assert loaded.evaluations["eval_uas_best_head"].dropna().to_dict() == {0: 0.25}
    assert loaded.notes[-1] == (
        "eval_uas_best_head: measured in the run itself and again afterwards "
        "(probe_results.json); the run's own values are used"
    )


def test_a_probes_own_pictures_go_before_later_ones(tmp_path: Path) -> None:
    folder = lines(run(tmp_path), {"step": 0, "probe": "tree", "picture": TREE})
    later = [
        {**number(step, f"{probe}_x", 0), "picture": {"later": step}}
        for probe in ("tree", "uas")
        for step in (0, 10)
    ]
    loaded = load_run(results(folder, pictures=later))
    assert loaded.pictures == {
        ("tree", 0): TREE,
        ("uas", 0): {"later": 0},
        ("uas", 10): {"later": 10},
    }


def test_a_failure_that_was_made_good_later_is_none(tmp_path: Path) -> None:
    folder = lines(
        run(tmp_path),
        {"step": 0, "probe": "tree", "failed": "no"},
        {"step": 10, "probe": "tree", "failed": "no"},
    )
    failed = {**number(10, "uas_x", 0), "reason": "RuntimeError: never"}
    loaded = load_run(results(folder, rows=[number(0, "tree_score", 0.5)], failures=[failed]))
    assert loaded.failures == (
        ProbeFailure("tree", 10, "no"),
        ProbeFailure("uas", 10, "RuntimeError: never"),
    )


def test_numbers_without_a_step_are_left_out_with_a_note(tmp_path: Path) -> None:
    rows = [number(None, "tree_score", 0.5, revision="main"), number(0, "tree_score", 0.25)]
    loaded = load_run(results(run(tmp_path), rows=rows))
    assert loaded.evaluations["eval_tree_score"].dropna().to_dict() == {0: 0.25}
    assert loaded.notes[-1].endswith("say no step, so their numbers are left out: main")


def test_two_versions_of_a_probe_in_one_curve_are_noted(tmp_path: Path) -> None:
    rows = [number(0, "tree_score", 0.5), number(10, "tree_score", 0.5, version=2)]
    loaded = load_run(results(run(tmp_path), rows=rows))
    assert "numbers of tree are of versions 1 and 2 of the probe, which differ" in loaded.notes[-1]


def test_two_values_of_one_step_are_noted(tmp_path: Path) -> None:
    rows = [number(0, "tree_score", 0.5), number(0, "tree_score", 0.25, revision="step-0")]
    records = read_probe_results(results(tmp_path, rows=rows) / "probe_results.json")
    assert records.numbers.rows == {0: {"eval_tree_score": 0.25}}
    assert "rows[1]: step 0 is there twice" in records.notes[-1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"format": 1,\n "rows"', "probe_results.json:2: expected JSON"),
        ("[]", "expected a JSON object, got []"),
        ('{"format": 2, "rows": []}', "expected probe results of format 1"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    folder = run(tmp_path)
    (folder / "probe_results.json").write_text(text)
    with pytest.raises(UserError) as caught:
        load_run(folder)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"rows": [number(0, "tree_score", "high")]}, 'rows[0]: expected "value" to be a number'),
        ({"rows": [3]}, "rows[0]: expected an object, got 3"),
        ({"failures": [number(0, "x", 0)]}, 'failures[0]: expected "reason" to be a text'),
        ({"pictures": [number(0, "x", 0)]}, 'pictures[0]: expected "picture" to be an object'),
    ],
)
def test_a_bad_entry_is_named(tmp_path: Path, changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(UserError) as caught:
        load_run(results(run(tmp_path), **changes))
    assert expected in str(caught.value)


def test_what_hf_grok_probe_writes_is_read(tmp_path: Path) -> None:
    from hf_grok.evaluation.checkpoints import Checkpoint
    from hf_grok.evaluation.results import ProbeResults
    from hf_grok.evaluation.runner import Probed
    from hf_grok.probes import WeightNorm

    path, probe = run(tmp_path) / "probe_results.json", WeightNorm()
    about = {"norm": {"data": "no data", "fingerprint": "", "options": {}}}
    written = ProbeResults(path, "run", about)
    written.add(Checkpoint("run", "step0", 0, "x"), probe, Probed({"norm_l2": 2.0}, {"norm": {}}))
    written.add(Checkpoint("run", "step10", 10, "y"), probe, Probed(failures={"norm": "no"}))
    loaded = load_run(path.parent)
    assert loaded.evaluations["eval_norm_l2"].dropna().to_dict() == {0: 2.0}
    assert list(loaded.pictures) == [("norm", 0)]
    assert loaded.failures == (ProbeFailure("norm", 10, "no"),)
