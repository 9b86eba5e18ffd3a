from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hf_grok.dynamics import Run, grokking_summary
from hf_grok.report.groups import group_runs
from hf_grok.report.text.group_prose import describe_group, unfinished
from hf_grok.report.text.run_prose import describe_run, describe_status
from tests.dynamics.tables import INFO, table

STEPS = [0, 1_000, 2_000, 3_000, 4_000]
SEEN = [0.25, 1.0, 1.0, 1.0, 1.0]


def run(*, info: dict[str, Any] | None = None, name: str = "run", **columns: list[float]) -> Run:
    evaluations = table(STEPS, **{"seen": SEEN, **columns})
    return Run(Path(name), {**INFO, **(info or {})}, evaluations, table([], loss=[]))


def told(**columns: list[float]) -> str:
    described = run(**columns)
    return describe_run(described, grokking_summary(described.evaluations))


def test_a_run_that_groks_and_swings() -> None:
    assert told(unseen=[0.25, 0.1, 0.6, 1.0, 0.3]) == (
        "In-distribution accuracy passed .99 at step 1,000; generalization stayed under .5 until "
        "step 2,000 and crossed .95 at step 3,000, 3.0 times as many steps. Afterwards it swung "
        "between .30 and .30, and it averaged .65 over the last quarter of the run (4,000 steps)."
    )


def test_a_run_that_groks_at_once_and_holds() -> None:
    assert told(unseen=[0.25, 0.1, 0.1, 0.98, 0.97]) == (
        "In-distribution accuracy passed .99 at step 1,000; generalization stayed under .5 until "
        "it crossed .95 at step 3,000, 3.0 times as many steps. Afterwards it held between .97 "
        "and .97, and it averaged .97 over the last quarter of the run (4,000 steps)."
    )


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"unseen": [0.0, 0.1, 0.1, 0.1, 1.0]}, "That was the last evaluation, so whether it"),
        ({"unseen": [0.6, 0.1, 0.1, 1.0, 1.0]}, "had touched .5 by then, but crossed .95 only at"),
        ({"unseen": [0.0, 1.0, 1.0, 1.0, 1.0]}, "crossed .95 by step 1,000, so nothing was delay"),
        ({"unseen": [0.0, 0.1, 0.9, 0.9, 0.7]}, "reached .8 at step 2,000 but never .95 in 4,000"),
        ({"unseen": [0.0, 0.1, 0.2, 0.4, 0.2]}, "never reached .8 in 4,000 steps (highest .40 at"),
        (
            {"seen": [0.5] * 5, "unseen": [0.0, 0.1, 0.2, 0.4, 0.2]},
            "never passed .99 in 4,000 steps (highest .50 at step 0), so no grokking delay",
        ),
        (
            {"seen": [0.5] * 5, "unseen": [0.0, 0.1, 0.2, 1.0, 1.0]},
            "no grokking delay can be measured; generalization crossed .95 at step 3,000.",
        ),
        ({"unseen": [0.0, 0.1, 0.66, 0.66, 0.67]}, "a mean near 2/3 may be the adjacency"),
        (
            {"unseen": [0.0, 0.0, 0.0, 0.96, 0.96], "objects": [0.0, 0.0, 0.0, 0.7, 0.7]},
            "This does not count as hierarchical: object relatives were at .70 at the crossing.",
        ),
    ],
)
def test_every_other_case_is_told(columns: dict[str, list[float]], expected: str) -> None:
    assert expected in told(**columns)


def test_the_adjacency_heuristic_is_named() -> None:
    late = [0.0, 0.0, 1.0, 1.0, 1.0]
    text = told(
        unseen=[0.0, 0.0, 2 / 3, 2 / 3, 2 / 3],
        intransitive=late,
        transitive=late,
        objects=[0.0] * 5,
    )
    assert "never reached .8" in text
    assert text.endswith(
        "Its mean of .67 over the last quarter of the run is the adjacency heuristic, not "
        "hierarchy: 1.00 and 1.00 on the two kinds of subject relatives, but .00 on object "
        "relatives."
    )


def test_a_run_that_did_not_finish_says_so() -> None:
    unseen = [0.0] * 5
    assert describe_status(run(unseen=unseen)) is None
    failed = run(unseen=unseen, info={"status": "failed", "reason": "the loss is NaN."})
    assert describe_status(failed) == (
        "This run failed (last evaluation at step 4,000): the loss is NaN. Everything here "
        "describes only the part that was done."
    )
    going_on = describe_status(run(unseen=unseen, info={"status": "running"}))
    assert going_on is not None
    assert "not finished" in going_on


def test_several_runs() -> None:
    group = group_runs(
        [
            run(name="a", info={"seed": 0}, unseen=[0.0, 0.1, 0.1, 1.0, 0.5]),
            run(name="b", info={"seed": 1, "status": "failed"}, unseen=[0.0, 0.1, 1.0, 1.0, 1.0]),
            run(name="c", info={"seed": 2}, unseen=[0.0, 0.1, 0.1, 0.1, 0.1]),
        ]
    )[0]
    assert describe_group(group) == (
        "In-distribution accuracy passed .99 in 3 of 3 runs (at step 1,000); generalization "
        "crossed .95 in 2 of 3 runs (at steps 2,000 to 3,000), 2.0 to 3.0 times as late as "
        "saturation (median 2.5); seed 2 never did. Over the last quarter of each run "
        "generalization averaged .62 (.10 to 1.00 by run), and single evaluations lay between .10 "
        "and 1.00."
    )
    assert [line.partition(" (")[0] for line in unfinished(group)] == ["Seed 1: This run failed"]


def test_several_runs_that_do_not_count() -> None:
    late = [0.0, 0.0, 1.0, 1.0, 1.0]
    adjacent = run(
        name="a",
        unseen=[2 / 3] * 5,
        intransitive=late,
        transitive=late,
        objects=[0.0] * 5,
    )
    by_luck = run(name="b", info={"seed": 1}, unseen=late, objects=[0.5] * 5)
    text = describe_group(group_runs([adjacent, by_luck])[0])
    assert "the crossing with seed 1 does not count as hierarchical" in text
    assert "seed 0 ended in the adjacency heuristic" in text
