from __future__ import annotations

from pathlib import Path
from typing import Any

from hf_grok.dynamics import Run, load_run
from hf_grok.report.groups import Group, group_runs
from hf_grok.report.text.structure_rows import failed_probes, structure_rows
from hf_grok.report.text.tables import NOTHING
from hf_grok.runs.probe_files import ProbeFailure
from tests.dynamics.tables import INFO, table
from tests.report.probed import probed_run
from tests.report.synthetic import question_run

FAST: dict[str, Any] = {"last": 16_000, "every": 2_000, "arrival": 5_000}


def run(name: str, seed: int = 0, failures: tuple[ProbeFailure, ...] = (), **columns: Any) -> Run:
    evaluations = table([0, 10, 20], seen=[0.5] * 3, unseen=[0.5] * 3, **columns)
    return Run(Path(name), {**INFO, "seed": seed}, evaluations, table([]), (), {}, failures)


def group(*runs: Run) -> Group:
    return group_runs(runs)[0]


def test_last_and_best_value_with_the_baseline_beside() -> None:
    own = group(
        run(
            "a",
            eval_uas_best_head=[0.2, 0.9, 0.7],
            eval_uas_best_offset=[0.6, 0.6, 0.6],
            eval_tree_score=[0.0, 0.25, 0.5],
        )
    )
    rows = {row.name: row for row in structure_rows(own)}
    assert list(rows) == [
        "UAS, best head of each relation",
        "Tree score: cosine above random splits",
    ]
    (cell,) = rows["UAS, best head of each relation"].cells
    assert (cell.text, cell.remark) == (".70", "best .90 at 10; best offsets .60")
    (cell,) = rows["Tree score: cosine above random splits"].cells
    assert (cell.text, cell.remark) == (".50", "best .50 at 20; random splits .00")


def test_a_run_that_was_not_probed_has_a_dash() -> None:
    own = group(run("a", eval_pairs_accuracy=[0.5, 0.5, 0.996]), run("b", seed=1))
    (row,) = structure_rows(own)
    assert row.cells[0].remark == "best .996 at 20; chance .50"
    assert row.cells[1] == NOTHING


def test_a_baseline_that_was_not_measured_is_not_said() -> None:
    (row,) = structure_rows(group(run("a", eval_uas_atypical=[0.1, 0.2, 0.3])))
    assert row.cells[0].remark == "best .30 at 20"


def test_without_probes_there_are_no_rows(tmp_path: Path) -> None:
    assert structure_rows(group(load_run(question_run(tmp_path / "run", **FAST)))) == []


def test_all_headlines_of_a_probed_run(tmp_path: Path) -> None:
    own = group(load_run(probed_run(tmp_path / "run", **FAST)))
    assert [row.name.partition(":")[0] for row in structure_rows(own)] == [
        "UAS, best head of each relation",
        "UAS, one head for all words",
        "UAS of arcs at uncommon offsets",
        "Tree projection",
        "Tree score",
        "Minimal pairs",
    ]


def test_failures_are_told_by_probe() -> None:
    failures = (
        ProbeFailure("uas", 20, "ValueError: later."),
        ProbeFailure("uas", 0, "ValueError: first."),
        ProbeFailure("tree", 10, "RuntimeError: no trees"),
    )
    assert failed_probes(group(run("a", failures=failures))) == [
        "The probe tree failed at step 10, where its curves have no value: RuntimeError: no trees.",
        "The probe uas failed at steps 0 and 20, where its curves have no value. At the first of "
        "them: ValueError: first.",
    ]
    assert failed_probes(group(run("a"))) == []


def test_of_several_runs_the_failing_one_is_named_and_many_steps_are_counted() -> None:
    failures = tuple(ProbeFailure("uas", 1_000 * step, "no") for step in range(6))
    (line,) = failed_probes(group(run("a"), run("b", seed=1, failures=failures)))
    assert line.startswith("Seed 1: the probe uas failed at steps 0, 1,000, 2,000 and 3 more, ")
