"""Statistics of when and whether seeds generalise: times that are censored by the end of a run.

A seed that has not generalised by its last step has no onset, but it is not without information:
it had not by then. Means over the seeds that did leave that out; these statistics do not. On scipy
and diptest (the extra `statistics`).
"""

from hf_grok.dynamics.when.arrivals import Arrival, arrival_of, arrivals
from hf_grok.dynamics.when.log_rank import LogRank, log_rank
from hf_grok.dynamics.when.power import seeds_needed
from hf_grok.dynamics.when.seeds import (
    Bimodality,
    Difference,
    Fraction,
    bimodality,
    counts_differ,
    fraction_interval,
    paired_difference,
)
from hf_grok.dynamics.when.survival import (
    ArrivalCurve,
    MeanStep,
    arrival_curve,
    restricted_mean_step,
)

__all__ = [
    "Arrival",
    "ArrivalCurve",
    "Bimodality",
    "Difference",
    "Fraction",
    "LogRank",
    "MeanStep",
    "arrival_curve",
    "arrival_of",
    "arrivals",
    "bimodality",
    "counts_differ",
    "fraction_interval",
    "log_rank",
    "paired_difference",
    "restricted_mean_step",
    "seeds_needed",
]
