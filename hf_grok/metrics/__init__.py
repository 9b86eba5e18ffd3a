"""Every number that is measured, once: what it is, where better is, what it is compared with.

Probes declare into it; onsets, reports, cards and tables of sweeps read it. It needs no torch.
"""

from hf_grok.metrics.lookup import (
    GROUP,
    NONE,
    PREFIX,
    baseline_of,
    column_beside,
    direction_of,
    find_metric,
    headlines,
    known_metrics,
    owner_of,
    standard_baseline,
    title_of,
)
from hf_grok.metrics.metric import SHARE, Direction, Level, Metric, key_of, metric_of
from hf_grok.metrics.ours import (
    CHANCE,
    GENERALIZATION,
    IN_DISTRIBUTION,
    PROBES,
    RUN,
    VALIDATION_LOSS,
)
from hf_grok.metrics.recorded import recordable, recorded_metrics

__all__ = [
    "CHANCE",
    "GENERALIZATION",
    "GROUP",
    "IN_DISTRIBUTION",
    "NONE",
    "PREFIX",
    "PROBES",
    "RUN",
    "SHARE",
    "VALIDATION_LOSS",
    "Direction",
    "Level",
    "Metric",
    "baseline_of",
    "column_beside",
    "direction_of",
    "find_metric",
    "headlines",
    "key_of",
    "known_metrics",
    "metric_of",
    "owner_of",
    "recordable",
    "recorded_metrics",
    "standard_baseline",
    "title_of",
]
