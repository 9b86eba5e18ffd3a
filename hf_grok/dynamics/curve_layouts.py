"""What the columns of a table of curves mean: whose steps, which metric, which model.

Known are our own tables, a Trainer's log, and what TensorBoard and Weights & Biases export.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from hf_grok.runs.metrics_file import TIMING_SUFFIXES

PLAIN_METRIC = "value"
LARGEST = 1e100
"""Of a number: beyond it squares and differences are no numbers any more."""

# Where it stands, metric, model, step, value.
Point: TypeAlias = tuple[str, str, str, float, float]

EXPECTED = (
    "expected `step,value`; `metric,model,step,value` (metric or model may be left out); `step` "
    "and one column for each metric, as a Trainer's log_history; or what TensorBoard or W&B export"
)

# Columns of steps, the surest first: W&B's own count calls of its log, not steps of the optimiser.
_STEPS = ("step", "global_step", "train/global_step", "trainer/global_step", "Step", "_step")
# Columns beside the metrics: other clocks, and what a Trainer sums up at its end.
_CLOCKS = {
    *(*_STEPS, "epoch", "train/epoch", "Wall time", "_timestamp", "_runtime", "timestamp"),
    *("total_flos", "train/total_flos"),
}
_LONG = {"metric", "model", "step", "value"}
_TENSORBOARD = ("Wall time", "Step", "Value")
_TENSORBOARD_FILE = re.compile(r"run-(?P<model>.+)-tag-(?P<metric>.+)")
_BOUNDS = ("__MIN", "__MAX")  # which W&B puts beside a mean of several runs or points
_OF_A_RUN = " - "


@dataclass(frozen=True)
class Layout:
    """How a table's rows are read.

    Attributes:
        step: column of the steps.
        curves: column of values -> (metric, model); None for what the row or the file says.
        metric: column that names the metric; None if there is none.
        model: column that names the model; None if there is none.
        may_be_empty: whether a cell may be empty, where the metric was not measured.
    """

    step: str
    curves: Mapping[str, tuple[str | None, str | None]]
    metric: str | None = None
    model: str | None = None
    may_be_empty: bool = False


def layout_of(header: Sequence[str], stem: str = "") -> Layout | None:
    """The layout that a header has; None for a header of no table of curves.

    Args:
        header: names of the columns.
        stem: of the file's name, in which TensorBoard says run and tag.
    """
    names = list(header[1:] if header and not header[0] else header)  # pandas' own index
    if "" in names or len(set(names)) != len(names):
        return None
    if sorted(names) == sorted(_TENSORBOARD):
        return Layout("Step", {"Value": _tensorboard_names(stem)})
    if "value" in names:
        if "step" not in names or not set(names) <= _LONG:
            return None
        metric, model = (name if name in names else None for name in ("metric", "model"))
        return Layout("step", {"value": (None, None)}, metric, model)
    return _wide(names)


def _wide(names: Sequence[str]) -> Layout | None:
    step = next((name for name in _STEPS if name in names), None)
    curves = {
        name: _names_of(name)
        for name in names
        if name not in _CLOCKS and name != "model" and not _is_beside(name, names)
    }
    if step is None or not curves or "metric" in names:
        return None
    model = "model" if "model" in names else None
    return Layout(step, curves, model=model, may_be_empty=True)


def is_beside(column: str) -> bool:
    """Whether a column of a log is a clock, or times something, and no curve of the model."""
    return column in _CLOCKS or column.endswith(TIMING_SUFFIXES)


def step_column(names: Sequence[str]) -> str | None:
    """The column that holds the optimiser's steps; None if there is none."""
    return next((name for name in _STEPS if name in names), None)


def plain_name(tag: str) -> str:
    """eval_loss for a reporter's eval/loss; any other name as it is."""
    return tag.replace("eval/", "eval_", 1) if tag.startswith("eval/") else tag


def _is_beside(name: str, names: Sequence[str]) -> bool:
    for ending in _BOUNDS:
        if name.endswith(ending) and name.removesuffix(ending) in names:
            return True
    return is_beside(name) or is_beside(name.rpartition(_OF_A_RUN)[2])


def _names_of(column: str) -> tuple[str, str | None]:
    """Metric and model of a column: W&B names it "run - metric"."""
    model, separator, metric = column.rpartition(_OF_A_RUN)
    return (
        (plain_name(metric), model)
        if separator and model and metric
        else (plain_name(column), None)
    )


def _tensorboard_names(stem: str) -> tuple[str, str | None]:
    found = _TENSORBOARD_FILE.fullmatch(stem)
    if found is None:
        return PLAIN_METRIC, None
    # A file's name has no "/": TensorBoard writes "_" for it.
    return found["metric"], found["model"]
