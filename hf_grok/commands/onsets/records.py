"""The onsets as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hf_grok.dynamics.grokking import grokking_summary
from hf_grok.dynamics.onsets.bootstrap import SeedOnset
from hf_grok.dynamics.onsets.existence import NoOnset, Onset
from hf_grok.dynamics.onsets.find import RULES
from hf_grok.dynamics.onsets.study import MetricOnsets, time_order
from hf_grok.errors import UserError
from hf_grok.metrics import GENERALIZATION, IN_DISTRIBUTION
from hf_grok.runs.read import Run


def records(
    studies: Sequence[MetricOnsets],
    runs: Mapping[str, Run],
    axis: str,
    refused: Mapping[str, str],
) -> dict[str, Any]:
    """Axis, one record a metric, their order in time by each rule, grokking of each run.

    And why a metric was not studied, for those that were not.
    """
    return {
        "axis": axis,
        "metrics": [_metric(study) for study in studies],
        "order": {
            rule: [
                {"metric": metric, "step": onset.step, "interval": list(interval)}
                for metric, onset, interval in time_order(studies, rule)
            ]
            for rule in RULES
        },
        "not_studied": dict(refused),
        "grokking": {
            name: _grokking(run)
            for name, run in runs.items()
            if {IN_DISTRIBUTION, GENERALIZATION} <= set(run.evaluations.columns)
        },
    }


def _metric(study: MetricOnsets) -> dict[str, Any]:
    return {
        "metric": study.metric,
        "direction": study.direction,
        "window": study.window,
        "baseline": study.baseline,
        "rules": {
            rule: {
                "models": {
                    model: _onset(onset)
                    for model, onset in zip(study.models, study.single[rule], strict=True)
                },
                "mean": _mean(study.over_seeds[rule]) if rule in study.over_seeds else None,
            }
            for rule in RULES
        },
    }


def _onset(found: Onset | NoOnset) -> dict[str, Any]:
    if isinstance(found, NoOnset):
        return {"exists": False, "reason": found.reason}
    return {
        "exists": True,
        "step": found.step,
        "interval": list(found.interval),
        "rise": found.rise,
        "needed": found.needed,
    }


def _mean(mean: SeedOnset) -> dict[str, Any]:
    return {
        **_onset(mean.onset),
        "curves": mean.curves,
        "resamples": mean.resamples,
        "share_with_onset": mean.share,
        "resampled_interval": None if mean.interval is None else list(mean.interval),
    }


def _grokking(run: Run) -> dict[str, Any]:
    try:
        summary = grokking_summary(run.evaluations)
    except UserError as error:
        return {"reason": str(error)}
    stopped = summary.early_stopping
    low, high = summary.crossings
    return {
        "saturation_step": summary.saturation.step if summary.saturation else None,
        "generalization_step_80": low.step if low else None,
        "generalization_step_95": high.step if high else None,
        "grokking_delay": summary.delay,
        "hierarchical": summary.hierarchical,
        "early_stopping_step": stopped.kept.step if stopped else None,
        "early_stopping_gap": stopped.last_quarter_gap if stopped else None,
    }
