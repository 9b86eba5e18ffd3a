"""Every number that is measured, once: what it is, where better is, what it is compared with.

Probes declare into it; onsets, reports, cards and tables of sweeps read it. It needs no torch.
"""

from hf_grok.metrics.lookup import (
    GROUP,
    NONE,
    PREFIX,
    Baseline,
    Measure,
    direction_of,
    find_measure,
    find_metric,
    headlines,
    known_measures,
    measure_of,
    owner_of,
)
from hf_grok.metrics.metric import SHARE, Direction, Level, Metric, key_of, metric_of
from hf_grok.metrics.ours import (
    EXACT_MATCH,
    GENERALIZATION,
    IN_DISTRIBUTION,
    PROBES,
    RUN,
    VALIDATION_LOSS,
)
from hf_grok.metrics.recorded import recordable, recorded_metrics
from hf_grok.metrics.training import LM_LOSS, SAS_ARCS, SAS_LAMBDA, SAS_PENALTY, TRAINING

# fmt: off
__all__ = [
    "EXACT_MATCH", "GENERALIZATION", "GROUP", "IN_DISTRIBUTION", "LM_LOSS", "NONE", "PREFIX",
    "PROBES", "RUN", "SAS_ARCS", "SAS_LAMBDA", "SAS_PENALTY", "SHARE", "TRAINING",
    "VALIDATION_LOSS", "Baseline", "Direction", "Level", "Measure", "Metric", "direction_of",
    "find_measure", "find_metric", "headlines", "key_of", "known_measures", "measure_of",
    "metric_of", "owner_of", "recordable", "recorded_metrics",
]
# fmt: on
