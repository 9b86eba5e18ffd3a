"""The summary of every run as a flat record: `summary.csv`, for programs."""

from __future__ import annotations

from typing import Any

from hf_grok.dynamics import GrokkingSummary, Run
from hf_grok.dynamics.curves import Crossing
from hf_grok.report.groups import Group

# What `summary.csv` says of accuracies, in this order; empty where there are none.
SUMMARY_COLUMNS = (
    "saturation_step",
    "generalization_step_80",
    "generalization_step_95",
    "grokking_delay",
    "hierarchical",
    "adjacency_heuristic",
    "maximum",
    "maximum_step",
    "last_quarter_mean",
    "later_share_above_80",
    "lowest_after_saturation",
    "total_variation",
    "final",
    "early_stopping_step",
    "early_stopping_generalization",
)


def summary_records(groups: list[Group]) -> list[dict[str, Any]]:
    """One flat record a run, for a file that other programs read; None where there is nothing."""
    return [
        {**_run_record(group, run), **record}
        for group in groups
        for run, record in zip(group.runs, _summary_records(group), strict=True)
    ]


def _summary_records(group: Group) -> list[dict[str, Any]]:
    if not group.summaries:
        return [dict.fromkeys(SUMMARY_COLUMNS) for _ in group.runs]
    return [_record(summary) for summary in group.summaries]


def _run_record(group: Group, run: Run) -> dict[str, Any]:
    return {
        "run": run.name,
        "recipe": run.info.get("recipe"),
        "scale": group.scale,
        "layers": group.layers,
        "seed": run.seed,
        "status": run.status,
        "last_step": int(run.evaluations.index[-1]),
    }


def _record(summary: GrokkingSummary) -> dict[str, Any]:
    stopped = summary.early_stopping
    return {
        "saturation_step": _step(summary.saturation),
        "generalization_step_80": _step(summary.crossings[0]),
        "generalization_step_95": _step(summary.crossings[-1]),
        "grokking_delay": summary.delay,
        "hierarchical": summary.hierarchical,
        "adjacency_heuristic": summary.adjacency_heuristic,
        "maximum": summary.maximum.value,
        "maximum_step": summary.maximum.step,
        "last_quarter_mean": summary.last_quarter_mean,
        "later_share_above_80": summary.share_above,
        "lowest_after_saturation": (
            summary.lowest_after_saturation.value if summary.lowest_after_saturation else None
        ),
        "total_variation": summary.total_variation,
        "final": summary.final.value,
        "early_stopping_step": stopped.kept.step if stopped else None,
        "early_stopping_generalization": stopped.kept.value if stopped else None,
    }


def _step(crossing: Crossing | None) -> int | None:
    return crossing.step if crossing else None
