"""Runs that report, and what their dashboards should hold of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from transformers import Trainer

from hf_grok.callbacks import ProbeCallback
from hf_grok.callbacks.dashboards.shown import TOTALS
from hf_grok.metrics import SHARE, Metric
from hf_grok.probes import State
from tests.callbacks.material import CountingProbe, tiny_trainer

SENTENCE = {"row": 0, "words": ["a", "b", "c"], "projected": [[0, 3], [0, 2]], "gold": [[0, 3]]}
Held = dict[tuple[int, str], float]


class PartsProbe(CountingProbe):
    """tree_parseval is a headline; tree_part_a and tree_part_b are not; leaves one tree."""

    name: ClassVar[str] = "tree"
    metrics: ClassVar[Mapping[str, Metric]] = {
        "tree_parseval": Metric("F1", "share", *SHARE, True, headline=True),
        "tree_part_{}": Metric("of a part", "share", *SHARE, True, "tree_low_{}"),
        "tree_low_{}": Metric("without structure", "share", *SHARE),
    }

    def compute(self, state: State) -> dict[str, float]:
        value = float(state["norm"]) % 1.0
        parts = {"tree_part_a": value, "tree_part_b": value / 2, "tree_low_a": 0.25}
        return {"tree_parseval": value, **parts}

    def picture(self, state: State) -> dict[str, Any]:
        return {"sentences": [SENTENCE]}


def probed(folder: Path, **changes: Any) -> Trainer:
    detail = {"probe_detail": changes.pop("probe_detail", "headlines")}
    settings = {"report_to": "trackio", "project": folder.name, **changes}
    trainer = tiny_trainer(folder, **settings)
    trainer.add_callback(ProbeCallback(trainer, PartsProbe(), **detail))
    return trainer


def once(found: Iterable[tuple[int, str, float]]) -> Held:
    """(step, chart) -> value; fails where one is there twice."""
    points = list(found)
    assert max(Counter((step, chart) for step, chart, _ in points).values()) == 1
    return {(step, chart): value for step, chart, value in points}


def expected(trainer: Trainer, *left_out: str) -> Held:
    """The first value of each step of a log_history, under the chart's name."""
    held: Held = {}
    for row in trainer.state.log_history:
        for name, value in row.items():
            if name in {"step", *TOTALS} or name.startswith(left_out or ("-",)):
                continue
            kind, bare = ("eval", name[5:]) if name.startswith("eval_") else ("train", name)
            held.setdefault((row["step"], f"{kind}/{bare}"), value)
    return held


# What is no headline of PartsProbe.
PARTS = ("eval_tree_part", "eval_tree_low")
